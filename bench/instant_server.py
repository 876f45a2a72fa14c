"""An endpoint that costs a client's measurement nothing: one fixed answer of 1.1 kB, on `asyncio.Protocol` alone.

`python -m bench.instant_server --delay 0.5 --spread 10` answers after delays of the given mean, spread evenly so that
the longest is ten times the shortest. `GET /stats` tells what it saw; it ends when its standard input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from dataclasses import dataclass, field

import orjson

MODEL = "fake-teacher"
TEXT = "Water runs to the lowest place that it can reach, and a river is the long way it takes. " * 9
ANSWER = orjson.dumps({
    "id": "chatcmpl-instant", "object": "chat.completion", "created": 0, "model": MODEL,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop", "logprobs": None}],
    "usage": {"prompt_tokens": 60, "completion_tokens": 150, "total_tokens": 210},
})  # fmt: skip
MODELS = orjson.dumps(
    {"object": "list", "data": [{"id": MODEL, "object": "model", "root": MODEL, "max_model_len": 8192}]}
)


def response(payload: bytes) -> bytes:
    """A whole HTTP answer with this JSON."""
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
        len(payload),
        payload,
    )


@dataclass
class Seen:
    """Completions in flight over time. `area` is in requests x seconds, up to the last arrival and up to the last answer."""

    delay_s: float
    spread: float
    requests: int = 0
    in_flight: int = 0
    most: int = 0
    first: float = 0.0
    at: float = 0.0
    area: float = 0.0
    arrived: tuple[float, float] = (0.0, 0.0)  # time of the last arrival, and the area then
    answer: bytes = field(default_factory=lambda: response(ANSWER))

    def move(self, change: int) -> None:
        """One more, or one less."""
        now = time.perf_counter()
        self.first = self.first or now
        self.area += self.in_flight * (now - (self.at or now))
        self.at = now
        self.in_flight += change
        self.most = max(self.most, self.in_flight)
        if change > 0:
            self.requests += 1
            self.arrived = now, self.area

    def delay(self) -> float:
        """Seconds that the next answer takes: even steps in a scattered order, the same in every run."""
        low = 2 * self.delay_s / (1 + self.spread)
        return low + (self.spread - 1) * low * (self.requests * 37 % 100) / 99

    def told(self) -> bytes:
        """The figures as JSON."""
        last, area = self.arrived
        return orjson.dumps({
            "requests": self.requests, "most": self.most, "seconds": self.at - self.first,
            "mean_with_work_left": area / max(1e-9, last - self.first), "mean": self.area / max(1e-9, self.at - self.first),
        })  # fmt: skip


class Protocol(asyncio.Protocol):
    """One connection."""

    def __init__(self, seen: Seen) -> None:
        self._seen, self._data, self._transport = seen, b"", None  # type: Seen, bytes, asyncio.Transport | None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember whom to answer."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Answer each request that is there as a whole."""
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower()
            place = head.find(b"content-length:")
            length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if len(self._data) < end + 4 + length:
                return
            self._data = self._data[end + 4 + length :]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        if head.startswith(b"post"):
            self._seen.move(+1)
            if self._seen.delay_s:
                asyncio.get_running_loop().call_later(self._seen.delay(), self._complete)
            else:
                self._complete()
        else:
            self._write(response(self._seen.told() if b"/stats" in head else MODELS))

    def _complete(self) -> None:
        self._seen.move(-1)
        self._write(self._seen.answer)

    def _write(self, data: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(data)


async def main() -> None:
    """Print the port, serve until standard input ends."""
    options = argparse.ArgumentParser()
    options.add_argument("--delay", type=float, default=0.0)
    options.add_argument("--spread", type=float, default=1.0)
    options.add_argument("--core", type=int, default=None)
    chosen = options.parse_args()
    if chosen.core is not None:
        os.sched_setaffinity(0, {chosen.core})
    seen = Seen(chosen.delay, chosen.spread)
    server = await asyncio.get_running_loop().create_server(lambda: Protocol(seen), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
