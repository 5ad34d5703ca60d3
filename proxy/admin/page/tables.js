// Upstreams, processes, routes, and boxes of figures.

import * as f from './figures.js'
import { el, keyed, line, put } from './rows.js'

const cell = (className = '') => el('td', { className })
const name = () => el('th', { scope: 'row' })

// bar shows a share beside the figure that it is of.
function bar() {
	const part = el('i')
	const text = el('span')
	const node = el('td', { className: 'n load' }, el('span', { className: 'bar' }, part), text)
	node.firstChild.setAttribute('aria-hidden', 'true')
	return {
		node,
		show(value, of, say) {
			part.style.width = `${of > 0 ? Math.min(100, 100 * value / of) : 0}%`
			put(text, say)
		},
	}
}

const heads = ['Upstream', 'Health', 'Load', 'Requests/s', 'Failures/s', 'Latency', 'Weight', 'Action']

// pools fills in who answers; act has drain(pool, upstream) and weigh(pool, upstream, weight).
export function pools(into, now, past, act) {
	keyed(into, now.pools.map(p => measured(p, now, past)), p => p.name, () => {
		const title = el('h3')
		const about = el('p', { className: 'quiet' })
		const body = el('tbody')
		const table = el('table', {}, el('thead', {}, el('tr', {}, ...heads.map((h, i) => el('th', { scope: 'col', className: i > 1 && i < 7 ? 'n' : '', textContent: h })))), body)
		return {
			node: el('div', { className: 'pool' }, el('div', { className: 'pool-head' }, title, about), table),
			fill(pool) {
				put(title, pool.name)
				put(about, pool.about)
				table.setAttribute('aria-label', `Upstreams of pool ${pool.name}`)
				keyed(body, pool.upstreams, u => u.name, u => upstream(pool.name, u, act))
			},
		}
	})
}

// measured is a pool with what happened in it since past.
function measured(pool, now, past) {
	const elapsed = f.seconds(past, now)
	const was = past.pools.find(o => o.name === pool.name)
	const typical = f.time(f.percentile(.5, f.less(pool.waits, was?.waits), now.bounds))
	const busiest = Math.max(8, ...pool.upstreams.map(u => u.load))
	return {
		name: pool.name,
		about: [pool.balance, `answers in ${typical}`, pool.queue.waiting ? `${pool.queue.waiting} waiting` : ''].filter(Boolean).join(' · '),
		upstreams: pool.upstreams.map(u => {
			const before = was?.upstreams.find(o => o.name === u.name) ?? u
			return { ...u, of: u.max || busiest, rate: f.rate(before.requests, u.requests, elapsed), failing: f.rate(before.faults, u.faults, elapsed) }
		}).sort(byName),
	}
}

const byName = (a, b) => a.name.localeCompare(b.name, 'en', { numeric: true })

function upstream(pool, { name: called }, act) {
	const label = name()
	const health = el('span', { className: 'health' })
	const [load, rate, failing, latency] = [bar(), cell('n'), cell('n'), cell('n')]
	const weight = el('input', { type: 'number', min: 1, max: 1000, ariaLabel: `Weight of ${called}` })
	const drain = el('button', { type: 'button' })
	let now
	drain.addEventListener('click', () => act.drain(pool, now))
	weight.addEventListener('change', () => act.weigh(pool, now, Number(weight.value)))
	const node = line([label, el('td', {}, health), load.node, rate, failing, latency, el('td', { className: 'n' }, weight), el('td', { className: 'act' }, drain)], heads)
	return {
		node,
		fill(u) {
			now = u
			put(label, u.name + (u.backup ? ' (backup)' : ''))
			put(health, u.health)
			health.dataset.is = u.health
			put(latency, u.latency ? f.time(u.latency) : f.none)
			if (document.activeElement !== weight) weight.value = u.weight
			put(drain, u.drained ? 'Undrain' : 'Drain…')
			drain.ariaLabel = `${u.drained ? 'Undrain' : 'Drain'} ${u.name}`
			load.show(u.load, u.of, u.max ? `${u.load} of ${u.max}` : String(u.load))
			put(rate, f.count(u.rate))
			put(failing, f.count(u.failing))
		},
	}
}

