// The application of the tests, by header fields alone: no store, no library.
const http = require('http');

// Header fields take ASCII in every server.
const ascii = (value) => JSON.stringify(value).replace(/[\u007f-\uffff]/g,
  (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));

const server = http.createServer((req, res) => {
  let data = JSON.parse(req.headers['x-session-data'] || '{}');
  const version = req.headers['x-session-version'] || '0';
  let changes = {};
  for (const step of decodeURIComponent(req.url).split('/')) {
    const [key, value] = step.split('=');
    switch (key) {
      case '': break;
      case 'rotate': res.setHeader('X-Session-Rotate', '1'); break;
      case 'destroy': res.setHeader('X-Session-Destroy', '1'); data = {}; changes = {}; break;
      case 'unchanged': res.setHeader('X-Session-If-Version', version); break;
      case 'age': res.setHeader('X-Session-Max-Age', '3600'); break;
      case 'delete': delete data[value]; changes[value] = null; break;
      default: data[key] = changes[key] = key === 'count' ? (data.count || 0) + 1 : value;
    }
  }
  if (Object.keys(changes).length) res.setHeader('X-Session-Set', ascii(changes));
  res.end(`user "${data.user || ''}" count ${data.count || 0} version ${version} err <nil>`);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
