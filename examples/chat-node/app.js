// A chat for one process, as tutorials have it. It knows nothing of other
// processes, nor of what stands in front of it.
const http = require('node:http')
const { WebSocketServer, WebSocket } = require('ws')

const page = `<!doctype html><title>chat</title>
<form><input autofocus autocomplete=off></form><pre></pre>
<script>
  const line = document.querySelector('input'), all = document.querySelector('pre')
  const chat = new WebSocket(location.href.replace(/^http/, 'ws') + 'chat')
  chat.onmessage = (e) => { all.textContent += e.data + '\\n' }
  document.forms[0].onsubmit = () => { chat.send(line.value); line.value = ''; return false }
</script>`

const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html')
  response.end(page)
})
const chat = new WebSocketServer({ server, path: '/chat' })
chat.on('connection', (person) => {
  person.on('error', () => {})
  person.on('message', (data, binary) => {
    for (const other of chat.clients) {
      if (other.readyState === WebSocket.OPEN) other.send(data, { binary })
    }
  })
})
process.on('SIGTERM', () => process.exit(0))
server.listen(process.env.PORT, '127.0.0.1')
