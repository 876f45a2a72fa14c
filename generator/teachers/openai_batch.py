"""A provider's batch API: many requests handed in as one file, answered within hours, usually for half the price.

A batch carries a mark of ours in its metadata, so that one whose id was never written down is found again and not paid
for twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2
import openai
import orjson

from corpus.errors import HornbookError, SetupError
from generator.reply import Failure, Outcome, TeacherError
from generator.request import Request
from generator.teachers.direct import CONNECT_S, LOOPBACK
from generator.teachers.http_status import by_status
from generator.teachers.openai_body import chat_body, parse_body, reply_from
from generator.teachers.openai_errors import typed

PATH: Literal["/v1/chat/completions"] = "/v1/chat/completions"
MARK = "hornbook"  # the key of our mark in a batch's metadata
TRIES = 5  # of one call, by the client, with pauses; the creation of a batch is never repeated blindly
TIMEOUT_S = 600.0  # of one call: a file of 200 MB takes its time
ENDED = ("completed", "failed", "expired", "cancelled")


@dataclass(frozen=True, slots=True)
class BatchState:
    """How a batch stands: the provider's word, how many of its requests are done, and the files with what came back."""

    id: str
    status: str
    done: int
    total: int
    files: tuple[str, ...] = ()
    fault: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ENDED


class BatchEndpoint:
    """Hands batches in and fetches what came back. Made and used in one event loop."""

    def __init__(self, url: str, api_key: str, served_model: str) -> None:
        self.url, self._model, self._secret = url, served_model, "" if api_key == "none" else api_key
        transport = openai.DefaultAioHttpClient(
            follow_redirects=False, trust_env=urlsplit(url).hostname not in LOOPBACK
        )
        self._client = openai.AsyncOpenAI(
            base_url=url, api_key=api_key, max_retries=TRIES, http_client=transport,
            timeout=openai.Timeout(TIMEOUT_S, connect=CONNECT_S),
        )  # fmt: skip

    async def find(self, mark: str) -> str | None:
        """The id of the batch that carries `mark`, None when there is none."""
        try:
            async for batch in self._client.batches.list(limit=100):
                if (batch.metadata or {}).get(MARK) == mark and batch.status not in ("failed", "cancelled"):
                    return batch.id
        except (openai.APIError, httpx2.HTTPError) as error:
            raise self._fault(error) from error
        return None

    async def submit(self, requests: Sequence[Request], mark: str, window: Literal["24h"] = "24h") -> str:
        """Hand in, and the new batch's id."""
        lines = b"".join(orjson.dumps(self._line(request)) + b"\n" for request in requests)
        try:
            file = await self._client.files.create(file=(f"{mark}.jsonl", lines), purpose="batch")
        except (openai.APIError, httpx2.HTTPError) as error:
            raise self._fault(error) from error
        once = self._client.with_options(max_retries=0)
        try:
            batch = await once.batches.create(
                input_file_id=file.id, endpoint=PATH, completion_window=window, metadata={MARK: mark}
            )
        except (openai.APIError, httpx2.HTTPError) as error:
            if found := await self.find(mark):  # it was made, and only the answer was lost
                return found
            raise self._fault(error) from error
        return batch.id

    async def state(self, batch_id: str) -> BatchState:
        """How it stands now."""
        try:
            batch = await self._client.batches.retrieve(batch_id)
        except (openai.APIError, httpx2.HTTPError) as error:
            raise self._fault(error) from error
        counts = batch.request_counts
        files = tuple(name for name in (batch.output_file_id, batch.error_file_id) if name)
        faults = [str(item.message) for item in (batch.errors.data if batch.errors else None) or ()]
        done, total = (counts.completed + counts.failed, counts.total) if counts else (0, 0)
        return BatchState(batch.id, batch.status, done, total, files, "; ".join(faults[:3]))

    async def outcomes(self, state: BatchState, keys: Sequence[str]) -> list[Outcome]:
        """One outcome for each of `keys`, in order: what the batch ended without is a failure of the machinery."""
        found: dict[str, Outcome] = {}
        for name in state.files:
            found.update((item.request_key, item) for item in self._read(await self._content(name)))
        detail = f"the batch {state.id} is {state.status}{': ' + state.fault if state.fault else ''}"
        return [found.get(key) or Failure(key, "timeout", detail[:500], True, 1) for key in keys]

    async def close(self) -> None:
        """Give connections back."""
        await self._client.close()

    async def _content(self, file_id: str) -> bytes:
        try:
            return (await self._client.files.content(file_id)).content
        except (openai.APIError, httpx2.HTTPError) as error:
            raise self._fault(error) from error

    def _line(self, request: Request) -> dict[str, Any]:
        body = chat_body(request, self._model)
        return {"custom_id": request.key, "method": "POST", "url": PATH, "body": body}

    def _read(self, content: bytes) -> Iterator[Outcome]:
        """The outcomes of a file of results; a line that names no request of ours says nothing."""
        for line in content.split(b"\n"):
            if line.strip():
                told = parse_body(line)
                if isinstance(told, dict) and isinstance(told.get("custom_id"), str):
                    yield self._outcome(told["custom_id"], told)

    def _outcome(self, key: str, told: Mapping[str, Any]) -> Outcome:
        response = told.get("response")
        try:
            if not isinstance(response, dict):
                error = told.get("error")
                detail = str(error.get("message", "")) if isinstance(error, dict) else "no response"
                raise TeacherError("server_error", detail, retryable=True)
            status, body = int(response.get("status_code") or 0), response.get("body")
            if status >= 300:
                raise by_status(status, body, None, self._secret)
            return reply_from(body, request_key=key, seconds=0.0, endpoint=self.url)
        except TeacherError as error:
            return Failure(key, error.reason, error.detail, error.retryable, 1)

    def _fault(self, error: Exception) -> HornbookError:
        """A provider that cannot be reached ends the run; what was handed in waits for the next one."""
        told = typed(error, self._secret)
        return told if isinstance(told, SetupError) else SetupError(f"{self.url}: {told}", hint="run it again later")
