"""An endpoint that answers at once, or after a set time: `python bench/peers/stub.py [--delay S] [--spread]`.

It runs in the environment `bare` (uvloop, httptools) and imports nothing of Hornbook, so that it costs as little as
Python can: one `asyncio.Protocol`, one reply made beforehand. It prints its port and ends when its standard input
closes. `GET /control/stats` says what it saw since `GET /control/reset`; times are of the machine's monotonic clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from typing import Any

import httptools
import uvloop

MODEL = "instant"
WORDS = "the river carries fine sand from the hills to the sea and lays it down where the water slows "
GOLDEN = 0.6180339887498949  # multiples of it modulo 1 fill the unit interval evenly, in any number
EMPTY = re.compile(rb'"messages": ?\[\]')  # Curator's question after rate limits, seconds before the first row
SPREAD = 10.0  # the longest delay over the shortest


def reply() -> bytes:
    """A chat completion of about 1.1 KB, as bytes of HTTP without the connection's header."""
    message = {"role": "assistant", "content": (WORDS * 10)[:800].strip() + "."}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 70, "completion_tokens": 210, "total_tokens": 280}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": MODEL,
        "choices": [choice],
        "usage": usage,
    }
    return payload_of(body)


def payload_of(body: Any) -> bytes:
    """An HTTP response that holds `body` as JSON."""
    data = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(data) + data


REPLY = reply()
MODELS = payload_of({"object": "list", "data": [{"id": MODEL, "object": "model", "created": 1, "owned_by": "stub"}]})


class Seen:
    """What reached the endpoint, and the area under the number in flight."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.requests = self.answered = self.in_flight = self.most = self.connections = 0
        self.first = self.last_request = self.last_answer = self.changed = 0.0
        self.area = self.area_until_last_request = 0.0
        self.cpu = time.process_time()

    def move(self, change: int) -> float:
        """One request more or less in flight; the time."""
        now = time.monotonic()
        self.area += self.in_flight * (now - self.changed) if self.changed else 0.0
        self.changed, self.in_flight = now, self.in_flight + change
        self.most = max(self.most, self.in_flight)
        return now

    def came(self) -> None:
        """A request is here."""
        self.requests += 1
        self.last_request = self.move(+1)
        self.first = self.first or self.last_request
        self.area_until_last_request = self.area

    def left(self) -> None:
        """Its answer has been written."""
        self.answered += 1
        self.last_answer = self.move(-1)

    def told(self) -> dict[str, float]:
        """All of it, for the one who measures."""
        return {**vars(self), "cpu": time.process_time() - self.cpu}


class Connection(asyncio.Protocol):
    """One client's connection."""

    seen = Seen()
    delay_s = 0.0
    spread = False

    def connection_made(self, transport: Any) -> None:
        """Count it."""
        self._transport, self._path, self._body = transport, b"", b""
        self._parser = httptools.HttpRequestParser(self)
        self.seen.connections += 1

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        """The path of a request."""
        self._path, self._body = url, b""

    def on_body(self, data: bytes) -> None:
        """What it says; only its beginning matters."""
        self._body = self._body or data

    def on_message_complete(self) -> None:
        """A request is whole: answer it, now or later."""
        if not self._path.endswith(b"/chat/completions"):
            self._transport.write(self._other())
            return
        if EMPTY.search(self._body):
            self._transport.write(REPLY)
            return
        self.seen.came()
        keep = self._parser.should_keep_alive()
        if self.delay_s:
            asyncio.get_running_loop().call_later(self._delay(), self._answer, keep)
        else:
            self._answer(keep)

    def _delay(self) -> float:
        if not self.spread:
            return self.delay_s
        # Evenly spaced on a logarithmic scale; the mean of low..10*low is 9 * low / ln 10 = 3.909 * low.
        place = self.seen.requests * GOLDEN % 1
        return self.delay_s / 3.9087 * SPREAD**place

    def _answer(self, keep: bool) -> None:
        if not self._transport.is_closing():
            self._transport.write(REPLY)
        self.seen.left()
        if not keep:
            self._transport.close()

    def _other(self) -> bytes:
        if self._path == b"/control/reset":
            self.seen.reset()
        return MODELS if self._path.endswith(b"/models") else payload_of(self.seen.told())


async def main() -> None:
    """Serve until standard input ends."""
    options = argparse.ArgumentParser()
    options.add_argument("--delay", type=float, default=0.0)
    options.add_argument("--spread", action="store_true")
    chosen = options.parse_args()
    Connection.delay_s, Connection.spread = chosen.delay, chosen.spread
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(main())
