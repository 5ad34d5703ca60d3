"""Says which instance answers, and counts a session's visits."""
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        session = json.loads(self.headers.get("X-Session-Data", "{}"))
        visits = session.get("visits", 0) + 1
        body = f"instance {os.environ['MULTISERVER_INSTANCE']}, visit {visits}\n".encode()
        self.send_response(200)
        self.send_header("X-Session-Set", json.dumps({"visits": visits}))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), App).serve_forever()
