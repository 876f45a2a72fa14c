"""Answers by likelihood: how often the right option is the likeliest, with an interval and beside chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.evaluation.likelihood import Likelihood, likelihoods
from trainer.evaluation.questions import Question
from trainer.evaluation.student import Student

Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class Answer:
    """`right` by the sum of log-likelihoods, `right_per_byte` by that over the option's bytes. `nats` has one number an
    option, `bits` is what a byte of the right option costs."""

    question: Question
    right: bool
    right_per_byte: bool
    nats: tuple[float, ...]
    bits: float


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of right answers and its 95 % Wilson interval. `chance` is what guessing gives; 0 where nobody can guess."""

    count: int
    share: float
    low: float
    high: float
    chance: float

    @classmethod
    def of(cls, right: Sequence[bool], chance: float) -> Rate:
        """Of single answers."""
        count, hits = len(right), sum(right)
        if not count:
            return cls(0, math.nan, 0.0, 1.0, chance)
        share, weight = hits / count, Z * Z / count
        middle = (share + weight / 2) / (1 + weight)
        half = Z * math.sqrt(share * (1 - share) / count + weight / (4 * count)) / (1 + weight)
        return cls(count, share, max(0.0, middle - half), min(1.0, middle + half), chance)


def answers(student: Student, questions: Sequence[Question]) -> list[Answer]:
    """The student's answer to each question."""
    found = iter(likelihoods(student, [option for question in questions for option in question.options]))
    return [_answer(question, [next(found) for _ in question.options]) for question in questions]


def _answer(question: Question, options: Sequence[Likelihood]) -> Answer:
    nats = tuple(option.nats for option in options)
    gold = options[question.gold]
    bits = gold.nats / math.log(2) / max(1, gold.bytes)
    if len(options) == 1:
        return Answer(question, gold.greedy, gold.greedy, nats, bits)
    each = [option.nats / max(1, option.bytes) for option in options]
    return Answer(question, int(np.argmin(nats)) == question.gold, int(np.argmin(each)) == question.gold, nats, bits)


def rate(given: Sequence[Answer], right: Callable[[Answer], bool] = lambda answer: answer.right) -> Rate:
    """The share of right answers. Questions with one option alone have no chance."""
    options = [len(answer.question.options) for answer in given]
    chance = float(np.mean([1 / count if count > 1 else 0.0 for count in options])) if options else 0.0
    return Rate.of([right(answer) for answer in given], chance)


def by_group(given: Sequence[Answer]) -> dict[str, Rate]:
    """Rates by paradigm or subject, where the benchmark has them."""
    groups = sorted({answer.question.group for answer in given} - {""})
    return {group: rate([answer for answer in given if answer.question.group == group]) for group in groups}
