"""Says which instance answers, counts a session's visits, and has a chat: on
the standard library alone. It knows of no other instance."""
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import chat

PAGE = """<!doctype html><meta charset=utf-8><link rel=icon href=data:,><title>Python</title>
<p>%s
<form><input autofocus autocomplete=off placeholder="say something"></form><pre></pre>
<script>
  const line = document.querySelector('input'), all = document.querySelector('pre')
  const chat = new WebSocket(location.origin.replace('http', 'ws') + '/chat')
  chat.onmessage = (e) => { all.textContent += e.data + '\\n' }
  document.forms[0].onsubmit = () => { chat.send(line.value); line.value = ''; return false }
</script>
"""


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one write

    def do_GET(self):
        if self.path.split("?")[0] == "/chat" and "Sec-WebSocket-Key" in self.headers:
            return chat.join(self)
        visits = self.visited() + 1
        text = f"instance {os.environ['MULTISERVER_INSTANCE']}, visit {visits}\n"
        html = "text/html" in self.headers.get("Accept", "")
        body = (PAGE % text if html else text).encode()
        self.send_response(200)
        self.send_header("X-Session-Set", json.dumps({"visits": visits}))
        self.send_header("Vary", "Accept")
        self.send_header("Content-Type", "text/html" if html else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def visited(self):
        try:
            return int(json.loads(self.headers["X-Session-Data"])["visits"])
        except (TypeError, ValueError, KeyError):
            return 0  # no session yet

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), App).serve_forever()
