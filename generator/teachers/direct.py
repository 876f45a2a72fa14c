"""One POST with JSON in and JSON out over kept-alive connections, on aiohttp itself: the path of replies that come whole.

The `openai` client spends about ten times the processor time of the plain call on what such a reply does not use
(measured at 64 in flight against an instant endpoint: `python -m bench.client_cost`).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from generator.reply import TeacherError
from generator.teachers.http_status import by_status
from generator.teachers.openai_body import parse_body

BODY_BYTES = 8 << 20  # a longer body is not read to its end: text is data, and data has a size
CONNECT_S = 10.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Direct:
    """Posts to one base URL. The session begins with the first post, inside the loop that posts."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url, self._key = url.rstrip("/"), api_key
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: Any, more_bytes: int = 0) -> Any:
        """The answer's JSON, which may be `more_bytes` longer than usual. Raises `TeacherError`, or `SetupError` for
        what would refuse everybody."""
        return await self._answer("POST", path, orjson.dumps(body), more_bytes)

    async def get(self, path: str) -> Any:
        """The same for a page that is only read."""
        return await self._answer("GET", path, None)

    async def _answer(self, method: str, path: str, body: bytes | None, more_bytes: int = 0) -> Any:
        """A redirect is an error: it would take the key and the prompts to another host."""
        session = self._session or self._open()
        try:
            async with session.request(method, self._url + path, data=body, allow_redirects=False) as response:
                data = await _read(response, BODY_BYTES + more_bytes)
        except TimeoutError as error:  # of the connection alone: the caller's own limit cancels instead
            raise TeacherError("connection", f"no connection in {CONNECT_S:.0f} s", retryable=True) from error
        except (aiohttp.ClientError, OSError) as error:
            raise TeacherError("connection", type(error).__name__, retryable=True) from error
        if response.status >= 300:
            raise by_status(response.status, _told(data), response.headers.get("retry-after"), self._secret())
        return parse_body(data)

    async def close(self) -> None:
        """Give connections back."""
        if self._session:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),  # who asks bounds what is in flight
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            headers={"authorization": f"Bearer {self._key}", "content-type": "application/json"},
            trust_env=urlsplit(self._url).hostname not in LOOPBACK,  # no proxy lies between us and this machine
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self._session

    def _secret(self) -> str:
        return "" if self._key == "none" else self._key


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body, up to `limit` bytes; nearly always one part, which is not copied."""
    parts, size = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > limit:
            raise TeacherError("malformed", f"the body is longer than {limit:,} bytes", retryable=False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _told(data: bytes) -> Any:
    """What an error's body says; None when it is no JSON."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
