# The origin of scripts/tls-peers, on the port that is given: a page that tries what a browser has,
# and says what came of it by POST /result, which is printed and ends the process.
import base64, hashlib, http.server, struct, sys, threading

PAGE = b"""<!doctype html><title>...</title><script>
const results = {}
const turn = url => new Promise((done, fail) => {
	const ws = new WebSocket(url, 'echo'), bytes = crypto.getRandomValues(new Uint8Array(60000))
	ws.binaryType = 'arraybuffer'
	ws.onerror = () => fail(new Error('WebSocket failed'))
	ws.onopen = () => ws.send('a text: \\u00e4')
	ws.onmessage = ({data}) => {
		if (typeof data === 'string') return data === 'a text: \\u00e4' ? ws.send(bytes) : fail(new Error(data))
		const got = new Uint8Array(data)
		if (got.length !== bytes.length || got.some((b, i) => b !== bytes[i])) return fail(new Error('other bytes'))
		ws.close(1000, 'bye')
	}
	ws.onclose = e => done(e.code + ' ' + e.wasClean + ' ' + ws.protocol)
})
const run = async () => {
	results.page = performance.getEntriesByType('navigation')[0].nextHopProtocol
	const many = await Promise.all([...Array(50).keys()].map(i => fetch('/echo', {method: 'POST', body: 'x'.repeat(i * 2000)}).then(async r => i + ' ' + r.status + ' ' + (await r.text()).length)))
	results.fetched = many.filter((t, i) => t === i + ' 200 ' + i * 2000).length
	const other = many.filter((t, i) => t !== i + ' 200 ' + i * 2000)
	if (other.length) results.other = other
	results.fetch = performance.getEntriesByName(location.origin + '/echo')[0].nextHopProtocol
	results.wss = await turn(location.origin.replace('https', 'wss') + '/ws')
}
run().catch(e => results.error = String(e)).finally(() => fetch('/result', {method: 'POST', body: JSON.stringify(results)}))
</script><img src="/wait">"""

over = threading.Event()


class Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, body, kind="text/plain"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while n := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(n))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def do_GET(self):
        if self.path == "/ws":
            return self.echo()
        if self.path == "/wait":  # the page is not loaded before it is done
            over.wait(60)
        self.say(PAGE if self.path == "/" else b"", "text/html")

    def do_POST(self):
        body = self.body()
        self.say(body)
        if self.path == "/result":
            print(body.decode(), flush=True)
            over.set()

    def echo(self):
        accept = hashlib.sha1(self.headers["Sec-WebSocket-Key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        self.send_response(101)
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Protocol", "echo"),
                            ("Sec-WebSocket-Accept", base64.b64encode(accept).decode())):
            self.send_header(name, value)
        self.end_headers()
        while self.frame() != 8:
            pass
        self.close_connection = True

    def frame(self):
        first, n = self.rfile.read(2)
        n &= 127
        if n >= 126:
            n, = struct.unpack(">H" if n == 126 else ">Q", self.rfile.read(2 if n == 126 else 8))
        mask, data = self.rfile.read(4), self.rfile.read(n)
        data = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        head = bytes([first, n]) if n < 126 else bytes([first, 126]) + struct.pack(">H", n) if n < 65536 else bytes([first, 127]) + struct.pack(">Q", n)
        self.wfile.write(head + data)
        return first & 15


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # as all 50 connect at once
    daemon_threads = True


server = Server(("127.0.0.1", int(sys.argv[1])), Origin)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.exit(0 if over.wait(40) else "no word of the browser's")
