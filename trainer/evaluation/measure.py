"""One benchmark, measured: the score, its interval, chance, and how much of it the student has read before."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from trainer.evaluate import completions
from trainer.evaluation.accuracy import Rate, answers, by_group, rate
from trainer.evaluation.contamination import Seen, contamination
from trainer.evaluation.programs import Attempts, Run, attempt, pass_at
from trainer.evaluation.questions import Benchmark, Question
from trainer.evaluation.student import Student

SIMILAR = 0.8  # phi-1 reports thresholds from .95 down to .80; the widest net is the most honest
STEPS_OF_CODE = 256


@dataclass(frozen=True)
class Score:
    """One benchmark. `clean` is the rate over items not found in the training text; `seen` is None where no training
    text was named, and then nothing is known. `more` holds what only this kind has."""

    name: str
    kind: str
    rate: Rate
    clean: Rate | None = None
    seen: Seen | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """As JSON."""
        seen = self.seen and {
            "found": len(self.seen.found), "checked": len(self.seen.checked), "clean": self.clean and _rate(self.clean),
        }  # fmt: skip
        return {"benchmark": self.name, "kind": self.kind, **_rate(self.rate), "contaminated": seen, **self.more}

    def line(self) -> str:
        """One line for people."""
        chance = f", chance {self.rate.chance:.1%}" if self.rate.chance else ""
        told = f"{self.name:<20} {self.rate.share:6.1%} ({self.rate.low:.1%} to {self.rate.high:.1%}) of {self.rate.count:,} {self.kind}{chance}"
        if self.seen is None:
            return f"{told}; contamination unknown: name the training text with --trained-on"
        clean = f", {self.clean.share:.1%} without them" if self.clean and self.seen.found else ""
        return f"{told}; {len(self.seen.found)} of {len(self.seen.checked)} checkable items stand in the training text{clean}"


def _rate(value: Rate) -> dict[str, Any]:
    share = None if math.isnan(value.share) else round(value.share, 4)
    interval = [round(value.low, 4), round(value.high, 4)]
    return {"items": value.count, "right": share, "interval": interval, "chance": round(value.chance, 4)}


def measure(
    student: Student, benchmark: Benchmark, trained_on: Sequence[str] | None, run: Run | None, samples: int, seed: int
) -> list[Score]:
    """Its questions, and its problems where `run` can run programs (None: they are left out)."""
    seen = None if trained_on is None else contamination(benchmark.items, trained_on)
    scores = [questions_score(student, benchmark.name, benchmark.questions, seen)] if benchmark.questions else []
    if benchmark.problems and run is not None:
        scores.append(_programs_score(student, benchmark, seen, run, samples, seed))
    return scores


def questions_score(student: Student, name: str, questions: Sequence[Question], seen: Seen | None) -> Score:
    """Answers by likelihood."""
    given = answers(student, questions)
    clean = [answer for answer in given if seen and answer.question.name not in seen.found]
    alone = all(len(question.options) == 1 for question in questions)
    kind = "endings" if alone else "pairs" if not any(question.options[0][0] for question in questions) else "choices"
    more: dict[str, Any] = {"bits_per_byte": round(float(np.mean([answer.bits for answer in given])), 4)}
    if kind == "choices":
        more["right_per_byte"] = _rate(rate(given, lambda answer: answer.right_per_byte))
    more["groups"] = {group: round(value.share, 4) for group, value in by_group(given).items()}
    return Score(name, kind, rate(given), rate(clean) if seen else None, seen, more)


def _programs_score(
    student: Student, benchmark: Benchmark, seen: Seen | None, run: Run, samples: int, seed: int
) -> Score:  # fmt: skip
    torch.manual_seed(seed)
    done, unfit = attempt(benchmark.problems, _writer(student, samples), run)
    clean = [item for item in done if seen and item.problem.name not in seen.found]
    more: dict[str, Any] = {f"pass@{k}": round(pass_at(done, k), 4) for k in (1, 10, 100) if k <= samples and done}
    more |= {"attempts": samples, "not_judged": unfit, "why": _why(done)}
    if seen is not None:
        near = [item for item in done if seen.similar.get(item.problem.name, 0.0) >= SIMILAR]
        far = [item for item in done if item not in near]
        more["similar"] = {"problems": len(near), "pass@1": round(pass_at(near, 1), 4) if near else None}
        more["not_similar"] = {"problems": len(far), "pass@1": round(pass_at(far, 1), 4) if far else None}
    return Score(benchmark.name, "programs", _solved(done), _solved(clean) if seen else None, seen, more)


def _writer(student: Student, samples: int) -> Callable[[str], list[str]]:
    """Greedy where one attempt is asked for, else draws at the temperatures of the paper (0.2 for few, 0.8 for many)."""
    temperature = 0.0 if samples == 1 else 0.2 if samples < 10 else 0.8
    return lambda prompt: completions(student, prompt, samples, STEPS_OF_CODE, temperature=temperature)


def _solved(done: Sequence[Attempts]) -> Rate:
    return Rate.of([item.right > 0 for item in done], 0.0)


def _why(done: Sequence[Attempts]) -> dict[str, int]:
    kinds = sorted({kind for item in done for kind in item.why})
    return {kind: sum(item.why.get(kind, 0) for item in done) for kind in kinds}
