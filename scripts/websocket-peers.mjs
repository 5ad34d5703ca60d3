// One end of scripts/websocket-peers, by Node's ws: "server PORT", or "client PORT PID", which talks
// through the proxy on PORT and at last has PID, the proxy, drain.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import assert from 'node:assert/strict'
import { WebSocket, WebSocketServer } from 'ws'

const [mode, port, pid] = process.argv.slice(2)
const deflate = { threshold: 0 } // context takeover is what it does unless told otherwise
mode === 'server' ? serve() : await talk()

function serve() {
	const wss = new WebSocketServer({ noServer: true, perMessageDeflate: deflate, maxPayload: 1 << 26, handleProtocols: () => 'chat.v2' })
	const http = createServer((_, res) => res.end('no WebSocket'))
	http.on('upgrade', (req, socket, head) => {
		if (req.url === '/refused') {
			socket.end('HTTP/1.1 401 Unauthorized\r\nX-Reason: because\r\nContent-Length: 2\r\n\r\nno')
			return
		}
		wss.handleUpgrade(req, socket, head, ws => {
			ws.on('message', (data, binary) => ws.send(data, { binary }))
			ws.on('close', code => code === 1001 && console.log('   the server was told 1001'))
		})
	})
	http.listen(Number(port), '127.0.0.1')
}

async function open(path = '/chat?room=1') {
	const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, ['chat.v1', 'chat.v2'], { perMessageDeflate: deflate })
	await once(ws, 'open')
	return ws
}

async function echo(ws, data) {
	const back = once(ws, 'message')
	ws.send(data)
	const [got, binary] = await back
	assert.equal(binary, typeof data !== 'string')
	assert.ok(Buffer.from(data).equals(got), `${data.length} bytes came back otherwise`)
}

async function talk() {
	const ws = await open()
	assert.equal(ws.protocol, 'chat.v2')
	assert.match(ws.extensions, /permessage-deflate/)
	assert.doesNotMatch(ws.extensions, /no_context_takeover/)
	for (const n of [0, 1, 125, 126, 65535, 65536, 1 << 20, 5 << 20]) {
		await echo(ws, 'a'.repeat(n))
		await echo(ws, randomBytes(n))
	}
	for (let i = 0; i < 200; i++) await echo(ws, `the context of message ${i} is the one before it`)
	console.log('ok text, binary, compressed with context takeover')

	const whole = once(ws, 'message')
	ws.send('frag', { fin: false })
	ws.ping('between')
	const [pong] = await once(ws, 'pong')
	assert.equal(pong.toString(), 'between')
	ws.send('ments', { fin: true })
	assert.equal((await whole)[0].toString(), 'fragments')
	console.log('ok fragments, with a ping between')

	ws.close(4321, 'enough')
	const [code, reason] = await once(ws, 'close')
	assert.deepEqual([code, reason.toString()], [4321, 'enough'])
	console.log('ok close code and reason')

	const refused = new WebSocket(`ws://127.0.0.1:${port}/refused`)
	refused.on('error', () => {})
	const [, res] = await once(refused, 'unexpected-response')
	assert.deepEqual([res.statusCode, res.headers['x-reason']], [401, 'because'])
	res.destroy()
	console.log('ok a refused handshake is the server\'s')

	const last = await open()
	const begun = Date.now()
	process.kill(Number(pid), 'SIGTERM')
	const ended = once(last, 'close')
	for (let i = 0; i < 10; i++) {
		await echo(last, 'still here')
		await new Promise(done => setTimeout(done, 200))
	}
	const [end] = await ended
	assert.equal(end, 1001)
	assert.ok(Date.now() - begun < 4000)
	console.log('ok a drain: messages pass, then 1001')
}
