// A chat by WebSocket: as much of RFC 6455 as it takes. Messages of one frame
// and less than 64 KiB are relayed; others end the connection.
const { createHash } = require('node:crypto');

const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;
const GOING = Buffer.from([3, 233]), TOO_BIG = Buffer.from([3, 241]); // 1001, 1009
const BACKLOG = 1 << 20, PATIENCE = 1000; // bytes, and milliseconds at the end, for one who does not read

// chat relays what is said at path to all who are there, and returns what ends it.
exports.chat = (server, path) => {
  const people = new Set();
  const leave = (person, code) => {
    if (!people.delete(person)) return;
    person.end(frame(CLOSE, code));
    setTimeout(() => person.destroy(), PATIENCE).unref();
  };
  const say = (kind, text) => {
    for (const person of people) {
      if (person.writableLength > BACKLOG) person.destroy();
      else person.write(frame(kind, text));
    }
  };
  server.on('upgrade', (req, socket, head) => {
    socket.on('error', () => {});
    if (req.url.split('?')[0] !== path) return socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${accept(req.headers['sec-websocket-key'])}\r\n\r\n`);
    people.add(socket);
    socket.on('close', () => people.delete(socket));
    socket.on('end', () => socket.end());
    const hear = (kind, text) => {
      if (!people.has(socket)) return;
      if (kind === TEXT || kind === BINARY) say(kind, text);
      if (kind === PING) socket.write(frame(PONG, text));
      if (kind === CLOSE) leave(socket, text.subarray(0, 2));
    };
    let rest = Buffer.alloc(0);
    socket.on('data', (data) => { rest = read(Buffer.concat([rest, data]), hear, () => leave(socket, TOO_BIG)); });
    socket.unshift(head);
  });
  return () => { for (const person of people) leave(person, GOING); };
};

const accept = (key) => createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');

// read takes whole frames off the front of data, and returns what remains.
function read(data, hear, tooBig) {
  while (data.length >= 2) {
    let size = data[1] & 127, at = 6; // head and mask
    if (!(data[0] & 128) || size === 127) { tooBig(); return Buffer.alloc(0); }
    if (size === 126) { if (data.length < 4) break; size = data.readUInt16BE(2); at = 8; }
    if (data.length < at + size) break;
    const mask = data.subarray(at - 4, at);
    hear(data[0] & 15, data.subarray(at, at + size).map((b, i) => b ^ mask[i % 4]));
    data = data.subarray(at + size);
  }
  return data;
}

function frame(kind, text) {
  const size = text.length < 126 ? [text.length] : [126, text.length >> 8, text.length & 255];
  return Buffer.concat([Buffer.from([128 | kind, ...size]), text]);
}
