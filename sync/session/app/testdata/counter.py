"""The application of the tests, by header fields alone: no store, no library."""
import json
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Counter(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        data = json.loads(self.headers.get("X-Session-Data", "{}"))
        version = self.headers.get("X-Session-Version", "0")
        changes, fields = {}, {}
        for step in urllib.parse.unquote(self.path).strip("/").split("/"):
            key, _, value = step.partition("=")
            if key == "":
                continue
            elif key == "rotate":
                fields["X-Session-Rotate"] = "1"
            elif key == "destroy":
                fields["X-Session-Destroy"] = "1"
                data, changes = {}, {}
            elif key == "unchanged":
                fields["X-Session-If-Version"] = version
            elif key == "age":
                fields["X-Session-Max-Age"] = "3600"
            elif key == "delete":
                data.pop(value, None)
                changes[value] = None
            else:
                data[key] = changes[key] = data.get("count", 0) + 1 if key == "count" else value
        if changes:
            fields["X-Session-Set"] = json.dumps(changes)
        body = 'user "%s" count %d version %s err <nil>' % (data.get("user", ""), data.get("count", 0), version)
        self.send_response(200)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
print(server.server_address[1], flush=True)
server.serve_forever()
