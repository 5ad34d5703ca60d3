// Parts of the page that are made once and then filled in, so that focus and
// selection stay where they are while figures change.

export function el(tag, props = {}, ...inside) {
	const { dataset, ...rest } = props
	const e = Object.assign(document.createElement(tag), rest)
	Object.assign(e.dataset, dataset)
	e.append(...inside)
	return e
}

// put changes a text only if it is another: whoever reads the page aloud begins
// again with each change.
export function put(node, text) {
	if (node.textContent !== text) node.textContent = text
}

// keyed has in parent one child for each item, in their order: make(item)
// returns {node, fill}, and fill(item) is called each time; whatever changes has to
// be in the item, for make is called once.
export function keyed(parent, items, key, make) {
	const had = parent.made ??= new Map()
	const keys = new Set(items.map(key))
	for (const [k, row] of had) {
		if (!keys.has(k)) {
			row.node.remove()
			had.delete(k)
		}
	}
	items.forEach((item, i) => {
		const k = key(item)
		if (!had.has(k)) had.set(k, make(item))
		const row = had.get(k)
		row.fill(item)
		if (parent.children[i] !== row.node) parent.insertBefore(row.node, parent.children[i] ?? null)
	})
}

// line is a table's row of cells; heads are the columns' names, which narrow
// screens show in each cell.
export function line(cells, heads) {
	cells.forEach((c, i) => { c.dataset.head = heads[i] })
	return el('tr', {}, ...cells)
}
