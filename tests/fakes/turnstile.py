"""A turnstile before any teacher: passes HTTP on, byte for byte, and counts the completions that reached the server.

A request is known by its seed, which is a pure function of slot and attempt, so the count is per attempt of a slot. A
request counts once its server took it, whatever became of the answer; one that found nobody listening does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from urllib.parse import urlsplit

import orjson


class Turnstile:
    """`with Turnstile(teacher.url) as gate: … gate.url, gate.asked`. Lives in a thread of its own."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target, self._path = (parts.hostname, parts.port), parts.path
        self.asked: Counter[int] = Counter()  # seed -> times that a server took it
        self.answered: Counter[str] = Counter()  # HTTP status -> completions that got one
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def total(self) -> int:
        """Completions that reached the server, repeats included."""
        return sum(self.asked.values())

    @property
    def url(self) -> str:
        """Base URL for an OpenAI client."""
        return f"http://127.0.0.1:{self.port}{self._path}"

    def __enter__(self) -> Turnstile:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:  # ends what connections are still open
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=256)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client is one of the server's; when either side goes, so does the other."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            upstream, to_upstream = await asyncio.open_connection(*self._target)
            back = asyncio.create_task(self._answers(upstream, writer))
            try:
                asking = asyncio.create_task(self._requests(reader, to_upstream))
                await asyncio.wait({back, asking}, return_when=asyncio.FIRST_COMPLETED)
                for task in (back, asking):
                    task.cancel()
                await asyncio.gather(back, asking, return_exceptions=True)
            finally:
                to_upstream.close()
        writer.close()

    async def _requests(self, reader: asyncio.StreamReader, to_upstream: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
            to_upstream.write(head + body)
            await to_upstream.drain()
            if b"/chat/completions" in head.split(b"\r\n", 1)[0]:
                self.asked[orjson.loads(body)["seed"]] += 1

    async def _answers(self, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await upstream.read(1 << 16):
            if data.startswith(b"HTTP/1.1 "):
                self.answered[data[9:12].decode()] += 1
            writer.write(data)
            await writer.drain()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
