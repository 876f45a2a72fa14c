"""Recipe YAML with the line of every key, duplicate keys refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from corpus.errors import RecipeError

Lines = Mapping[str, int]
LIMIT = 1 << 20  # bytes; a recipe is read by people


def parse_yaml(data: bytes, shown: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The values, and for each dotted key its 1-based line. Aliases and tags are refused: a recipe is plain data."""
    if len(data) > LIMIT:
        raise RecipeError(f"{shown}: {len(data):,} bytes; a recipe has at most {LIMIT:,}")
    try:
        text = data.decode("utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_aliases(text, shown)
    except UnicodeDecodeError as error:
        raise RecipeError(f"{shown}: byte {error.start} is not UTF-8") from None
    except yaml.YAMLError as error:
        raise RecipeError(f"{shown}:{_line_of(error)}: not valid YAML: {_problem_of(error)}") from None
    if not isinstance(node, yaml.MappingNode):
        raise RecipeError(f"{shown}: a recipe is a mapping of keys to values")
    lines: dict[str, int] = {}
    _walk(node, "", lines, shown)
    try:
        return yaml.safe_load(text), lines
    except yaml.YAMLError as error:
        raise RecipeError(f"{shown}:{_line_of(error)}: {_problem_of(error)}") from None


def _refuse_aliases(text: str, shown: str) -> None:
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.AliasToken):
            raise RecipeError(f"{shown}:{token.start_mark.line + 1}: aliases (*{token.value}) are not used in recipes")


def _walk(node: yaml.Node, path: str, lines: dict[str, int], shown: str) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = f"{path}.{key.value}" if path else str(key.value)
            line = key.start_mark.line + 1
            if inner in lines:
                raise RecipeError(f"{shown}:{line}: {inner} stands here and on line {lines[inner]}; keep one")
            lines[inner] = line
            _walk(value, inner, lines, shown)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[f"{path}.{index}"] = value.start_mark.line + 1
            _walk(value, f"{path}.{index}", lines, shown)


def _line_of(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 1


def _problem_of(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0]
