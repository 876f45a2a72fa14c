"""G13: what plurality and reversal keep and drop, on answerers and programs whose worth is known beforehand.

`python -m bench.operators [--items N] [--seed S]` prints two tables (RECIPES V5 and V6). The answerers and the writers of
code are simulated with known error rates; the operators are the shipped ones, driven as a run drives them, from JSON and
text replies to a draft or a reason. Programs are those of `tests/generator/operators/reversals.yaml`, which is our own.
"""

from __future__ import annotations

import argparse
import ast
import copy
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

from generator.operators.answers import normalised
from generator.operators.config import PluralityConfig, ReverseConfig
from generator.operators.play import Answer, Ask, Draft, Dropped, Play, Setting
from generator.operators.plurality import plurality
from generator.operators.reverse import reverse
from generator.plan import Cell, Slot
from prompts.library import Library, load_library

PROGRAMS = Path(__file__).parents[1] / "tests" / "generator" / "operators" / "reversals.yaml"
NUMERALS = "零一二三四五六七八九"


def play_out(play: Play, reply: Callable[[Ask], str]) -> Draft | Dropped:
    """The end of a play whose every request is answered by `reply`."""
    try:
        asks = next(play)
        while True:
            asks = play.send([Answer(reply(ask)) for ask in asks])
    except StopIteration as end:
        return end.value
    except Dropped as dropped:
        return dropped


def setting(form: str, run_tests: Callable[[str, str], tuple[bool, str]] | None = None) -> Setting:
    """Any slot of the form; neither operator looks at its cell."""
    cell = Cell("mathematics", "Sums", form, "school", "en", "plain")
    return Setting(Slot("bench", cell, 0), 0, _library(), run_tests)


@cache
def _library() -> Library:
    return load_library()


# Plurality: arithmetic of known difficulty


@dataclass
class Plurality:
    """Questions by difficulty and what became of them; right answers among the kept, by label and by single sample."""

    ends: dict[str, Counter[str]] = field(default_factory=dict)
    labels_right: int = 0
    samples_right: float = 0.0
    kept: int = 0

    def share(self, difficulty: str, *reasons: str) -> float:
        """Share of the questions of a difficulty that ended so."""
        found = self.ends[difficulty]
        return sum(found[reason] for reason in reasons) / found.total()


@dataclass(frozen=True)
class Difficulty:
    """How often an answerer is right, and how many wrong answers he may fall for; 0 right where nothing is."""

    name: str
    right: float
    traps: int


DIFFICULTIES = (
    Difficulty("trivial", 0.998, 2),
    Difficulty("at the edge", 0.68, 5),
    Difficulty("unanswerable", 0.0, 12),
)


def plurality_figures(items: int = 600, seed: int = 1, answers: int = 7) -> Plurality:
    """`items` sums of each difficulty, each answered `answers` times by an answerer of its error rate."""
    draw, found, place = random.Random(seed), Plurality(), setting("short_answer_question")
    config = PluralityConfig(answers=answers)
    for difficulty in DIFFICULTIES:
        found.ends[difficulty.name] = Counter()
        for _ in range(items):
            a, b = draw.randint(11, 99), draw.randint(11, 99)
            told = [_answered(a * b, difficulty, draw) for _ in range(answers)]
            replies = iter(told)
            end = play_out(
                plurality(Draft(f"What is {a} times {b}?"), config, place), lambda ask, left=replies: next(left)
            )
            found.ends[difficulty.name][end.reason if isinstance(end, Dropped) else "kept"] += 1
            if isinstance(end, Draft):
                _mark(found, end, told, a * b)
    return found


def _mark(found: Plurality, draft: Draft, told: Sequence[str], truth: int) -> None:
    label = draft.text.rsplit("Answer:", 1)[1]
    found.kept += 1
    found.labels_right += normalised(label) == str(truth)
    found.samples_right += sum(normalised(json.loads(item)["answer"]) == str(truth) for item in told) / len(told)


def _answered(truth: int, difficulty: Difficulty, draw: random.Random) -> str:
    value = truth if draw.random() < difficulty.right else truth + 10 * draw.randint(1, difficulty.traps)
    return json.dumps({"reasoning": "Tens and ones are multiplied and added.", "answer": _written(value, draw)})


def _written(value: int, draw: random.Random) -> str:
    """The same number as different writers put it."""
    return draw.choice(
        [str(value), f"{value:,}", f"{value}.0", f"The answer is {value}.", f"\\boxed{{{value}}}", _chinese(value)]
    )


def _chinese(value: int) -> str:
    return "".join(NUMERALS[int(digit)] for digit in str(value))


# Reversal: programs that are rewritten rightly and wrongly


