// What two states say together: rates, percentiles, and how they are written.

const classes = ['none', '1xx', '2xx', '3xx', '4xx', '5xx']

export const all = requests => classes.reduce((sum, c) => sum + requests[c], 0)

export const seconds = (from, to) => (Date.parse(to.time) - Date.parse(from.time)) / 1000

// rate is of something that only grows; it is 0 if that began anew.
export const rate = (from, to, elapsed) => elapsed > 0 ? Math.max(0, to - from) / elapsed : 0

export const less = (to, from) => to.map((n, i) => Math.max(0, n - (from?.[i] ?? 0)))

// percentile reads a histogram: within a bucket values are taken to be spread
// evenly. null: there were none.
export function percentile(share, counts, bounds) {
	const total = counts.reduce((a, b) => a + b, 0)
	if (!total) return null
	let below = 0
	for (let i = 0; i < counts.length; i++) {
		if (below + counts[i] >= share * total && counts[i] > 0) {
			const low = i ? bounds[i - 1] : 0
			const high = bounds[Math.min(i, bounds.length - 1)]
			return low + (high - low) * (share * total - below) / counts[i]
		}
		below += counts[i]
	}
	return bounds.at(-1)
}

// hits is of the requests between two states' caches; null: nothing was looked up.
export function hits(from, to) {
	const sum = (counts, names) => names.reduce((s, n) => s + (counts[n] ?? 0), 0)
	const tiers = ['memory', 'redis', 'stale']
	const found = sum(to.hits, tiers) - sum(from.hits, tiers)
	const missed = sum(to.misses, Object.keys(to.misses)) - sum(from.misses, Object.keys(from.misses))
	return found + missed > 0 ? found / (found + missed) : null
}

export const none = '–'

export function count(n) {
	if (n == null) return none
	for (const [unit, of] of [['G', 1e9], ['M', 1e6], ['k', 1e4]]) {
		if (n >= of) return (n / (unit === 'k' ? 1e3 : of)).toPrecision(3) + unit
	}
	return n < 10 && n % 1 ? n.toFixed(1) : String(Math.round(n))
}

export function time(s) {
	if (s == null) return none
	if (s < 1e-3) return Math.round(s * 1e6) + ' µs'
	if (s < 1) return short(s * 1e3) + ' ms'
	return short(s) + ' s'
}

const short = n => n.toFixed(n < 10 ? 1 : 0).replace(/\.0$/, '')

export function bytes(n) {
	if (n == null) return none
	for (const [unit, of] of [['GiB', 2 ** 30], ['MiB', 2 ** 20], ['KiB', 2 ** 10]]) {
		if (n >= of) return (n / of).toFixed(n / of < 10 ? 1 : 0) + ' ' + unit
	}
	return n + ' B'
}

export const percent = share => share == null ? none : (share * 100).toFixed(share > 0 && share < .1 ? 1 : 0) + ' %'

export function age(s) {
	const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60]
	if (d) return `${d} d ${h} h`
	if (h) return `${h} h ${m} min`
	return m ? `${m} min ${Math.floor(s) % 60} s` : `${Math.floor(s)} s`
}