const childHeads = ['Process', 'Address', 'Running for', 'Load', 'Requests/s', 'Memory']

export function children(section, now, past) {
	const of = state => (state.spawn ?? []).flatMap(p => p.children.map(c => ({ ...c, name: `${p.pool} #${c.instance} · pid ${c.pid}` })))
	section.hidden = !now.spawn?.length
	const before = new Map(of(past).map(c => [c.name, c]))
	const elapsed = f.seconds(past, now)
	const all = of(now).map(c => ({ ...c, rate: f.rate(before.get(c.name)?.requests ?? c.requests, c.requests, elapsed) }))
	keyed(section.querySelector('tbody'), all.sort(byName), c => c.name, () => {
		const [label, addr, age, load, rate, memory] = [name(), cell('addr'), cell('n'), cell('n'), cell('n'), cell('n')]
		return {
			node: line([label, addr, age, load, rate, memory], childHeads),
			fill(c) {
				put(label, c.name)
				put(addr, c.addr)
				put(age, f.age(c.seconds))
				put(load, String(c.load))
				put(rate, f.count(c.rate))
				put(memory, c.memory ? f.bytes(c.memory) : f.none)
			},
		}
	})
}

const routeHeads = ['Route', 'Requests/s', 'p50', 'p99', '5xx']

export function routes(section, now, past, most = 10) {
	const before = new Map(past.routes.map(r => [r.name, r]))
	const elapsed = f.seconds(past, now)
	const top = now.routes.map(r => {
		const was = before.get(r.name) ?? r
		const [came, failed] = [f.all(r.requests) - f.all(was.requests), r.requests['5xx'] - was.requests['5xx']]
		return { name: r.name, total: f.all(r.requests), rate: came / elapsed, failed: came > 0 ? failed / came : null, spread: f.less(r.durations, was.durations) }
	}).filter(r => r.total > 0).sort((a, b) => b.rate - a.rate || b.total - a.total).slice(0, most)
	keyed(section.querySelector('tbody'), top, r => r.name, () => {
		const [label, rate, p50, p99, failed] = [name(), cell('n'), cell('n'), cell('n'), cell('n')]
		return {
			node: line([label, rate, p50, p99, failed], routeHeads),
			fill(r) {
				put(label, r.name || '(no route)')
				put(rate, f.count(r.rate))
				put(p50, f.time(f.percentile(.5, r.spread, now.bounds)))
				put(p99, f.time(f.percentile(.99, r.spread, now.bounds)))
				put(failed, f.percent(r.failed))
			},
		}
	})
}

const kinds = {
	count: f.count,
	rate: f.count,
	bytes: f.bytes,
	seconds: f.time,
	percent: f.percent,
	flag: v => v ? 'up' : 'away',
}

// panels are boxes of {title, figures: [{name, value, kind}]}.
export function panels(into, now, past) {
	const elapsed = f.seconds(past, now)
	const since = (panel, g) => {
		const was = past.panels.find(o => o.title === panel.title)?.figures.find(o => o.name === g.name)
		return { ...g, value: g.kind === 'rate' ? f.rate(was?.value ?? g.value, g.value, elapsed) : g.value }
	}
	const all = now.panels.map(p => ({ ...p, figures: p.figures.map(g => since(p, g)) }))
	keyed(into, all, p => p.title, p => {
		const list = el('dl')
		return {
			node: el('section', { className: 'card', ariaLabel: p.title }, el('h2', { textContent: p.title }), list),
			fill(panel) {
				keyed(list, panel.figures, g => g.name, g => {
					const value = el('dd')
					return {
						node: el('div', {}, el('dt', { textContent: g.name + (g.kind === 'rate' ? '/s' : '') }), value),
						fill(g) { put(value, kinds[g.kind](g.value)) },
					}
				})
			},
		}
	})
}
