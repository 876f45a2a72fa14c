"""How much the instant endpoint can take: `python -m bench.peers.load`. Bytes sent and counted on open connections.

A client that is to be measured must need more than this does, or the endpoint would be what is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from urllib.parse import urlsplit

from bench.peers.instant import CLIENT_CPU, PROMPT, page, stub

CONNECTIONS, SECONDS = 64, 5.0


async def hammer(url: str) -> int:
    """Answers in `SECONDS`: each connection sends the next request when an answer is whole."""
    parts = urlsplit(url)
    body = json.dumps({"model": "instant", "messages": [{"role": "user", "content": PROMPT.format(n=1)}]}).encode()
    head = f"POST {parts.path}/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    end, done = time.monotonic() + SECONDS, 0

    async def one() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        while time.monotonic() < end:
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(answer.rpartition(b"content-length: ")[2].split(b"\r\n")[0]))
            done += 1
        writer.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return done


def main() -> None:
    """Hammer it from core 0."""
    with stub(0.0, spread=False) as url:
        os.sched_setaffinity(0, {int(CLIENT_CPU)})
        done = asyncio.run(hammer(url))
        used = page(url, "stats")["cpu"]
    print(f"{done / SECONDS:,.0f} answers a second on {CONNECTIONS} connections; "
          f"{used / done * 1000:.3f} CPU s of the endpoint per 1,000, so at most {done / used:,.0f} a second")  # fmt: skip


if __name__ == "__main__":
    main()
