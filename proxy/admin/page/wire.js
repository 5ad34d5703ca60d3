// How the page talks to its server. The token is in a field, never in a URL: those
// are kept in histories and logs. EventSource can send no field, so events are
// read from an answer's body.

const kept = 'multiserver-admin-token'

export const keep = token => sessionStorage.setItem(kept, token)

export class Refused extends Error {
	constructor(status, message) {
		super(message)
		this.status = status
	}
}

// ask is fetch, with the token, and an error for whatever is no success.
export async function ask(path, options = {}) {
	const token = sessionStorage.getItem(kept)
	const headers = { ...options.headers }
	if (token) headers.Authorization = 'Bearer ' + token
	const res = await fetch(path, { cache: 'no-store', ...options, headers })
	if (res.ok) return res
	const text = await res.text()
	let say = text.trim()
	try { say = JSON.parse(text).error ?? say } catch { /* it is a plain line */ }
	if (res.status === 429) say += ` (in ${res.headers.get('Retry-After')} s)`
	throw new Refused(res.status, say)
}

export async function post(path, body = {}) {
	const res = await ask(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
	return res.json()
}

// events calls back with the data of each event, until the stream ends or fails.
export async function events(path, signal, each) {
	const res = await ask(path, { signal })
	const from = res.body.pipeThrough(new TextDecoderStream()).getReader()
	for (let text = ''; ;) {
		const { value, done } = await from.read()
		if (done) return
		text += value
		for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
			const data = text.slice(0, end).split('\n').filter(l => l.startsWith('data: '))
			if (data.length) each(JSON.parse(data.map(l => l.slice(6)).join('\n')))
		}
	}
}
