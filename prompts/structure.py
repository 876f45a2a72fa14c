"""The shape of a form's replies as data: fields in YAML become a strict model, and its value a text.

    schema:
      fields:
        title: text
        pairs: {each: {question: text, answer: text}, at_least: 4, at_most: 6}
      render:
        - "$title"
        - {each: pairs, text: "Question: $question\\n\\nAnswer: $answer"}

A field is `text`, `whole` (a number), `number`, `flag`, a list of choices, a mapping of fields, or a list with `each`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from string import Template
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, create_model, model_validator

from corpus.config import Section
from prompts.shape import Shape

MOST = 32  # items of a list that does not say how many it may have
TYPES: dict[str, Any] = {
    "text": Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)],
    "whole": int,
    "number": float,
    "flag": bool,
}
Kind = str | tuple[str, ...] | dict[str, Any]


class Block(Section):
    """A block of text for every item of a list."""

    each: str
    text: str
    join: str = "\n\n"


class Structure(Section):
    """Fields of a reply, and how a text is made of them."""

    fields: dict[str, Kind] = Field(min_length=1)
    render: tuple[str | Block, ...] = Field(min_length=1)

    @cached_property
    def shape(self) -> type[Shape]:
        """The strict model of the fields. Its fields are checked when the form is loaded."""
        return _model("Reply", self.fields)

    def text(self, value: Shape) -> str:
        """The blocks, an empty line between them. Values stay values: no `$` in them means anything."""
        return self._joined(value.model_dump(mode="json"))

    def _joined(self, plain: Mapping[str, Any]) -> str:
        return "\n\n".join(filter(None, (_block(block, plain) for block in self.render)))

    @model_validator(mode="after")
    def _is_complete(self) -> Structure:
        assert self.shape  # raises for a field that is none
        self._joined({name: _sample(kind) for name, kind in self.fields.items()})
        return self


def _model(name: str, fields: Mapping[str, Any]) -> type[Shape]:
    for key in fields:
        if not key.isidentifier() or key.startswith(("_", "model_")) or hasattr(Shape, key):
            raise ValueError(f"`{key}` cannot be the name of a field")
    return create_model(name, __base__=Shape, **{key: (_type(key, kind), ...) for key, kind in fields.items()})  # type: ignore[call-overload,no-any-return]


def _type(name: str, kind: Any) -> Any:
    if isinstance(kind, str) and kind in TYPES:
        return TYPES[kind]
    if isinstance(kind, (list, tuple)) and kind and all(isinstance(item, str) for item in kind):
        return Literal[tuple(kind)]
    if isinstance(kind, Mapping) and "each" in kind and not set(kind) - {"each", "at_least", "at_most"}:
        low, high = kind.get("at_least", 1), kind.get("at_most", MOST)
        return Annotated[list[_type(name, kind["each"])], Field(min_length=low, max_length=high)]  # type: ignore[misc]
    if isinstance(kind, Mapping) and kind and "each" not in kind:
        return _model(name.title(), kind)
    raise ValueError(
        f"the field `{name}` is none of {', '.join(TYPES)}, a list of choices, fields, or a list with `each`"
    )


def _block(block: str | Block, plain: Mapping[str, Any]) -> str:
    if isinstance(block, str):
        return _filled(block, plain)
    items = plain.get(block.each)
    if not isinstance(items, list):
        raise ValueError(f"render: `{block.each}` is no list among the fields")
    values = (item if isinstance(item, dict) else {"item": item} for item in items)
    return block.join.join(_filled(block.text, {**value, "number": place}) for place, value in enumerate(values, 1))


def _filled(text: str, values: Mapping[str, Any]) -> str:
    try:
        return Template(text).substitute(
            {key: value if isinstance(value, str) else str(value) for key, value in values.items()}
        )
    except (KeyError, ValueError) as error:
        raise ValueError(f"render: {error} in {text[:40]!r}; known: {', '.join(sorted(values))}") from None


def _sample(kind: Any) -> Any:
    """A value of a field, to see that every name that the text uses is there."""
    if isinstance(kind, Mapping):
        return [_sample(kind["each"])] if "each" in kind else {name: _sample(item) for name, item in kind.items()}
    return "text"