@dataclass
class Reversal:
    """Pairs by kind and what became of them; of the kept, how many pass the original's tests."""

    ends: dict[str, Counter[str]] = field(default_factory=dict)
    kept: int = 0
    kept_passing: int = 0

    def share(self, kind: str, reason: str) -> float:
        """Share of the pairs of a kind that ended so."""
        return self.ends[kind][reason] / self.ends[kind].total()


def reversal_figures(tests: bool) -> Reversal:
    """Every program with right and planted wrong rewritings, judged by its tests or by syntax alone."""
    found, place = Reversal(), setting("function_exercise", run_here if tests else None)
    programs = yaml.safe_load(PROGRAMS.read_text("utf-8"))
    for index, program in enumerate(programs):
        other = programs[(index + 1) % len(programs)]["code"]
        for kind, again in _rewritings(program, other):
            text = f"```python\n{program['code']}```\n" + (f"\n```python\n{program['tests']}```\n" if tests else "")
            replies = iter([program["instruction"], f"```python\n{again}\n```"])
            end = play_out(
                reverse(Draft(text), ReverseConfig(keep="regenerated"), place), lambda ask, left=replies: next(left)
            )
            found.ends.setdefault(kind, Counter())["rejected" if isinstance(end, Dropped) else "kept"] += 1
            if isinstance(end, Draft):
                found.kept += 1
                found.kept_passing += run_here(again, program["tests"])[0]
    return found


def _rewritings(program: dict[str, str], other: str) -> Iterator[tuple[str, str]]:
    yield "right: other names", renamed(program["code"])
    yield "right: another way", program["again"]
    yield "wrong: another program", other.replace(_name(other), _name(program["code"]))
    for mutant in mutants(program["code"]):
        yield "wrong: one change", mutant


def _name(code: str) -> str:
    return next(node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef))


def renamed(code: str) -> str:
    """The program with a docstring and other names for what it binds inside."""
    tree = ast.parse(code)
    inner = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    inner -= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in inner:
            node.id = f"the_{node.id}"
        if isinstance(node, ast.FunctionDef):
            node.body.insert(0, ast.Expr(ast.Constant("Does what was asked.")))
    return ast.unparse(ast.fix_missing_locations(tree))


SWAPPED: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mod: ast.FloorDiv, ast.FloorDiv: ast.Mod, ast.Div: ast.Mult, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.And: ast.Or, ast.Or: ast.And, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is, ast.In: ast.NotIn,
}  # fmt: skip


def mutants(code: str) -> list[str]:
    """The program with one operator turned into its opposite, or one number raised by one, at each place in turn."""
    found = []
    for place in range(sum(1 for _ in ast.walk(ast.parse(code)))):
        tree = copy.deepcopy(ast.parse(code))
        if _mutate(list(ast.walk(tree))[place]):
            found.append(ast.unparse(tree))
    return found


def _mutate(node: ast.AST) -> bool:
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)) and type(node.op) in SWAPPED:
        node.op = SWAPPED[type(node.op)]()
        return True
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        node.ops[0] = SWAPPED[type(node.ops[0])]()
        return True
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        node.value += 1
        return True
    return False


def run_here(code: str, tests: str) -> tuple[bool, str]:
    """Tests of our own programs in this process; what a teacher wrote is run in the jail."""
    space: dict[str, object] = {}
    try:
        exec(code, space)
        exec(tests, space)
    except Exception as error:
        return False, f"{type(error).__name__}: {error}"[:200]
    return True, "all pass"


def main() -> None:
    """Print both tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--items", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    told = options.parse_args()
    found = plurality_figures(told.items, told.seed)
    print(f"plurality, 7 answers, {told.items:,} sums of each difficulty, seed {told.seed}")
    for name, ends in found.ends.items():
        print(
            f"  {name:<14}"
            + "  ".join(f"{reason} {count / ends.total():.3f}" for reason, count in sorted(ends.items()))
        )
    print(f"  kept {found.kept:,}: the plurality label is right in {found.labels_right / found.kept:.3f}, a single sample in "
          f"{found.samples_right / found.kept:.3f}")  # fmt: skip
    for tests in (True, False):
        pairs = reversal_figures(tests)
        print(f"reversal, judged by {'tests' if tests else 'syntax'}")
        for kind, ends in pairs.ends.items():
            print(
                f"  {kind:<24}{ends.total():>5} pairs  kept {pairs.share(kind, 'kept'):.3f}  rejected {pairs.share(kind, 'rejected'):.3f}"
            )
        print(f"  kept {pairs.kept}: {pairs.kept_passing / pairs.kept:.3f} pass the original's tests")


if __name__ == "__main__":
    main()
