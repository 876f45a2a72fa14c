"""Held-out panels are measured on the way, and measuring them changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import IncompleteError, RecipeError
from tests.trainer.conftest import texts
from trainer.config import StudentConfig
from trainer.evaluate import bits_per_byte
from trainer.packing import TokenShards
from trainer.train import Progress, train


@pytest.fixture
def panels(tmp_path: Path) -> dict[str, tuple[str, ...]]:
    """The words that the student reads, and text of other letters."""
    near, far = [text[::-1] for text in texts(9)], ["ZXQ 77 " * 20] * 2
    for name, rows in (("near", near), ("far", far)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps({"text": row}) for row in rows), "utf-8")
    return {name: (str(tmp_path / f"{name}.jsonl"),) for name in ("near", "far")}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_watched_student_is_bit_for_bit_one_that_is_not(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path, panels: dict, dtype: str
) -> None:
    plain = config.model_copy(update={"dtype": dtype})
    watched = plain.model_copy(update={"watch": panels, "evaluations": 5})
    found = train(watched, shards.folder, tokenizer, tmp_path / "watched")
    alone = train(plain, shards.folder, tokenizer, tmp_path / "plain")
    assert (found.model / "model.safetensors").read_bytes() == (alone.model / "model.safetensors").read_bytes()
    assert found.curve == alone.curve
    assert alone.watched == {}


def test_panels_are_measured_at_the_start_on_the_way_and_at_the_end_as_the_exported_student_is(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path, panels: dict
) -> None:
    seen: list[Progress] = []
    asked = config.model_copy(update={"watch": panels, "evaluations": 3, "held_out_documents": 4})
    found = train(asked, shards.folder, tokenizer, tmp_path / "it", progress=seen.append)
    assert [point[0] for point in found.watched["near"]] == [0, 4 * 128, 8 * 128, 12 * 128]
    expected = bits_per_byte(found.model, [text[::-1] for text in texts(4)]).mean
    assert found.watched["near"][-1][1] == pytest.approx(expected, rel=1e-5)
    first, last = (found.watched["near"][at][1] for at in (0, -1))
    assert [bool(item.watched) for item in seen] == [step in (1, 4, 8, 12) for step in range(1, 13)]
    assert seen[-1].watched["near"] == pytest.approx((last, last / first - 1))


def test_a_stopped_run_has_every_point_once(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path, panels: dict
) -> None:
    asked = config.model_copy(update={"watch": panels, "evaluations": 6})
    whole = train(asked, shards.folder, tokenizer, tmp_path / "whole")
    seen: list[int] = []
    for stop_at in (2, 7):
        with pytest.raises(IncompleteError):
            train(asked, shards.folder, tokenizer, tmp_path / "cut", progress=lambda p: seen.append(p.step),
                  should_stop=lambda at=stop_at: seen[-1] >= at)  # fmt: skip
    assert train(asked, shards.folder, tokenizer, tmp_path / "cut").watched == whole.watched


def test_a_panel_without_text_and_a_student_in_parts_are_refused(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path, panels: dict
) -> None:
    (tmp_path / "empty.jsonl").write_text("", "utf-8")
    asked = config.model_copy(update={"watch": {"general": (str(tmp_path / "empty.jsonl"),)}})
    with pytest.raises(RecipeError, match=r"student\.watch\.general: no readable document"):
        train(asked, shards.folder, tokenizer, tmp_path / "it")
    with pytest.raises(ValueError, match="not measured on the way"):
        StudentConfig.model_validate({**config.model_dump(), "parallel": "fsdp", "watch": panels})
