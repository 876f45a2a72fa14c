"""What the fake teacher writes: a pure function of the request, so that a test knows every text beforehand."""

from __future__ import annotations

import hashlib
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


def reply_text(body: Mapping[str, Any]) -> str:
    """Plain sentences, 60 to 140 words, set by model, messages, seed and sampling alone."""
    named = [body.get(name) for name in ("model", "messages", "seed", "temperature", "top_p")]
    draw = random.Random(hashlib.blake2b(repr(named).encode("utf-8", "replace")).digest())
    sentences, words, goal = [], 0, draw.randint(60, 140)
    while words < goal:
        chosen = draw.choices(_WORDS, k=draw.randint(7, 15))
        words += len(chosen)
        sentences.append(" ".join(chosen).capitalize() + ".")
    return " ".join(sentences)


def reply_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """The whole chat completion, its usage counted in words."""
    text = reply_text(body)
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
