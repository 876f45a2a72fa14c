"""A deterministic OpenAI-compatible server with a fault injector: `python -m tests.fakes.teacher_server`.

It speaks just enough HTTP/1.1 over asyncio to cost a client's measurement nothing (one process, keep-alive), and it can
do to a client what no real server can be asked to do. `GET /control/counts` tells what it saw, `POST /control/faults`
sets what it does next. It ends when its standard input closes, so it never outlives the test that started it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.fakes.teacher_text import reply_body, reply_text

MODEL = "fake-teacher"
CONTEXT = 2048


@dataclass
class Fault:
    """What happens to the next `times` completions (-1: for ever) whose body holds `match`, after `skip` of them."""

    kind: str
    match: str = ""
    times: int = 1
    skip: int = 0
    seconds: float = 60.0  # of a hang; between two bytes of a drip
    retry_after: str = "0.2"

    def takes(self, body: bytes) -> bool:
        """Whether this completion is the one; counts it."""
        if self.times == 0 or self.match.encode() not in body:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= self.times > 0
        return True


@dataclass
class State:
    """What the server was told and what it saw."""

    delay_s: float = 0.0
    token_s: float = 0.0  # of a reply's every token, and a hundredth more for each request beside it
    spread: float = 0.0  # of the lengths, see `reply_text`
    faults: list[Fault] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    injected: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    most_in_flight: int = 0
    tokens: int = 0
    context: int = CONTEXT
    tokenizer: Any = None  # names the tokens of soft labels; without one they are not given

    def counts(self) -> dict[str, Any]:
        """For the test: completions received and answered, in flight now and at most, faults by kind."""
        return {
            "requests": self.seen["completions"], "answered": self.seen["answered"], "paths": dict(self.seen),
            "in_flight": self.in_flight, "most_in_flight": self.most_in_flight, "injected": dict(self.injected),
        }  # fmt: skip

    def metrics(self) -> bytes:
        """The few lines of vLLM's metrics that Hornbook reads."""
        return (
            f'vllm:num_requests_running{{engine="0",model_name="{MODEL}"}} {float(self.in_flight)}\n'
            f'vllm:num_requests_waiting{{engine="0",model_name="{MODEL}"}} 0.0\n'
            f'vllm:generation_tokens_total{{engine="0",model_name="{MODEL}"}} {float(self.tokens)}\n'
        ).encode()


def response(
    status: int, payload: bytes, *headers: str, kind: str = "application/json", length: int | None = None
) -> bytes:
    """One HTTP response; `length` may lie."""
    lines = [
        f"HTTP/1.1 {status} X",
        f"content-type: {kind}",
        f"content-length: {len(payload) if length is None else length}",
    ]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + payload


def error(status: int, message: str, kind: str, param: str | None = None) -> bytes:
    """An error in the form that vLLM gives it."""
    body = {"error": {"message": message, "type": kind, "param": param, "code": status}}
    return response(status, orjson.dumps(body))


Send = Callable[[bytes], Awaitable[None]]


class Cut(Exception):
    """The connection is dropped here."""


