"""What the fake teacher writes: a pure function of the request, so that a test knows every text beforehand."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping
from typing import Any

_WORDS = """
a the of in and to that each one whole part line shape number sum rule case step reason answer question cell
leaf water light force mass heat wave price trade town river law letter reader teacher student example table
list loop value name branch stack order graph edge proof claim cause effect measure scale unit grows falls moves
holds keeps gives takes turns meets joins splits counts shows means follows begins ends changes rests small
large early late slow quick simple plain exact common rare equal near far open closed first last next same other
many few
""".split()  # noqa: SIM905 - eighty-odd quoted words read worse


def reply_text(body: Mapping[str, Any], spread: float = 0.0) -> str:
    """Plain sentences, 60 to 140 words, or JSON of the schema asked for: set by the request alone.

    With `spread` the lengths are log-normal around 90 words, as a teacher's are.
    """
    named = [body.get(name) for name in ("model", "messages", "seed", "temperature", "top_p")]
    draw = random.Random(hashlib.blake2b(repr(named).encode("utf-8", "replace")).digest())
    asked = body.get("response_format")
    if asked:
        schema = asked["json_schema"]["schema"]
        return json.dumps(_value(schema, schema.get("$defs", {}), draw), ensure_ascii=False)
    return _prose(draw, int(90 * draw.lognormvariate(0, spread)) if spread else draw.randint(60, 140))


def _value(schema: Mapping[str, Any], named: Mapping[str, Any], draw: random.Random, name: str = "") -> Any:
    """A value of a JSON schema as pydantic writes them; short whole numbers for what is called an answer."""
    if "$ref" in schema:
        return _value(named[schema["$ref"].rsplit("/", 1)[1]], named, draw)
    if "enum" in schema or "const" in schema:
        return draw.choice(schema.get("enum") or [schema["const"]])
    kind = schema.get("type")
    if kind == "object":
        return {key: _value(item, named, draw, key) for key, item in schema["properties"].items()}
    if kind == "array":
        least = schema.get("minItems", 0)
        count = draw.randint(least, min(schema.get("maxItems", least + 2), least + 2))
        return [_value(schema["items"], named, draw) for _ in range(count)]
    if kind in ("integer", "number", "boolean"):
        return {"integer": draw.randint(1, 9), "number": draw.random(), "boolean": draw.random() < 0.5}[kind]
    return str(draw.choice((4, 4, 4, 5))) if name == "answer" else _prose(draw, draw.randint(8, 40))


def _prose(draw: random.Random, goal: int) -> str:
    sentences, words = [], 0
    while words < goal:
        chosen = draw.choices(_WORDS, k=draw.randint(7, 15))
        words += len(chosen)
        sentences.append(" ".join(chosen).capitalize() + ".")
    return " ".join(sentences)


def reply_body(body: Mapping[str, Any], spread: float = 0.0) -> dict[str, Any]:
    """The whole chat completion, its usage counted in words."""
    text = reply_text(body, spread)
    limit = int(body.get("max_tokens") or 1 << 30)
    words = text.split(" ")
    usage = {"prompt_tokens": len(str(body.get("messages")).split()), "completion_tokens": min(len(words), limit)}
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": " ".join(words[:limit])},
        "finish_reason": "stop" if len(words) <= limit else "length",
        "logprobs": None,
    }
    usage["total_tokens"] = sum(usage.values())
    return {
        "id": "chatcmpl-fake", "object": "chat.completion", "created": 0, "model": str(body.get("model")),
        "choices": [choice], "usage": usage,
    }  # fmt: skip
