"""The shape of Python functions: their syntax trees as tokens, with every name that an author chose made nameless.

Two functions that differ in names, comments, docstrings, annotations and layout have the same shape. Names that nobody
is free to choose stay: builtins, attributes, imported modules, keyword arguments. Nothing is run.
"""

from __future__ import annotations

import ast
import builtins
import re
import textwrap
import warnings
from collections.abc import Iterator
from functools import cache, lru_cache

BLOCK_LIMIT = 20_000  # characters of one function; longer ones are no exercise
CONSTANT_LIMIT = 40  # characters of a constant that count
FIXED = frozenset(dir(builtins))
ANNOTATIONS = frozenset(
    {"annotation", "returns", "type_comment", "decorator_list", "type_params", "ctx", "type_ignores"}
)
SPEAKING = frozenset(
    {ast.Constant, ast.Attribute, ast.keyword, ast.Name, ast.arg, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef}
)


def functions(text: str) -> Iterator[list[str]]:
    """The tokens of each function in a text, in order; prose around it does not matter. What does not parse is skipped."""
    for block in blocks(text):
        if (tokens := tokens_of(block)) is not None:
            yield tokens


def tokens_of(block: str) -> list[str] | None:
    """The tokens of a function as `blocks` cuts it; None where it does not parse."""
    tree = _parsed(textwrap.dedent(block))
    return None if tree is None else shape(tree)


def blocks(text: str) -> Iterator[str]:
    """Each `def` with the lines that belong to it by their indentation; inner functions belong to the outer one."""
    text, end = text.replace("\r\n", "\n").expandtabs(8), 0
    place = text.find("def ")
    while place >= 0:
        start = text.rfind("\n", 0, place) + 1
        head = text[start:place]
        if start >= end and head.strip(" ") in ("", "async"):
            end = _end(text, place, len(head) - len(head.lstrip(" ")))
            if end - start <= BLOCK_LIMIT:
                yield text[start:end]
        place = text.find("def ", place + 4)


def _end(text: str, place: int, depth: int) -> int:
    """Where the first line behind a place begins that is not indented further; a closing bracket may stand at the margin."""
    line = text.find("\n", place)
    found = _margin(depth).search(text, line) if line >= 0 else None
    return found.start() + 1 if found else len(text)


@lru_cache(maxsize=256)
def _margin(depth: int) -> re.Pattern[str]:
    return re.compile(rf"\n[ ]{{0,{depth}}}[^\s)\]#]")


def shape(function: ast.stmt) -> list[str]:
    """Tokens of a tree from its root on, in reading order."""
    numbers: dict[str, int] = {}
    tokens: list[str] = []
    waiting: list[ast.AST] = [function]
    while waiting:
        node = waiting.pop()
        kind = type(node)
        tokens.append(kind.__name__)
        if kind in SPEAKING:
            tokens += _words(node, numbers)
        for name in reversed(_fields(kind.__name__)):
            value = getattr(node, name, None)
            if type(value) is list:
                skipped = name == "body" and bool(value) and _is_docstring(value[0])
                waiting += [item for item in reversed(value[skipped:]) if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                waiting.append(value)
    return tokens


@cache
def _fields(kind: str) -> tuple[str, ...]:
    """The fields of a kind of node that make its shape."""
    return tuple(name for name in getattr(ast, kind)._fields if name not in ANNOTATIONS)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _words(node: ast.AST, numbers: dict[str, int]) -> list[str]:
    """What the node itself says: its chosen names by their order of appearance, its fixed ones as they are."""
    if isinstance(node, ast.Constant):
        return [repr(node.value)[:CONSTANT_LIMIT]]
    if isinstance(node, ast.Attribute):
        return [f".{node.attr}"]
    if isinstance(node, ast.keyword):
        return [f"{node.arg}="]
    if isinstance(node, (ast.Name, ast.arg, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        name = node.id if isinstance(node, ast.Name) else node.arg if isinstance(node, ast.arg) else node.name
        return [name if name in FIXED else f"#{numbers.setdefault(name, len(numbers))}"]
    return []


def _parsed(block: str) -> ast.stmt | None:
    """The tree; None where it is no Python, or too deep for its parser."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(block).body[0]
    except (SyntaxError, ValueError, RecursionError, MemoryError, IndexError):
        return None
