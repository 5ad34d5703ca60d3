// Says which instance answers, and counts a session's visits.
const http = require('http');

const server = http.createServer((req, res) => {
  const session = JSON.parse(req.headers['x-session-data'] || '{}');
  const visits = (session.visits || 0) + 1;
  res.setHeader('X-Session-Set', JSON.stringify({ visits }));
  res.end(`instance ${process.env.MULTISERVER_INSTANCE}, visit ${visits}\n`);
});
server.listen(process.env.PORT, '127.0.0.1');
process.on('SIGTERM', () => server.close());
