"""A kind of text, and who reads it: data beside a template."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from corpus.config import Section
from prompts.domain import LEVELS, Level
from prompts.structure import Structure


class Draw(Section):
    """How the teacher draws one form, where that differs from `teacher`'s sampling and `generate.max_tokens`."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    """Sampling temperature: low for code and solutions, high for stories."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Nucleus sampling."""
    max_tokens: int | None = Field(default=None, ge=16)
    """Room of a reply. A demand, not an identity."""


class Form(Section):
    """A kind of text."""

    id: str
    title: str
    kind: Literal["prose", "code"]
    words: tuple[int, int] | None = None
    """Length asked for. The recipe's `max_tokens` must leave room to end: about 1.4 tokens a word, 0.7 a character."""
    characters: tuple[int, int] | None = None
    """The same for a language that is written without spaces; a form has one of the two."""
    template: str = ""
    """File in `templates`. A form without one begins as the document that it is given, and its operator does the rest."""
    variants: tuple[str, ...] = ()
    """Other templates that ask for the same, used in turn once the texts of one have begun to look alike."""
    needs: str = ""
    """The operator without which the text is no document yet; a recipe that does not name it has no use for the form."""
    structure: Structure | None = Field(default=None, alias="schema")
    """The fields of the reply where it is JSON, and how a text is made of them. Such a form is written only where a
    recipe names it: not every endpoint holds a teacher to a schema."""
    idea: str
    """The published idea that the form follows."""
    openings: tuple[str, ...]
    """Ways to begin, one drawn for each slot, so that texts do not all start alike."""
    levels: tuple[Level, ...] = LEVELS
    """Topics that the form suits."""
    audiences: tuple[str, ...] = ()
    """Readers that the form suits, by id; all when empty."""
    forced: Literal["words", "function_name"] | None = None
    """What is drawn for each slot and must occur in the text: the diversity of TinyStories and of phi-1's exercises."""
    exercise: Literal["tests", "examples"] | None = None
    """The text holds an exercise that can be run: a solution and its tests in a block each, or a solution whose docstring
    has examples. `generate.verify` runs it."""
    seed: bool = False
    """The form rewrites a document that is given to it, and needs one."""
    draw: Draw = Field(default_factory=Draw)
    """Sampling of its own; the recipe's `generate.draw` goes before it."""

    @model_validator(mode="after")
    def _has_a_beginning(self) -> Form:
        if not self.template and not (self.seed and self.needs):
            raise ValueError("a form without `template` has `seed: true`, and `needs` names its operator")
        return self

    @model_validator(mode="after")
    def _one_length(self) -> Form:
        if (self.words is None) == (self.characters is None):
            raise ValueError("a form says either `words` or `characters`")
        return self


class Audience(Section):
    """A reader: one line of text, or the text with the levels of the topics that suit the reader."""

    text: str
    levels: tuple[Level, ...] = LEVELS

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"text": value} if isinstance(value, str) else value

    def suits(self, level: Level | None) -> bool:
        """Whether a topic of this level is for the reader; one that says none is for all."""
        return level is None or level in self.levels
