# One end of scripts/websocket-peers, by Python's websockets: "server PORT", or "client PORT PID",
# which talks through the proxy on PORT and at last has PID, the proxy, drain.
import asyncio, os, signal, sys, time
from http import HTTPStatus

import websockets
from websockets.extensions.permessage_deflate import PerMessageDeflate

mode, port = sys.argv[1], int(sys.argv[2])
url = f"ws://127.0.0.1:{port}"


async def answer(ws):
    try:
        async for m in ws:
            await ws.send(m)
    except websockets.ConnectionClosed:
        pass
    if ws.close_code == 1001:
        print("   the server was told 1001", flush=True)


async def refuse(path, headers):
    if path == "/refused":
        return HTTPStatus.UNAUTHORIZED, {"X-Reason": "because"}, b"no"


async def serve():
    async with websockets.serve(answer, "127.0.0.1", port, max_size=1 << 26, subprotocols=["chat.v2"],
                                process_request=refuse, ping_interval=None):
        await asyncio.Future()


def open(path="/chat?room=1"):
    return websockets.connect(url + path, subprotocols=["chat.v1", "chat.v2"], max_size=1 << 26, ping_interval=None)


async def echo(ws, data):
    _, got = await asyncio.gather(ws.send(data), ws.recv())
    assert got == data, f"{len(data)} came back otherwise"


async def talk():
    async with open() as ws:
        assert ws.subprotocol == "chat.v2"
        [deflate] = ws.extensions
        assert isinstance(deflate, PerMessageDeflate)
        assert not deflate.remote_no_context_takeover and not deflate.local_no_context_takeover
        for n in [0, 1, 125, 126, 65535, 65536, 1 << 20, 5 << 20]:
            await echo(ws, "a" * n)
            await echo(ws, os.urandom(n))
        for i in range(200):
            await echo(ws, f"the context of message {i} is the one before it")
        print("ok text, binary, compressed with context takeover")

        await ws.send(["frag", "men", "ts"])
        assert await ws.recv() == "fragments"
        await asyncio.wait_for(await ws.ping(b"between"), 5)
        print("ok fragments, and a ping")

        await ws.close(4321, "enough")
        assert (ws.close_code, ws.close_reason) == (4321, "enough"), (ws.close_code, ws.close_reason)
        print("ok close code and reason")

    try:
        async with open("/refused"):
            assert False, "it is open"
    except websockets.InvalidStatusCode as e:
        assert e.status_code == 401 and e.headers["X-Reason"] == "because"
    print("ok a refused handshake is the server's")

    async with open() as ws:
        begun = time.monotonic()
        os.kill(int(sys.argv[3]), signal.SIGTERM)
        for _ in range(10):
            await echo(ws, "still here")
            await asyncio.sleep(0.2)
        await asyncio.wait_for(ws.wait_closed(), 5)
        assert ws.close_code == 1001, ws.close_code
        assert time.monotonic() - begun < 4
    print("ok a drain: messages pass, then 1001")


asyncio.run(serve() if mode == "server" else talk())
