"""What a recipe says of operators."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from corpus.config import Section


class ReviseConfig(Section):
    """The teacher criticises its own text by a rubric and writes it again."""

    rounds: int = Field(default=1, ge=1, le=5)
    """Rounds of criticism and rewriting; a round that finds no fault is the last."""
    rubric: str = "textbook"
    """What is criticised: a list in `rubrics.yaml` of the library."""
    keep: Literal["last", "better"] = "last"
    """`better` lets the teacher compare the first and the last text in both orders, and keeps the last only where it
    wins both."""


class ReverseConfig(Section):
    """From code to the instruction that it answers, and back."""

    tests: bool = True
    """Run the original's tests on the new code where there are tests, in the jail, which must be there; syntax decides
    elsewhere, and everywhere when false."""
    likeness: float = Field(default=0.8, ge=0, le=1)
    """Where there are no tests to run: share of the syntax tree that code written from the instruction must have in
    common with the original. Its constants, operators and calls must be the same in any case."""
    keep: Literal["original", "regenerated"] = "original"
    """Which of the two programs stands under the instruction."""


class PluralityConfig(Section):
    """A question is kept where independent answers mostly agree, and not all of them."""

    answers: int = Field(default=5, ge=3, le=32)
    """Independent answers to each question."""
    decided: float = Field(default=0.5, gt=0, le=1)
    """Share of the answers that the most frequent one must reach; below it, or tied, the question is undecided."""
    easy: float = Field(default=1.0, gt=0, le=1.01)
    """Share of equal answers at which a question is too easy; 1.01 keeps the easy ones too."""


class DeduceConfig(Section):
    """A question from a chain of deduction in a text."""

    steps: int = Field(default=2, ge=1, le=8)
    """Steps that a chain must have."""
    check: bool = True
    """Have the question answered once more from its own words, and keep it only where both answers agree."""


class RewriteConfig(Section):
    """A passage becomes an exercise, a discussion and a structured solution."""

    discussion: bool = False
    """Keep the discussion in the document; else it is a step on the way and stays in the lineage."""


class DialogueConfig(Section):
    """A conversation about a text, one request a turn."""

    turns: int = Field(default=6, ge=2, le=24, multiple_of=2)
    """Turns of both sides together."""


class OperatorConfig(Section):
    """One operator, and the forms that it is for. Operators run in the recipe's order."""

    forms: tuple[str, ...] = ()
    """Forms by id. When empty: the forms that need this operator, and for `revise` every form."""
    revise: ReviseConfig | None = None
    """Self-revision."""
    reverse: ReverseConfig | None = None
    """Instruction reversal."""
    plurality: PluralityConfig | None = None
    """Plurality filter."""
    deduce: DeduceConfig | None = None
    """Questions from deduction chains."""
    rewrite: RewriteConfig | None = None
    """Rewrite and augment."""
    dialogue: DialogueConfig | None = None
    """Multi-turn dialogue."""

    @model_validator(mode="after")
    def _is_one(self) -> OperatorConfig:
        if len(self.named) != 1:
            raise ValueError(f"one operator is expected in each entry, not {len(self.named)}")
        return self

    @property
    def named(self) -> list[str]:
        """The operators that the entry names: exactly one once it is valid."""
        return [name for name in type(self).model_fields if name != "forms" and getattr(self, name) is not None]

    @property
    def name(self) -> str:
        """The operator's name."""
        return self.named[0]

    def suits(self, form: str, needs: str) -> bool:
        """Whether it works on a form that needs the operator `needs`, or none."""
        if self.forms:
            return form in self.forms
        return needs == self.name or self.name in GENERAL

    def serves(self, form: str, needs: str) -> bool:
        """Whether it is the operator that the form needs."""
        return needs == self.name and self.suits(form, needs)


GENERAL = frozenset({"revise"})  # operators that make a better text of any
