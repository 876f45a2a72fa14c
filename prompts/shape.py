"""Replies with a shape: asked for by a JSON schema, read strictly, and never guessed at.

Python's JSON accepts duplicate keys, NaN and lone surrogates, and overflows on deep nesting (measured); none of that
passes here. A code fence around the whole value is taken off, because teachers without a schema like to put one there.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from corpus.ids import canonical

LIMIT = 64 << 10  # characters; the structured replies of a step are far shorter
FENCED = re.compile(r"\A```(?:json)?[ \t]*\n(.*)\n```\Z", re.S)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd\ud800-\udfff]")


class Unreadable(Exception):
    """A structured reply that is none. `reason` is `unreadable`, or `truncated` where the limit cut it off."""

    def __init__(self, detail: str, reason: str = "unreadable") -> None:
        super().__init__(detail)
        self.detail, self.reason = detail, reason


class Shape(BaseModel):
    """The base of all structured replies: no unknown field, no conversion between types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def parse(cls, text: str, finish_reason: str = "stop") -> Self:
        """The value that a reply holds. Raises `Unreadable` with one line that a teacher can act upon."""
        if finish_reason == "length":
            raise Unreadable("the reply was cut off at its limit; answer more briefly", "truncated")
        try:
            return cls.model_validate(parse_json(text))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise Unreadable(f"{place or 'the value'}: {first['msg']}"[:300]) from None


@lru_cache(maxsize=256)
def schema_of(shape: type[Shape]) -> str:
    """The JSON schema of a shape in canonical form, so that it can be part of an identity."""
    return canonical(shape.model_json_schema()).decode()


def parse_json(text: str) -> Any:
    """The one JSON value of a text. Raises `Unreadable` for everything that JSON's grammar or sense leaves open."""
    text = text.strip()
    if len(text) > LIMIT:
        raise Unreadable(f"the reply has {len(text):,} characters, at most {LIMIT:,} are read")
    if whole := FENCED.match(text):
        text = whole.group(1)
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refused, parse_float=_finite)
        _check(value)
    except json.JSONDecodeError as error:
        raise Unreadable(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise Unreadable(f"not JSON that can be read: {str(error)[:80]}") from None
    except RecursionError:
        raise Unreadable("the value is nested too deeply") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Unreadable(f"the key {key[:40]!r} stands there twice")
        found[key] = value
    return found


def _refused(name: str) -> Any:
    raise Unreadable(f"{name} is no number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Unreadable(f"{digits[:20]} is too large a number")
    return number


def _check(value: Any) -> None:
    """Refuse texts and keys that hold what no document may hold."""
    if isinstance(value, str) and (found := CONTROL.search(value)):
        raise Unreadable(f"the character U+{ord(found.group()):04X} stands in a text")
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    for item in value if isinstance(value, list) else ():
        _check(item)
