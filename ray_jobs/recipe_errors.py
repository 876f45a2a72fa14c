"""A validation error in words: file, line, key, value, and what would be right."""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping, Sequence
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from corpus.ids import canonical
from ray_jobs.recipe_yaml import Lines

SHOWN = 80  # characters of a bad value


def explain(error: ValidationError, model: type[BaseModel], file: str, lines: Lines, origins: Mapping[str, str]) -> str:
    """One line a problem, in file order."""
    problems = [(_line(item["loc"], lines), _sentence(item, model, file, lines, origins)) for item in error.errors()]
    return "\n".join(sentence for _, sentence in sorted(problems))


def _sentence(item: Any, model: type[BaseModel], file: str, lines: Lines, origins: Mapping[str, str]) -> str:
    path = ".".join(str(part) for part in item["loc"])
    where = origins.get(path, "") if origins.get(path, "").startswith(("environment", "--set")) else ""
    where = where or f"{file}:{_line(item['loc'], lines)}"
    if item["type"] == "extra_forbidden":
        return f"{where}: {path} = {_short(item['input'])}: unknown key; {_nearest(item['loc'], model)}"
    if item["type"] == "missing":
        return f"{where}: {path}: this key is needed"
    if not path:
        return f"{where}: {item['msg'].removeprefix('Value error, ')}"
    return f"{where}: {path} = {_short(item['input'])}: {item['msg'].removeprefix('Value error, ')}"


def _line(location: Sequence[int | str], lines: Lines) -> int:
    parts = [str(part) for part in location]
    while parts:
        if (line := lines.get(".".join(parts))) is not None:
            return line
        parts.pop()
    return 1


def _nearest(location: Sequence[int | str], model: type[BaseModel]) -> str:
    names = valid_keys(model, [str(part) for part in location[:-1]])
    close = difflib.get_close_matches(str(location[-1]), names, n=1, cutoff=0.5)
    return f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(names)}"


def valid_keys(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """Keys that the section at `path` knows."""
    kind: Any = model
    for part in path:
        fields = getattr(_section(kind), "model_fields", {})
        kind = fields[part].annotation if part in fields else _value_type(kind)
    return sorted(getattr(_section(kind), "model_fields", {}))


def _section(kind: Any) -> Any:
    """The model inside `Model | None`."""
    if get_origin(kind) in (Union, types.UnionType):
        return next((arm for arm in get_args(kind) if arm is not type(None)), kind)
    return kind


def _value_type(kind: Any) -> Any:
    """The value type of a mapping, the item type of a sequence."""
    arguments = [arm for arm in get_args(_section(kind)) if arm is not Ellipsis]
    return arguments[-1] if arguments else object


def _short(value: Any) -> str:
    text = canonical(value).decode("utf-8", "replace") if not isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
