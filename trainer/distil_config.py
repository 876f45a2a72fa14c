"""The recipe's section for distillation: what is learned from the teacher's distributions, and how much of it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from corpus.config import Section

Targets = Literal["topk", "tail", "sampled", "unbiased", "full"]


class DistilConfig(Section):
    """The loss of a labelled token: (1 − alpha) · CE + alpha · temperature² · divergence(teacher, student)."""

    targets: Targets = "unbiased"
    """`topk`: the cached entries scaled to sum to one (biased: the student becomes over-confident); `tail`: the same with
    one bucket for all other tokens; `sampled`: frequencies of tokens drawn from the teacher when the labels were made;
    `unbiased`: the cached entries as they are and, where the text's own token is none of them, that token whole, which
    is right for text that this teacher drew at temperature 1 from its whole vocabulary; `full`: the whole distribution
    of a teacher in this process."""
    loss: Literal["forward", "reverse", "js"] = "forward"
    """KL(teacher ‖ student), KL(student ‖ teacher), or the Jensen-Shannon divergence; the last two need `tail` or `full`."""
    alpha: float = Field(default=0.9, ge=0, le=1)
    """Share of the divergence. At 0 training is the same, bit for bit, as without distillation."""
    temperature: float = Field(default=1.0, gt=0, le=10)
    """Flattens both distributions; other than 1 it needs `topk` or `full`, where the flattened teacher is known."""
    entries: int | None = Field(default=None, ge=1)
    """Cached entries a token that are used; all of them when not set."""
    teacher: str = ""
    """Folder of the teacher for `full` and `on_policy`, or `embedded`."""
    on_policy: float = Field(default=0.0, ge=0, le=1)
    """Share of the steps that read what the student itself continues (GKD), scored by the teacher in this process."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.loss != "forward" and self.targets not in ("tail", "full"):
            raise ValueError(
                f"loss {self.loss} needs the teacher's whole mass: targets `tail` or `full`, not `{self.targets}`"
            )
        if self.temperature != 1 and self.targets not in ("topk", "full"):
            raise ValueError(f"temperature {self.temperature} needs targets `topk` or `full`, not `{self.targets}`")
        if (self.on_policy or self.targets == "full") and not self.teacher:
            raise ValueError("`full` and `on_policy` ask a teacher in this process: name its folder in `teacher`")
        if self.on_policy and self.targets != "full":
            raise ValueError("`on_policy` scores new text, for which nothing is cached: it needs targets `full`")
        return self