async def inject(fault: Fault, body: dict[str, Any], send: Send, key: str = "") -> None:
    """Do one bad thing to one completion. Raises `Cut` when the connection goes with it."""
    good = orjson.dumps(reply_body(body))
    plain = {
        "error_500": lambda: error(500, "EngineCore encountered an issue.", "InternalServerError"),
        "error_503": lambda: error(503, "overloaded", "ServiceUnavailable"),
        "overlong": lambda: error(400, "maximum context length is 2048 tokens", "BadRequestError", "input_tokens"),
        "invalid": lambda: error(400, "bad schema", "BadRequestError", "messages"),
        "unknown_model": lambda: error(404, "The model does not exist.", "NotFoundError", "model"),
        "echo_key": lambda: error(401, f"Incorrect API key provided: {key}.", "AuthenticationError"),
        "no_key": lambda: error(401, "Unauthorized", "AuthenticationError"),
        "broken_json": lambda: response(200, good[: len(good) // 2]),
        "bad_utf8": lambda: response(200, good.replace(b'"content":"', b'"content":"\xff\xfe\x80')),
        "surrogate": lambda: response(200, good.replace(b'"content":"', b'"content":"\\ud800 ')),
        "html": lambda: response(200, b"<html>gateway</html>", kind="text/html"),
        "deep": lambda: response(200, b"[" * 100_000),
        "redirect": lambda: response(307, b"", "location: /v1/elsewhere"),
        "empty_choices": lambda: _with(body, choices=[]),
        "no_choices": lambda: _with(body, choices=None),
        "odd_choices": lambda: _with(body, choices={"a": 1}),
        "odd_usage": lambda: _with(body, usage={"prompt_tokens": "many", "completion_tokens": None}),
        "no_usage": lambda: _with(body, usage=None),
        "null_content": lambda: _with_message(body, content=None),
        "list_content": lambda: _with_message(body, content=[{"type": "text", "text": "x"}]),
        "empty_content": lambda: _with_message(body, content=""),
        "tool_call": lambda: _with_message(body, "tool_calls", content=None, tool_calls=[]),
        "at_limit": lambda: _at_limit(body),
        "huge": lambda: _with_message(body, content="word " * (1 << 20)),
        "same_text": lambda: _with_message(body, content=reply_text({"messages": [], "seed": 0})),
        "same_opening": lambda: _with_message(body, content=f"In this lesson we will learn about {reply_text(body)}"),
        "endless": lambda: _with_message(body, content="word " * (8 << 20)),
        "rate_limit": lambda: response(429, b'{"error":{"message":"slow down"}}', f"retry-after: {fault.retry_after}"),
    }
    if fault.kind in plain:
        await send(plain[fault.kind]())
    elif fault.kind == "hang":
        await asyncio.sleep(fault.seconds)
        raise Cut
    elif fault.kind == "cut":
        await send(response(200, good[: len(good) // 2], length=len(good)))
        raise Cut
    elif fault.kind == "reset":
        raise Cut
    elif fault.kind == "drip":
        whole = response(200, good)
        for place in range(len(whole)):
            await send(whole[place : place + 1])
            await asyncio.sleep(fault.seconds)
    else:
        await send(error(500, f"unknown fault {fault.kind}", "FakeError"))


def _with(body: dict[str, Any], **changes: Any) -> bytes:
    return response(200, orjson.dumps({**reply_body(body), **changes}))


def _with_message(body: dict[str, Any], finish: str = "stop", **changes: Any) -> bytes:
    whole = reply_body(body)
    whole["choices"][0]["message"].update(changes)
    whole["choices"][0]["finish_reason"] = finish
    return response(200, orjson.dumps(whole))


def _at_limit(body: dict[str, Any]) -> bytes:
    """As if the reply had filled its room and was cut off there."""
    whole = reply_body(body)
    whole["choices"][0]["finish_reason"] = "length"
    whole["usage"]["completion_tokens"] = int(body["max_tokens"])
    return response(200, orjson.dumps(whole))


async def stream(body: dict[str, Any], fault: str | None, send: Send, pause: float) -> None:
    """The answer as server-sent events, one word each; `error_midstream`, `cut` and `hang` strike half-way."""
    whole = reply_body(body)
    head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    await send(head.encode())
    frame = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": whole["model"]}
    words = whole["choices"][0]["message"]["content"].split(" ")
    for place, word in enumerate(words):
        if fault and place == len(words) // 2:
            if fault == "hang":
                await asyncio.sleep(pause)
            if fault == "error_midstream":
                await send(b"data: " + orjson.dumps({"error": {"message": "EngineDeadError", "code": 500}}) + b"\n\n")
            raise Cut
        delta = {"index": 0, "delta": {"content": word if place == 0 else " " + word}, "finish_reason": None}
        await send(b"data: " + orjson.dumps({**frame, "choices": [delta]}) + b"\n\n")
    last = {"index": 0, "delta": {}, "finish_reason": whole["choices"][0]["finish_reason"]}
    await send(b"data: " + orjson.dumps({**frame, "choices": [last]}) + b"\n\n")
    await send(b"data: " + orjson.dumps({**frame, "choices": [], "usage": whole["usage"]}) + b"\n\ndata: [DONE]\n\n")
    raise Cut


class Server:
    """Routes requests of one listening socket."""

    def __init__(self, state: State) -> None:
        self.state = state

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request, until either side ends it."""

        async def send(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode()
                await self._route(path, await reader.readexactly(_length(head)), send, _header(head, b"authorization"))
        except (Cut, asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # the other side has gone, or was meant to be cut off
        finally:
            writer.close()

    async def _route(self, path: str, payload: bytes, send: Send, key: str) -> None:
        self.state.seen[path] += 1
        if path == "/v1/chat/completions":
            await self._complete(payload, send, key)
        elif path == "/v1/models":
            model = {
                "id": MODEL,
                "object": "model",
                "created": 0,
                "owned_by": "x",
                "root": MODEL,
                "max_model_len": self.state.context,
            }
            await send(response(200, orjson.dumps({"object": "list", "data": [model]})))
        elif path == "/health":
            await send(response(200, b""))
        elif path == "/metrics":
            await send(response(200, self.state.metrics(), kind="text/plain"))
        elif path == "/control/counts":
            await send(response(200, orjson.dumps(self.state.counts())))
        elif path == "/control/faults":
            self.state.faults = [Fault(**item) for item in orjson.loads(payload)]
            await send(response(200, b"{}"))
        else:
            await send(error(404, path, "NotFoundError"))

    def _service(self, body: dict[str, Any]) -> float:
        if not self.state.token_s:
            return 0.0
        tokens = reply_body(body, self.state.spread)["usage"]["completion_tokens"]
        return tokens * self.state.token_s * (1 + self.state.in_flight / 100)

    async def _complete(self, payload: bytes, send: Send, key: str) -> None:
        state, body = self.state, orjson.loads(payload)
        state.seen["completions"] += 1
        state.in_flight += 1
        state.most_in_flight = max(state.most_in_flight, state.in_flight)
        try:
            if pause := state.delay_s + self._service(body):
                await asyncio.sleep(pause)
            fault = next((item for item in state.faults if item.takes(payload)), None)
            if fault:
                state.injected[fault.kind] += 1
            if body.get("stream"):
                await stream(body, fault.kind if fault else None, send, fault.seconds if fault else 0.0)
            elif fault:
                await inject(fault, body, send, key.removeprefix("Bearer "))
            else:
                answer = reply_body(body, state.spread, state.tokenizer)
                state.tokens += answer["usage"]["completion_tokens"]
                await send(response(200, orjson.dumps(answer)))
            state.seen["answered"] += 1
        finally:
            state.in_flight -= 1


def _length(head: bytes) -> int:
    return int(_header(head, b"content-length") or 0)


def _header(head: bytes, name: bytes) -> str:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(name + b":"):
            return line.split(b":", 1)[1].strip().decode()
    return ""


async def main() -> None:
    """Print the port, serve until standard input ends."""
    options = argparse.ArgumentParser()
    options.add_argument("--delay", type=float, default=0.0)
    options.add_argument("--token-s", type=float, default=0.0)
    options.add_argument("--spread", type=float, default=0.0)
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--faults", default="[]")
    options.add_argument("--context", type=int, default=CONTEXT)
    options.add_argument("--tokenizer", default="")
    chosen = options.parse_args()
    faults = [Fault(**item) for item in orjson.loads(chosen.faults)]
    state = State(chosen.delay, chosen.token_s, chosen.spread, faults, context=chosen.context)
    if chosen.tokenizer:
        from tokenizers import Tokenizer

        state.tokenizer = Tokenizer.from_file(chosen.tokenizer)
    server = await asyncio.start_server(Server(state).serve, "127.0.0.1", chosen.port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.run(main())
    except ImportError:
        asyncio.run(main())
