"""Soft labels of text that is there already: what a teacher would have said next at each of its tokens.

A text is read in windows of what the teacher reads at once. A window begins with the tokenizer's start token and, after
the first, with the end of the window before; of those only the sight counts, not the labels. So every token of the text
is labelled once, each with at least a quarter of a window before it where the text has that much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tokenizers import Tokenizer

from corpus.errors import RecipeError, SetupError
from corpus.soft_labels import TokenLabels, joined

SIGHT = 4  # a window shows 1 / SIGHT of itself again to the next one


@dataclass(frozen=True, slots=True)
class Window:
    """`ids` go to the teacher, the first one or more only to be seen: labels are taken of `ids[seen:]`."""

    ids: list[int]
    seen: int


class Scorer(Protocol):
    """Gives the labels of windows; `window` tokens fit at once, `name` goes into the rows."""

    name: str
    window: int

    def label(self, windows: Sequence[Window], k: int) -> list[TokenLabels]:
        """One result a window, of its tokens from `seen` on."""
        ...


def windows_of(ids: Sequence[int], start: int, most: int) -> Iterator[Window]:
    """Windows of at most `most` tokens over `ids`, each after the token `start`. Raises `RecipeError` below 8 tokens."""
    if most < 8:
        raise RecipeError(f"a window of {most} tokens is too short to read with")
    sight, place = most // SIGHT, 0
    while place < len(ids):
        shown = list(ids[max(0, place - sight) : place])
        end = min(len(ids), place + most - 1 - len(shown))
        yield Window([start, *shown, *ids[place:end]], 1 + len(shown))
        place = end


def label_text(text: str, tokenizer: Tokenizer, start: int, scorer: Scorer, k: int) -> TokenLabels | None:
    """Labels of every token of `text`, whose tokens decode to it; None for a text without one."""
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    windows = list(windows_of(ids, start, scorer.window))
    return joined(scorer.label(windows, k)) if windows else None


def load_tokenizer(folder: Path) -> tuple[Tokenizer, int, str]:
    """The tokenizer of a model's folder, its start token (where it has none, its end token), and its name.

    Raises `SetupError` when the folder has no tokenizer or names neither token.
    """
    from corpus.tokens import load_counter

    name = load_counter(str(folder / "tokenizer.json")).name
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    for token in _edge_tokens(folder):
        if (found := tokenizer.token_to_id(token)) is not None:
            return tokenizer, found, name
    raise SetupError(f"{folder}: tokenizer_config.json names no bos_token or eos_token that is in the vocabulary")


def _edge_tokens(folder: Path) -> Iterator[str]:
    import orjson

    path = folder / "tokenizer_config.json"
    config: dict[str, Any] = orjson.loads(path.read_bytes()) if path.is_file() else {}
    for name in ("bos_token", "eos_token"):
        value = config.get(name)
        if token := value.get("content") if isinstance(value, Mapping) else value:
            yield str(token)
