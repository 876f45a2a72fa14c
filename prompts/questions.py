"""Questions that Hornbook itself asks a model, beside the forms of the library: `asks/LANGUAGE/NAME.j2`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from corpus.errors import RecipeError
from prompts.templates import Message, render

ASKS = Path(__file__).parent / "asks"


def question(name: str, language: str, values: Mapping[str, str | list[str]]) -> tuple[Message, ...]:
    """The messages of a question. Raises `RecipeError` where it is not written in the language."""
    return render(_template(name, language), values, f"{name}.j2")


@lru_cache(maxsize=16)
def _template(name: str, language: str) -> str:
    path = ASKS / language / f"{name}.j2"
    if not path.is_file():
        raise RecipeError(
            f"`{name}` cannot be asked in `{language}`", hint=f"write {path.name} in prompts/asks/{language}"
        )
    return path.read_text("utf-8")
