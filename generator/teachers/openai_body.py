"""A request as the JSON that is sent, and the bytes that come back as a reply.

Text is data: any shape is expected, none is trusted.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from corpus.soft_labels import pack
from generator.reply import Reply, TeacherError
from generator.request import Request
from generator.teachers.openai_logprobs import asked_labels, labels_from

NAME_CHARACTERS = 200  # of a model's name and of a finish reason; what is longer is neither
INT32 = 1 << 31
# vLLM's words for: the last message is yours and not finished, go on with it.
CONTINUE = {"continue_final_message": True, "add_generation_prompt": False}


def chat_body(request: Request, model: str | None = None) -> dict[str, Any]:
    """The JSON of a chat completion, for `model` as the endpoint names it, else the request's own."""
    goes_on = request.messages[-1]["role"] == "assistant"
    return {
        **(CONTINUE if goes_on else {}),
        **({"response_format": _format(request.schema)} if request.schema else {}),
        **asked_labels(request.demands.top_logprobs),
        "model": model or request.model,
        "messages": request.messages,
        "temperature": request.sampling.temperature,
        "top_p": request.sampling.top_p,
        "seed": request.seed,
        "max_tokens": request.demands.max_tokens,
    }


def _format(schema: str) -> dict[str, Any]:
    """The `response_format` that holds the teacher to a schema; a name is wanted and says nothing."""
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": orjson.loads(schema), "strict": True}}


def parse_body(body: bytes) -> Any:
    """The JSON value of a body. Raises `TeacherError` (malformed, retryable): half a body is worth another sending."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass  # orjson refuses a lone surrogate, which is no reason to lose a reply
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise TeacherError("malformed", f"the body is not JSON ({type(error).__name__})", retryable=True) from error


def reply_from(answer: Any, *, request_key: str, seconds: float, endpoint: str, top_logprobs: int = 0) -> Reply:
    """The reply inside an answer; null content is an empty text. Raises `TeacherError` when it holds none, or when it
    holds less than the `top_logprobs` that were asked for."""
    choice = _first(answer)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise TeacherError("malformed", "the choice holds no message", retryable=True)
    text = message.get("content")
    if text is not None and not isinstance(text, str):
        raise TeacherError("malformed", f"the content is a {type(text).__name__}, not text", retryable=True)
    usage = answer.get("usage")
    labels = labels_from(choice, top_logprobs) if top_logprobs and text else None
    return Reply(
        request_key=request_key,
        text=storable(text or ""),
        finish_reason=_name(choice.get("finish_reason")) or "none",
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        model=_name(answer.get("model")),
        seconds=round(seconds, 4),
        endpoint=endpoint,
        top_logprobs=labels.k if labels else 0,
        labels=pack(labels) if labels else None,
    )


def storable(text: str) -> str:
    """`text` with lone surrogates made U+FFFD, because no file can hold them."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _first(answer: Any) -> dict[str, Any]:
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise TeacherError("malformed", "the body holds no choice", retryable=True)
    return choices[0]


def _name(value: Any) -> str:
    return storable(value[:NAME_CHARACTERS]) if isinstance(value, str) else ""


def _count(usage: Any, name: str) -> int:
    """A token count; 0 where the server gives none."""
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and 0 <= value < INT32 else 0
