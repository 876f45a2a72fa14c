"""Templates that hold text, names, `if` and `for`, and nothing that can compute.

A template is data from somebody else. Jinja's sandbox stops attribute walks but not a 20-character template that
renders 300 MB (measured), so the syntax tree is checked against an allow-list before anything is rendered, and the
output has a cap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypedDict

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from corpus.errors import RecipeError

OUTPUT_LIMIT = 64 << 10  # characters
VALUE_LIMIT = 16 << 10  # characters of one value
ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.For,
    nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Operand,
)  # fmt: skip
ROLE = "### "  # a line "### system" or "### user" begins a message

_environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


class Message(TypedDict):
    """One chat message."""

    role: str
    content: str


def template_hash(text: str) -> str:
    """32 hex digits that name a template's text."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@lru_cache(maxsize=256)
def check(text: str, name: str) -> None:
    """Raises `RecipeError` naming the line of the first construct that templates may not use."""
    if len(text) > OUTPUT_LIMIT:
        raise RecipeError(f"{name}: is longer than {OUTPUT_LIMIT:,} characters")
    try:
        tree = _environment.parse(text, name)
    except TemplateError as error:
        raise RecipeError(f"{name}:{getattr(error, 'lineno', 1)}: {error.message}") from None
    except RecursionError:
        raise RecipeError(f"{name}: is nested too deep") from None
    for loop in tree.find_all(nodes.For):
        if inner := next((node for part in loop.body for node in _walk(part) if isinstance(node, nodes.For)), None):
            # 16,000 items cubed is for ever, and a loop that writes nothing never meets the cap on the output
            raise RecipeError(f"{name}:{inner.lineno}: a `for` may not stand in another one")
    for node in _walk(tree):
        if not isinstance(node, ALLOWED) or (isinstance(node, nodes.For) and node.recursive):
            raise RecipeError(
                f"{name}:{node.lineno}: templates may not use {type(node).__name__.lower()}",
                hint="names, `if` and `for` over a given list are allowed",
            )


def render(text: str, values: Mapping[str, str | list[str]], name: str = "template") -> tuple[Message, ...]:
    """The chat messages of a template. Values stay values: whatever they hold is never evaluated."""
    check(text, name)
    for key, value in values.items():
        if sum(len(item) for item in ([value] if isinstance(value, str) else value)) > VALUE_LIMIT:
            raise RecipeError(f"{name}: `{key}` is longer than {VALUE_LIMIT:,} characters")
    roles = _split(text, name)
    return tuple(Message(role=role, content=_fill(body, values, name)) for role, body in roles)


def _fill(body: str, values: Mapping[str, str | list[str]], name: str) -> str:
    pieces, size = [], 0
    try:
        for piece in _compiled(body).generate(**values):
            size += len(piece)
            if size > OUTPUT_LIMIT:
                raise RecipeError(f"{name}: renders to more than {OUTPUT_LIMIT:,} characters")
            pieces.append(piece)
    except TemplateError as error:
        raise RecipeError(f"{name}: {error.message}", hint=f"known names: {', '.join(sorted(values))}") from None
    return "".join(pieces).strip()


@lru_cache(maxsize=512)
def _compiled(body: str) -> Template:
    return _environment.from_string(body)


def _split(text: str, name: str) -> list[tuple[str, str]]:
    """Messages are split before rendering, so that no value can begin one."""
    messages: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        role = line.removeprefix(ROLE).strip()
        if line.startswith(ROLE) and role in ("system", "user", "assistant"):
            messages.append((role, []))
        elif messages:
            messages[-1][1].append(line)
        elif line.strip():
            raise RecipeError(f"{name}: text before the first `{ROLE}user` line")
    if not messages or messages[-1][0] != "user":
        raise RecipeError(f"{name}: a template ends with a `{ROLE}user` message")
    return [(role, "\n".join(lines)) for role, lines in messages]


def _walk(node: nodes.Node) -> Iterable[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child)
