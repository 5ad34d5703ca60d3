// The dashboard: states come each second, and all that is shown follows from the
// last few of them.

import { chart, span } from './charts.js'
import * as ask from './dialogs.js'
import * as f from './figures.js'
import { el, keyed, put } from './rows.js'
import * as tables from './tables.js'
import * as wire from './wire.js'

const $ = id => document.getElementById(id)
const recent = 5 // seconds that rates in tables and percentiles are of

let states = [] // the last few, oldest first
let points = [] // of the charts
let paused = false

const draw = [
	chart('chart-rate', 'Requests per second', [
		{ name: '5xx', color: '--bad', of: p => p.rate['5xx'] },
		{ name: '4xx', color: '--warn', of: p => p.rate['4xx'] },
		{ name: '3xx', color: '--other', of: p => p.rate['3xx'] },
		{ name: '2xx', color: '--good', of: p => p.rate['2xx'] },
	], { write: f.count, stacked: true, atLeast: 4 }),
	chart('chart-latency', 'Latency', [
		{ name: 'p99', color: '--far', dash: [2, 4], of: p => p.p99 },
		{ name: 'p95', color: '--other', dash: [8, 4], of: p => p.p95 },
		{ name: 'p50', color: '--accent', of: p => p.p50 },
	], { write: f.time, atLeast: .001 }),
	chart('chart-load', 'Load', [
		{ name: 'in flight', color: '--accent', fill: true, of: p => p.flight },
		{ name: 'waiting', color: '--warn', dash: [8, 4], of: p => p.waiting },
	], { write: f.count, atLeast: 4 }),
	chart('chart-cache', 'Cache hits', [
		{ name: 'share', color: '--good', fill: true, of: p => p.hits },
	], { write: f.percent, most: 1 }),
]

// take is called with each state.
function take(state) {
	if (states.length && states.at(-1).started !== state.started) states = points = []
	if (!states.length || f.seconds(states.at(-1), state) > recent) recall()
	states = [...states.filter(s => f.seconds(s, state) < recent + 1), state]
	// Of two seconds: a busy server's states come late, and then two at once.
	const [past, last] = [states[0], states.at(-3) ?? states[0]]
	points = [...points.filter(p => p.at > Date.parse(state.time) / 1000 - span - 2), point(state, last, past)]
	if (!paused) show(state, past)
}

// recall asks for what was before the page, or while it heard nothing.
async function recall() {
	try {
		const { started, bounds, moments } = await (await wire.ask('/api/history')).json()
		let near = []
		const before = moments.map(m => {
			const now = { ...m, bounds, cache: { hits: { memory: m.hits }, misses: { all: m.misses } } }
			near = [...near.filter(s => f.seconds(s, now) < recent + 1), now]
			return point(now, near.at(-3) ?? near[0], near[0])
		})
		const here = states.at(-1)
		if (here?.started !== started) return // another process's
		const last = before.at(-1)?.at ?? 0
		points = [...before, ...points.filter(p => p.at > last && !p.alone)]
		if (!paused) show(here, states[0])
	} catch { /* the charts begin now */ }
}

const waiting = s => s.waiting ?? [s.queue, ...s.pools.map(p => p.queue)].reduce((sum, q) => sum + (q?.waiting ?? 0), 0)

function point(now, last, past) {
	const elapsed = f.seconds(last, now)
	const spread = f.less(now.durations, past.durations)
	return {
		at: Date.parse(now.time) / 1000,
		alone: now === past, // and says nothing of rates
		rate: Object.fromEntries(Object.keys(now.requests).map(c => [c, f.rate(last.requests[c], now.requests[c], elapsed)])),
		p50: f.percentile(.5, spread, now.bounds),
		p95: f.percentile(.95, spread, now.bounds),
		p99: f.percentile(.99, spread, now.bounds),
		hits: now.cache && past.cache ? f.hits(past.cache, now.cache) : null,
		flight: now.in_flight,
		waiting: waiting(now),
	}
}

function show(now, past) {
	const ready = $('ready')
	put(ready, now.ready ? 'ready' : 'not ready')
	ready.dataset.is = now.ready ? 'up' : 'down'
	put($('about'), [now.build.version.replace('(devel)', ''), now.build.revision.slice(0, 8), 'up ' + f.age(f.seconds({ time: now.started }, now))].filter(Boolean).join(' · '))
	$('purge').hidden = !now.cache
	$('restart').hidden = !now.spawn?.length
	put($('restart'), now.spawn?.some(p => p.rolling) ? 'Restarting' : 'Restart app…')
	$('restart').disabled = Boolean(now.spawn?.some(p => p.rolling))
	$('chart-cache').parentElement.hidden = !now.cache
	tiles(now, past)
	for (const d of draw) d(points)
	tables.pools($('pools'), now, past, { drain, weigh })
	tables.children($('children'), now, past)
	tables.routes($('routes'), now, past)
	tables.panels($('panels'), { ...now, panels: [...cachePanel(now), ...now.panels] }, { ...past, panels: [...cachePanel(past), ...past.panels] })
}

