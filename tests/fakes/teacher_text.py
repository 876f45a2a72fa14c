"""What the fake teacher writes: a pure function of the request, so that a test knows every text beforehand."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

ASSERTED = re.compile(r"of the form `assert (\w+)\(")  # the prompt of a function exercise with tests
_WORDS = """
a the of in and to that each one whole part line shape number sum rule case step reason answer question cell
leaf water light force mass heat wave price trade town river law letter reader teacher student example table
list loop value name branch stack order graph edge proof claim cause effect measure scale unit grows falls moves
holds keeps gives takes turns meets joins splits counts shows means follows begins ends changes rests small
large early late slow quick simple plain exact common rare equal near far open closed first last next same other
many few
""".split()  # noqa: SIM905 - eighty-odd quoted words read worse

_CHINESE = """
我们 可以 因为 所以 如果 这个 那么 但是 学生 老师 问题 答案 数字 方法 例子 水流 温度 时间 速度 力量 观察 实验 结果 说明
比较 变化 增加 减少 物体 空气 植物 动物 城市 市场 价格 历史 语言 一个 两个 很多 需要 知道 看到 得到 使用 分成 开始 最后
""".split()  # noqa: SIM905
RECORDED = 0.3  # share of Chinese replies that are recorded ones


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
    messages = body.get("messages") or [{"content": ""}]
    if _is_chinese(str(messages[-1]["content"])):
        return draw.choice(_recorded()) if draw.random() < RECORDED else _chinese(draw, draw.randint(120, 260))
    if asserted := ASSERTED.search(repr(body.get("messages"))):
        return _exercise(draw, asserted.group(1))
    return _prose(draw, int(90 * draw.lognormvariate(0, spread)) if spread else draw.randint(60, 140))


def _is_chinese(prompt: str) -> bool:
    """More Chinese characters than letters of other scripts."""
    han = sum("\u4e00" <= letter <= "\u9fff" for letter in prompt)
    return han > sum(letter.isalpha() for letter in prompt) / 2


@lru_cache(maxsize=1)
def _recorded() -> list[str]:
    """Replies as a capable teacher writes them; the same ones again and again, as copies come in life."""
    path = Path(__file__).parents[1] / "generator" / "replies_zh.yaml"
    return [
        row["text"] for row in yaml.safe_load(path.read_text("utf-8")) if row.get("kept") and row["finish"] == "stop"
    ]


def _chinese(draw: random.Random, goal: int) -> str:
    """Sentences of about so many characters, without a space."""
    text = ""
    while len(text) < goal:
        text += (
            "".join(draw.choices(_CHINESE, k=draw.randint(6, 9))) + "，" + "".join(draw.choices(_CHINESE, k=5)) + "。"
        )
    return text


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


def _exercise(draw: random.Random, name: str) -> str:
    """An exercise with tests: one in four has a wrong solution, one in four has tests that say nothing."""
    factor, kind = draw.randint(2, 99), draw.choice(("good", "good", "wrong", "vacuous"))
    body = f"[item * {factor} for item in items]" if kind != "wrong" else f"[item + {factor} for item in items]"
    tests = [f"assert {name}({given}) == {[item * factor for item in given]}" for given in ([], [3], [factor, -1])]
    if kind == "vacuous":
        tests = (
            [f"assert not {name}([])", f"assert {name}([1, 2]) != 3"]
            if draw.random() < 0.5
            else [f"{name}([])", "assert 1", "assert 2"]
        )
    code = f"def {name}(items: list) -> list:\n    return {body}\n"
    return f"{_prose(draw, 60)}\n\n```python\n{code}```\n\n```python\n" + "\n".join(tests) + "\n```\n"


def _prose(draw: random.Random, goal: int) -> str:
    sentences, words = [], 0
    while words < goal:
        chosen = draw.choices(_WORDS, k=draw.randint(7, 15))
        words += len(chosen)
        sentences.append(" ".join(chosen).capitalize() + ".")
    return " ".join(sentences)


def reply_labels(text: str, k: int, tokenizer: Any, *, ended: bool) -> tuple[list[int], list[dict[str, Any]]]:
    """Token ids and log-probabilities in the form that vLLM gives them; the drawn token first.

    Each position is set by its place and token, so that a text without its last characters has the same ones.
    """
    ids = tokenizer.encode(text, add_special_tokens=False).ids + ([0] if ended else [])
    size = tokenizer.get_vocab_size()
    return ids, [_position(token, k, size, random.Random(f"{place} {token}")) for place, token in enumerate(ids)]


def _position(token: int, k: int, size: int, draw: random.Random) -> dict[str, Any]:
    """Every fourth token drawn is not among the likeliest, and then stands for the last of them."""
    others = draw.sample(range(size), k)
    values = sorted((-10 * draw.random() for _ in others), reverse=True)
    likely = [item for item in others if item != token][: len(others) - 1]
    place = len(likely) if draw.random() < 0.25 else draw.randrange(len(likely) + 1)
    ranked = [*likely[:place], token, *likely[place:]]
    entries = [_entry(item, value) for item, value in zip(ranked, values, strict=False)]
    mine = entries.pop(place)
    return {**mine, "top_logprobs": [mine, *entries]}


def _entry(token: int, value: float) -> dict[str, Any]:
    name = f"token_id:{token}"
    return {"token": name, "logprob": value, "bytes": list(name.encode())}


def reply_body(body: Mapping[str, Any], spread: float = 0.0, tokenizer: Any = None) -> dict[str, Any]:
    """The whole chat completion, its usage counted in words; with a `tokenizer` also the labels that are asked for."""
    text = reply_text(body, spread)
    limit = int(body.get("max_tokens") or 1 << 30)
    words = text.split(" ")
    usage = {"prompt_tokens": len(str(body.get("messages")).split()), "completion_tokens": min(len(words), limit)}
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": " ".join(words[:limit])},
        "finish_reason": "stop" if len(words) <= limit else "length",
        "logprobs": None,
    }
    if tokenizer is not None and body.get("logprobs"):
        ended, said = choice["finish_reason"] == "stop", choice["message"]["content"]
        ids, content = reply_labels(said, int(body["top_logprobs"]), tokenizer, ended=ended)
        choice |= {"token_ids": ids, "logprobs": {"content": content}}
    usage["total_tokens"] = sum(usage.values())
    return {
        "id": "chatcmpl-fake", "object": "chat.completion", "created": 0, "model": str(body.get("model")),
        "choices": [choice], "usage": usage,
    }  # fmt: skip
