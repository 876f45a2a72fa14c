"""Are our likelihoods those of lm-evaluation-harness? Item by item, on the same model, for every form of question.

`python -m bench.evaluation MODEL BENCHMARK… [--limit 100]`, in an environment with `hornbook[eval]`, prints for each benchmark
the largest difference of a log-likelihood (nats), how many options differ in whether they are greedy, in how many questions
the answer differs, and the CPU seconds of both. Exits with 1 where a log-likelihood differs by more than 1e-3.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.evaluation.harness import harness_model
from trainer.evaluation.likelihood import Likelihood, likelihoods
from trainer.evaluation.questions import Question, open_benchmark
from trainer.evaluation.student import open_student

ALLOWED = 1e-3


def main() -> None:
    """All benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("benchmarks", nargs="+")
    parser.add_argument("--limit", type=int, default=100)
    options = parser.parse_args()
    student, harness = open_student(options.model), harness_model(options.model)
    worst = 0.0
    for name in options.benchmarks:
        benchmark = open_benchmark(name, options.limit)
        pairs = [pair for question in benchmark.questions for pair in question.options]
        ours, our_s = _timed(lambda pairs=pairs: likelihoods(student, pairs))
        theirs, their_s = _timed(lambda pairs=pairs: _harness(harness, pairs))
        far = max(abs(-a.nats - b[0]) for a, b in zip(ours, theirs, strict=True))
        greedy = sum(a.greedy != b[1] for a, b in zip(ours, theirs, strict=True))
        other = _answers_differ(benchmark.questions, ours, theirs)
        print(f"{benchmark.name:<16} {len(pairs):>5} options  largest difference {far:.1e}  greedy differs {greedy}  answer differs {other}"
              f"  CPU {our_s:.1f} s, lm-eval {their_s:.1f} s", flush=True)  # fmt: skip
        worst = max(worst, far)
    sys.exit(0 if worst <= ALLOWED else 1)


def _harness(model: Any, pairs: Sequence[tuple[str, str]]) -> list[tuple[float, bool]]:
    from lm_eval.api.instance import Instance

    asked = [Instance("loglikelihood", {}, pair, number) for number, pair in enumerate(pairs)]
    return model.loglikelihood(asked, disable_tqdm=True)


def _answers_differ(
    questions: Sequence[Question], ours: Sequence[Likelihood], theirs: Sequence[tuple[float, bool]]
) -> int:
    places = iter(range(len(ours)))
    different = 0
    for question in questions:
        rows = [next(places) for _ in question.options]
        different += int(np.argmin([ours[row].nats for row in rows]) != np.argmax([theirs[row][0] for row in rows]))
    return different


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.process_time()
    return work(), time.process_time() - begun


if __name__ == "__main__":
    main()