function tiles(now, past) {
	const p = points.at(-1)
	const elapsed = f.seconds(past, now)
	const came = f.all(now.requests) - f.all(past.requests)
	const failed = now.requests['5xx'] - past.requests['5xx']
	const list = [
		['Requests/s', f.count(elapsed > 0 ? came / elapsed : 0)],
		['p50', f.time(p.p50)],
		['p99', f.time(p.p99)],
		['5xx', f.percent(came > 0 ? failed / came : null), failed > 0 ? 'down' : ''],
		...(now.cache ? [['Hit ratio', f.percent(p.hits)]] : []),
		['In flight', f.count(now.in_flight)],
		['Clients', f.count(now.clients)],
		...(now.tunnels ? [['WebSockets', f.count(now.tunnels)]] : []),
	]
	keyed($('tiles'), list, t => t[0], t => {
		const value = el('dd')
		return {
			node: el('div', {}, el('dt', { textContent: t[0] }), value),
			fill([, text, is = '']) {
				put(value, text)
				value.dataset.is = is
			},
		}
	})
}

// cachePanel has the figures of GET /cache as a box.
function cachePanel({ cache }) {
	if (!cache) return []
	return [{ title: 'Cache', figures: [
		{ name: 'Entries', value: cache.memory.entries, kind: 'count' },
		{ name: 'Memory', value: cache.memory.bytes, kind: 'bytes' },
		{ name: 'Capacity', value: cache.memory.capacity_bytes, kind: 'bytes' },
		{ name: 'Stored', value: cache.stored, kind: 'rate' },
		...(cache.redis ? [{ name: 'Redis', value: cache.redis.up ? 1 : 0, kind: 'flag' }] : []),
	] }]
}

function say(text, wrong = false) {
	$('said').dataset.is = wrong ? 'down' : ''
	$('said').textContent = text
}

// done tells how something went that somebody asked for.
async function done(doing, what) {
	try {
		say(await what() ?? doing)
	} catch (err) {
		if (err.status === 401) connect()
		say(`${doing}: ${err.message}`, true)
	}
}

const at = (pool, u, verb) => `/api/pools/${encodeURIComponent(pool)}/upstreams/${encodeURIComponent(u.name)}/${verb}`

async function drain(pool, u) {
	const out = !u.drained
	if (out && !await ask.confirm('Drain this upstream?', `${u.name} gets no new requests. What is under way ends as it does.`, 'Drain')) return
	done(`Drain ${u.name}`, async () => {
		await wire.post(at(pool, u, out ? 'drain' : 'undrain'))
		return `${u.name} ${out ? 'is drained' : 'gets requests again'}.`
	})
}

const weigh = (pool, u, weight) => done(`Weight of ${u.name}`, async () => {
	await wire.post(at(pool, u, 'weight'), { weight })
	return `${u.name} has weight ${weight} now, until its pool is configured anew.`
})

$('purge').addEventListener('click', async () => {
	const answer = await ask.purge(order => wire.post('/cache/purge', order))
	if (answer) say(`Purged: ${answer.purged}${answer.nodes ? `; nodes: ${answer.nodes}` : ''}.`)
})

$('restart').addEventListener('click', async () => {
	const pools = states.at(-1).spawn.map(p => p.pool)
	if (!await ask.confirm('Restart the app?', 'All processes are replaced in their turn, each by one that is ready. No request is lost.', 'Restart')) return
	say('Restarting the app’s processes.')
	done('Restart', async () => {
		for (const pool of pools) await wire.post('/api/spawn/restart', { pool })
		return 'All processes were replaced.'
	})
})

$('pause').addEventListener('click', () => {
	paused = !paused
	$('pause').setAttribute('aria-pressed', paused)
	put($('pause'), paused ? 'Continue' : 'Pause')
	if (!paused && states.length) show(states.at(-1), states[0])
})

let running = false
let tried = false // some token

// connect keeps a stream open, by the token if one is asked for.
async function connect() {
	if (running) return
	running = true
	for (let wait = 500; ; wait = Math.min(2 * wait, 8000)) {
		try {
			await wire.events('/api/live', undefined, state => {
				if (wait > 500 || $('ready').dataset.is === undefined) say('')
				wait = 500
				take(state)
			})
		} catch (err) {
			if (err.status === 401 || err.status === 429) {
				wire.keep(await ask.login(err.status === 401 && !tried ? '' : err.message))
				tried = true
				wait = 250
				continue
			}
		}
		put($('ready'), 'not reachable')
		$('ready').dataset.is = 'down'
		say('The server does not answer. Trying again.', true)
		await new Promise(r => setTimeout(r, wait))
	}
}

connect()
