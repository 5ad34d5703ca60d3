"""A chat by WebSocket: as much of RFC 6455 as it takes. Messages of one frame
and less than 64 KiB are relayed; others end the connection."""
import base64
import contextlib
import hashlib
import socket
import struct
import threading

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
TOO_BIG = struct.pack("!H", 1009)
PATIENCE = struct.pack("ll", 1, 0)  # a second, for one who does not read

people = set()
lock = threading.Lock()  # of people, and of writing to them


def join(request):
    """Relays what a client says to all who are there, until it leaves."""
    key = request.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    request.close_connection = True
    request.send_response(101)
    request.send_header("Upgrade", "websocket")
    request.send_header("Connection", "Upgrade")
    request.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
    request.end_headers()
    request.wfile.flush()
    person = request.connection
    person.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, PATIENCE)
    with lock:
        people.add(person)
    try:
        listen(person, request.rfile)
    except (EOFError, OSError):
        pass
    finally:
        with lock:
            people.discard(person)


def listen(person, stream):
    while True:
        kind, text = read(stream)
        if kind in (TEXT, BINARY):
            say(people, kind, text)
        elif kind == PING:
            say([person], PONG, text)
        elif kind == CLOSE:
            return say([person], CLOSE, text[:2])


def say(to, kind, text):
    size = bytes([len(text)]) if len(text) < 126 else struct.pack("!BH", 126, len(text))
    with lock:
        for person in to:
            try:
                person.sendall(bytes([128 | kind]) + size + text)
            except OSError:
                with contextlib.suppress(OSError):
                    person.shutdown(socket.SHUT_RDWR)  # which ends its thread


def read(stream):
    """The next frame: its kind and what is in it."""
    first, size = take(stream, 2)
    size &= 127
    if not first & 128 or size == 127:
        return CLOSE, TOO_BIG
    if size == 126:
        size, = struct.unpack("!H", take(stream, 2))
    mask = take(stream, 4)
    return first & 15, bytes(b ^ mask[i % 4] for i, b in enumerate(take(stream, size)))


def take(stream, size):
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
