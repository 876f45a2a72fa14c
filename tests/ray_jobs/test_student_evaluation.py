"""`student evaluate`: one command measures panels, benchmarks and made questions, and says what was read before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import RecipeError
from ray_jobs.student_evaluation import Wanted, evaluate_files
from tests.trainer.evaluation.conftest import model

__all__ = ["model"]


def write(path: Path, rows: list[dict]) -> str:
    path.write_text("\n".join(map(json.dumps, rows)))
    return str(path)


def test_everything_that_is_asked_for_is_measured_and_contamination_stands_beside_it(
    model: Path, tmp_path: Path
) -> None:
    sentence = "The river turns under the stone and the small light moves over great water with a letter."
    held = write(tmp_path / "held.jsonl", [{"id": f"h{i}", "text": f"{sentence} The engine number {i} holds the river and the great stone under a small light of water {i}."} for i in range(6)])  # fmt: skip
    known = (
        "Which of the seven ancient bridges over the winding river collapsed during the terrible storm of that year?"
    )
    rows = [{"id": "a", "question": known, "choices": ["stone", "iron"], "answer": "A"},
            {"id": "b", "question": "What do the quiet engineers measure before the heavy machine begins to turn again?", "choices": ["light", "oil"], "answer": "B"}]  # fmt: skip
    read = write(tmp_path / "read.jsonl", [{"id": "r", "text": f"A quiz: {known} Nobody knew."}])
    wanted = Wanted(
        {"held-out": [held]}, [write(tmp_path / "quiz.jsonl", rows), "cloze", "zh-pairs", "samples"], [read], 20, 1, 3
    )
    lines: list[str] = []
    told = evaluate_files(model, wanted, lines.append)
    assert 0 < told["panels"]["held-out"]["bits_per_byte"] < 8
    quiz, cloze, pairs = told["benchmarks"]
    assert quiz["contaminated"] == {"found": 1, "checked": 2, "clean": quiz["contaminated"]["clean"]}
    assert quiz["contaminated"]["clean"]["items"] == 1
    assert cloze["chance"] == 0.25
    assert pairs["items"] == 20
    assert len(told["samples"]) == 3
    assert "1 of 2 checkable items stand in the training text" in lines[1]
    assert "contamination unknown" in lines[2]
    assert told == json.loads(json.dumps(told))


def test_a_folder_without_a_student_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no exported student"):
        evaluate_files(tmp_path, Wanted({}, [], [], None, 1, 0), print)
