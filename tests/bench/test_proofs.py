"""Proofs: one a file with its budget, and a page that shows what was reached, what was not, and what was not run."""

from __future__ import annotations

from pathlib import Path

import orjson

from bench.proofs.__main__ import proofs_found
from bench.proofs.frame import Finding, budget_of
from bench.proofs.material import HELD_OUT, Material
from bench.proofs.page import results_page
from corpus.facts import table


def test_every_proof_has_a_budget_of_its_own_and_at_least_three_seeds() -> None:
    proofs = proofs_found()
    assert {"t05_curated", "t06_synthetic", "t07_null", "t08_order"} <= {proof.name for proof in proofs}
    for proof in proofs:
        assert budget_of(proof.name).seeds >= 3
        assert proof.needs or proof.on_machine


def test_the_page_shows_failures_and_gaps_as_well_as_what_was_reached(tmp_path: Path) -> None:
    good, bad, *rest = proofs_found()
    for proof, reached in ((good, True), (bad, False)):
        told = Finding(
            reached,
            ["a figure"],
            "3 seeds",
            "a control",
            [table("Arms", ["arm", "bits"], [["raw", 2.5]])],
            "" if reached else "too small",
        )
        (tmp_path / proof.name).mkdir()
        body = {"students": 9, "training_seconds": 60.0, **told.told()}
        (tmp_path / proof.name / "finding.json").write_bytes(orjson.dumps(body))
    page = results_page([good, bad, *rest], tmp_path, has_data=False)
    rows = [line for line in page.splitlines() if line.startswith("| T")]
    assert rows[0].endswith("| reached |")
    assert rows[1].endswith("| **not reached** |")
    assert all(row.endswith("| not run |") for row in rows[2:])
    assert "**not reached**: too small" in page
    assert "had no `DATA`" in page


def test_held_out_and_training_text_never_meet(tmp_path: Path) -> None:
    rows = [{"id": f"w{i}", "text": f"Page {i} " * 60, "label": "web", "source": "s"} for i in range(300)]
    rows += [{"id": "lower", "text": "no capital letter here " * 20, "label": "web", "source": "s"}]
    (tmp_path / "web.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)))
    material = Material(tmp_path)
    train, held = ({text.id for text in part} for part in (material.train("web"), material.held("web")))
    assert not train & held
    assert train | held == {f"w{i}" for i in range(300)}
    assert 0.5 * HELD_OUT < len(held) / 300 < 1.5 * HELD_OUT


def test_the_results_page_is_the_one_of_the_recorded_findings(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    page = results_page(proofs_found(), tmp_path, has_data=True)
    assert page == (root / "docs" / "results.md").read_text("utf-8"), "run: make proofs DATA=DIR ARGS=--page-only"
