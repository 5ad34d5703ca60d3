"""A chat for one process, as tutorials have it. It knows nothing of other
processes, nor of what stands in front of it."""

import asyncio
import os

import websockets

people = set()


async def chat(person, path=None):
    people.add(person)
    try:
        async for message in person:
            websockets.broadcast(people, message)
    except websockets.ConnectionClosedError:
        pass
    finally:
        people.remove(person)


async def main():
    async with websockets.serve(chat, "127.0.0.1", int(os.environ["PORT"])):
        await asyncio.Future()


asyncio.run(main())
