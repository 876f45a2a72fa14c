"""The closed loop: weak cells get more, both lines spend the same, and a loop that is done asks nobody again."""

from __future__ import annotations

from pathlib import Path

from ray_jobs.closed_loop import Loop, closed_loop
from ray_jobs.resolve import resolve
from tests.fakes.fake_teacher import FakeTeacher


def test_weak_cells_get_more_and_the_even_line_is_compared_at_equal_tokens(recipe: Path, fake: FakeTeacher) -> None:
    settings = [
        "generate.domains=[biology, mathematics, history]", "generate.forms=[textbook_section]", "generate.documents=24",
        "student={tokens: 8192, vocab_size: 512, batch_tokens: 512, model: {context: 64, layers: 1, d_model: 32, heads: 1, ff: 64}}",
    ]  # fmt: skip
    said: list[str] = []
    loop = Loop(resolve(str(recipe), settings).recipe, rounds=1, seeds=2)
    manifest = closed_loop(loop, said.append)
    budgets = {row[1]: row for row in manifest.facts["loop.budgets"]["rows"]}
    assert sum(row[5] for row in budgets.values()) == 24
    weakest, strongest = max(budgets.values(), key=_loss), min(budgets.values(), key=_loss)
    assert weakest[5] > strongest[5] > 0
    assert [row[0] for row in manifest.facts["loop.lines"]["rows"]] == ["closed", "uniform"]
    assert manifest.facts["loop.verdict"]["rows"][0][0].startswith("on held-out text: 2 seeds cannot tell")
    assert {row[0] for row in manifest.facts["loop.cells"]["rows"]} == {"all", *budgets}
    asked = fake.counts()["requests"]
    assert asked > 0
    closed_loop(loop, said.append)
    assert fake.counts()["requests"] == asked


def _loss(row: list) -> float:
    return row[2]
