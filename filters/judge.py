"""A judge scores a sample: an additive rubric of 0 to 5 points, the score expected over the judge's own probabilities.

One token is asked for, with its likely alternatives: the expected score tells apart what a single digit calls equal,
and costs no more. What the judge gave to no digit at all is kept beside the score, so that a judge who does not answer
the question is seen and not averaged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from corpus.errors import RecipeError, SetupError
from prompts.questions import question
from prompts.seeds import Seed, fenced
from prompts.templates import Message

POINTS = range(6)
RUBRICS = ("prose", "code")
LIMIT = 6000  # characters of a text that the judge reads (FineWeb-Edu cut its pages likewise)
LEAST_MASS = 0.5  # of the probability on digits, mean over a sample, below which the judge does not judge
LEAST_SPREAD = 0.15  # points of standard deviation below which it says the same to everything
JUDGED = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        ("score", pa.float32()),
        ("mass", pa.float32()),
        ("rubric", pa.string()),
        ("judge", pa.string()),
    ]
)
"""One row a text: the expected score, 0 to 5, the probability that was on the digits at all, and who judged by what."""


class Judge(Protocol):
    """Gives, for each prompt, the likeliest first tokens of the answer with their log-probabilities."""

    name: str

    def first_tokens(self, prompts: Sequence[Sequence[Message]]) -> list[Mapping[str, float]]:
        """One result a prompt, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """The expected score, 0 to 5, and the probability that the judge gave to the six digits together."""

    score: float
    mass: float


def verdict_of(told: Mapping[str, float]) -> Verdict:
    """The expected score over the digits among the likely tokens; nan where there is none of them."""
    weights = dict.fromkeys(POINTS, 0.0)
    for token, logprob in told.items():
        if (bare := token.strip()) in "012345" and len(bare) == 1:
            weights[int(bare)] += math.exp(logprob)
    mass = sum(weights.values())
    return Verdict(
        sum(points * weight for points, weight in weights.items()) / mass if mass else math.nan, min(1.0, mass)
    )


def prompt_for(text: str, language: str, rubric: str) -> tuple[Message, ...]:
    """What the judge is asked about a text, which stands between fences that it cannot close."""
    if rubric not in RUBRICS:
        raise RecipeError(f"there is no rubric `{rubric}`", hint=f"known: {', '.join(RUBRICS)}")
    return question(f"judge_{rubric}", language, {"seed": fenced(Seed("", text, language), LIMIT)})


def judge_table(documents: pa.Table, rubric: str, judge: Judge) -> pa.Table:
    """Rows of schema `JUDGED`, one a document, in order. `documents` have `id`, `text` and `language`."""
    columns = [documents[name].to_pylist() for name in ("id", "text", "language")]
    prompts = [prompt_for(text, language, rubric) for _, text, language in zip(*columns, strict=True)]
    verdicts = [verdict_of(told) for told in judge.first_tokens(prompts)]
    size = len(prompts)
    return pa.Table.from_arrays(
        [
            pa.array(columns[0], pa.string()),
            pa.array([item.score for item in verdicts], pa.float32()),
            pa.array([item.mass for item in verdicts], pa.float32()),
            pa.array([rubric] * size, pa.string()),
            pa.array([judge.name] * size, pa.string()),
        ],
        schema=JUDGED,
    )


def check_judge(judged: pa.Table) -> None:
    """Raises `SetupError` where these are no judgements: too little on digits, or the same to good and bad alike."""
    scores = [score for score in judged["score"].to_pylist() if not math.isnan(score)]
    mass = sum(judged["mass"].to_pylist()) / max(1, judged.num_rows)
    if mass < LEAST_MASS or not scores:
        raise SetupError(
            f"the judge put {mass:.2f} of its probability on the digits 0 to 5: it does not answer the question",
            hint="take a larger instruction-tuned model",
        )
    mean = sum(scores) / len(scores)
    spread = math.sqrt(sum((score - mean) ** 2 for score in scores) / len(scores))
    if len(scores) >= 20 and spread < LEAST_SPREAD:
        raise SetupError(
            f"the judge gives {mean:.2f} points to everything (standard deviation {spread:.2f}): these are no labels",
            hint="take a larger instruction-tuned model",
        )
