// Says which instance answers, counts a session's visits, and has a chat: on
// Node alone. It knows of no other instance.
const http = require('node:http');
const { chat } = require('./chat');

const page = (text) => `<!doctype html><meta charset=utf-8><link rel=icon href=data:,><title>Node</title>
<p>${text}
<form><input autofocus autocomplete=off placeholder="say something"></form><pre></pre>
<script>
  const line = document.querySelector('input'), all = document.querySelector('pre')
  const chat = new WebSocket(location.origin.replace('http', 'ws') + '/chat')
  chat.onmessage = (e) => { all.textContent += e.data + '\\n' }
  document.forms[0].onsubmit = () => { chat.send(line.value); line.value = ''; return false }
</script>
`;

function visited(req) {
  try {
    return JSON.parse(req.headers['x-session-data']).visits | 0;
  } catch {
    return 0; // no session yet
  }
}

const server = http.createServer((req, res) => {
  const visits = visited(req) + 1;
  const text = `instance ${process.env.MULTISERVER_INSTANCE}, visit ${visits}\n`;
  const html = /text\/html/.test(req.headers.accept);
  res.setHeader('X-Session-Set', JSON.stringify({ visits }));
  res.setHeader('Vary', 'Accept');
  res.setHeader('Content-Type', html ? 'text/html' : 'text/plain');
  res.end(html ? page(text) : text);
});
const close = chat(server, '/chat');
process.on('SIGTERM', () => { server.close(); close(); });
server.listen(process.env.PORT, '127.0.0.1');
