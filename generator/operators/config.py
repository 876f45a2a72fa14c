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


class OperatorConfig(Section):
    """One operator, and the forms that it is for. Operators run in the recipe's order."""

    forms: tuple[str, ...] = ()
    """Forms by id. When empty: the forms that need this operator, and for `revise` every form."""
    revise: ReviseConfig | None = None
    """Self-revision."""

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


GENERAL = frozenset({"revise"})  # operators that make a better text of any
