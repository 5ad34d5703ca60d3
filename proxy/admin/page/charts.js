// Lines over the last minutes, drawn by uPlot. What a chart shows stands beside
// it in words, too: for who cannot see it, and for the moment under the pointer.

import { age } from './figures.js'

export const span = 600 // seconds, which the server remembers

const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

// chart makes one in the figure whose caption has that id. lines are [{name, color,
// dash, fill, of}]; of stacked ones each is drawn over the sum of itself and
// those behind it in the list.
export function chart(id, title, lines, { write, stacked = false, most = null, atLeast = 0 }) {
	const caption = document.getElementById(id)
	const figure = caption.parentElement
	const heading = Object.assign(document.createElement('h2'), { textContent: title })
	const legend = Object.assign(document.createElement('ul'), { className: 'legend' })
	const said = lines.map(line => {
		const item = document.createElement('li')
		const key = Object.assign(document.createElement('i'), { className: line.dash ? 'dashed' : '' })
		key.style.color = `var(${line.color})`
		const value = document.createElement('b')
		item.append(key, line.name + ' ', value)
		legend.append(item)
		return value
	})
	caption.append(heading, legend)

	const plot = Object.assign(document.createElement('div'), { className: 'plot' })
	plot.setAttribute('role', 'img')
	figure.append(plot)

	let shown = [[], ...lines.map(() => [])]
	const tell = at => {
		const values = lines.map((_, i) => write(shown[i + 1][at] ?? null))
		said.forEach((b, i) => { if (b.textContent !== values[i]) b.textContent = values[i] })
		return values
	}
	const axis = { stroke: () => css('--quiet'), grid: { stroke: () => css('--line'), width: 1 }, ticks: { show: false }, font: '12px system-ui, sans-serif' }
	const u = new uPlot({
		width: Math.max(plot.clientWidth, 100), height: 170, legend: { show: false },
		padding: [8, 24, 0, 0],
		cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
		scales: { x: { time: true }, y: { range: (_, low, high) => [0, most ?? Math.max(high * 1.15, atLeast)] } },
		axes: [
			{ ...axis, size: 26, space: 76, values: (_, at) => at.map(t => new Date(t * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false })) },
			{ ...axis, size: 58, space: 34, values: (_, at) => at.map(v => write(v)) },
		],
		series: [{}, ...lines.map(line => ({
			stroke: () => css(line.color), width: stacked ? 1.5 : 2, dash: line.dash, spanGaps: false,
			points: { show: false }, fill: stacked ? () => css(line.color + '-area') : line.fill ? () => css(line.color) + '22' : undefined,
		}))],
		hooks: { setCursor: [u => tell(u.cursor.idx ?? shown[0].length - 1)] },
	}, shown, plot)

	new ResizeObserver(() => u.setSize({ width: plot.clientWidth, height: 170 })).observe(plot)
	matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => u.redraw())

	return points => {
		shown = [points.map(p => p.at), ...lines.map(line => points.map(line.of))]
		u.setData(stacked ? stack(shown) : shown, false)
		const now = points.at(-1).at
		u.setScale('x', { min: Math.max(now - span, Math.min(points[0].at, now - 30)), max: now })
		const values = tell(u.cursor.left >= 0 ? u.cursor.idx ?? points.length - 1 : points.length - 1)
		plot.setAttribute('aria-label', `${title}, the last ${age(now - points[0].at)}: ` + lines.map((l, i) => `${l.name} ${values[i]}`).join(', '))
	}
}

const stack = ([at, ...lines]) => [at, ...lines.map((_, i) => at.map((_, k) => lines.slice(i).reduce((sum, l) => sum + (l[k] ?? 0), 0)))]
