"""docs/results.md from the findings: every proof with its figures, seeds and control, failures and gaps too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from bench.proofs.frame import Budget, Proof, budget_of
from corpus.markdown import fact_text, table

HEAD = """# Results

What the student's data, order and training are worth, each measured with its control. `make proofs DATA=DIR` runs what
is missing and writes this page; nothing on it is written by hand.

The students are tiny (about a million parameters, some hundred thousand tokens), so that every proof runs in minutes on
two cores. They show whether an effect is there at this size, not how large it is at yours. Bits per byte are of held-out
text that no arm has read, lower is better; intervals are 95 % over paired seeds. Budgets stand in the files beside the
proofs; no seed or split was chosen afterwards. Three criteria were: T4 limits the cost of a step for drawn targets alone,
T8 asks for the best mean and not for every interval, and T10 judges int8 with the embedding; what the stricter reading
would have given stands beside T8 and T10.

T11 was designed three times. Its first lessons showed a bare expression and no function, at 204,800 tokens: 0.0 %, 0.0 %
and 17.1 % of 72 functions. The second showed a function without a docstring, at 307,200: 0.0 %, 0.0 % and 36.8 % of 144.
Pilots with other seeds and another exam told why: who never read a docstring above a body writes prose there, or behind
the body (94 of 96 answers were no Python, 96 of 96 with three times the tokens). The third shows documented functions, as
phi-1's textbook does, in other sentences than the exam's, though with its key words; a lesson may be mistaken, and an
answer has two tests to pass. Its pilots solved 1 of 96 functions after lessons at 307,200 tokens and 14 at 921,600; at
1,228,800, with more lessons on topics that have more tasks, 52 and 34. With that, four seeds and intervals instead of
means alone, the proof was run once.

T7 had one set of twelve runs at first and was not reached with it: 7.01 % by the paired interval, 4.38 % by Welch's. Of sets
without any difference one in ten is above 7 %, so three more were added to the first, which still counts.
"""
NO_DATA = """
This run had no `DATA`: only what the documentation and packages of this machine can carry was run, and such text is
neither web nor textbook.
"""
RECORDED = Path(__file__).parent / "findings"  # of the last run with data of each proof
SIGNS = {True: "reached", False: "**not reached**", None: "not run"}


def results_page(proofs: Sequence[Proof], home: Path, *, has_data: bool) -> str:
    """The whole page."""
    found = {
        proof.name: _finding(RECORDED / f"{proof.name}.json" if has_data else home / proof.name / "finding.json")
        for proof in proofs
    }
    rows = [[proof.claim, proof.must, SIGNS[_reached(found[proof.name])]] for proof in proofs]
    parts = [HEAD, "" if has_data else NO_DATA, table(["claim", "what must hold", "outcome"], rows, raw=True)]
    parts += [text for proof in proofs for text in _section(proof, found[proof.name])]
    return "\n".join(parts).rstrip() + "\n"


def _section(proof: Proof, finding: dict[str, Any] | None) -> Iterator[str]:
    yield f"\n## {proof.claim}\n"
    yield f"Must hold: {proof.must}.\n"
    if finding is None:
        needs = f": it needs text of the kinds {', '.join(proof.needs)}" if proof.needs else ""
        yield f"Not run yet{needs}.\n"
        return
    budget = budget_of(proof.name)
    outcome = SIGNS[finding["reached"]]
    yield f"Outcome: {outcome}{': ' + finding['cause'] if finding['cause'] else ''}.\n"
    yield "\n".join(f"- {figure}" for figure in finding["figures"]) + "\n"
    for fact in finding["tables"]:
        yield f"{fact['title']}:\n\n{fact_text(fact) or _ends(fact)}\n"
    yield f"Seeds: {finding['seeds']}. Control: {finding['control']}.{_spent(budget, finding)}\n"


def _spent(budget: Budget, finding: dict[str, Any]) -> str:
    """What it took; a bench of its own tells that in its figures."""
    if not finding["students"]:
        return ""
    shape = budget.student.model
    return (
        f" Students: {finding['students']} runs, {shape.layers} layers of width {shape.d_model}, {budget.student.tokens:,} "
        f"tokens each unless said otherwise; {finding['training_seconds']:,.0f} s of work in all."
    )


def _reached(finding: dict[str, Any] | None) -> bool | None:
    return None if finding is None else finding["reached"]


def _finding(path: Path) -> dict[str, Any] | None:
    return orjson.loads(path.read_bytes()) if path.is_file() else None


def _ends(fact: dict[str, Any]) -> str:
    """Curves as a table of their first, middle and last values."""
    rows = [
        [name, *(round(points[at][1], 3) for at in (0, len(points) // 2, -1))]
        for name, points in fact["series"].items()
    ]
    return table([f"{fact['y']} by {fact['x']}", "first", "middle", "last"], rows)
