"""A classifier by name, by repository and by path; what cannot be had is named, with what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from corpus.errors import RecipeError, SetupError
from corpus.hub import fetch_file
from filters.chain import at_top
from filters.config import FilterConfig
from filters.published import PUBLISHED, open_classifier
from filters.word_bag import fit_bag


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fastText file with the labels of DCLM's."""
    import fasttext

    folder = tmp_path_factory.mktemp("theirs")
    lines = ["__label__hq because it follows that", "__label__cc buy now for free"] * 40
    (folder / "lines.txt").write_text("\n".join(lines), "utf-8")
    model = fasttext.train_supervised(str(folder / "lines.txt"), dim=4, bucket=100, epoch=20, thread=1, verbose=0)
    model.save_model(str(folder / "model.bin"))
    return folder / "model.bin"


def nowhere(repo: str, file: str) -> Path:
    raise AssertionError(f"{repo} {file} was asked for")


def test_a_published_name_and_a_repository_are_fetched_and_their_labels_understood(theirs: Path) -> None:
    asked: list[tuple[str, str]] = []

    def fetch(repo: str, file: str) -> Path:
        asked.append((repo, file))
        return theirs

    for named in ("dclm", "someone/model:model.bin@__label__hq=1"):
        good, bad = open_classifier(named, fetch).score(["it follows because", "free: buy"])
        assert good > 0.5 > bad
    assert asked == [(PUBLISHED["dclm"].repo, PUBLISHED["dclm"].file), ("someone/model", "model.bin")]


def test_a_path_is_opened_whoever_wrote_it(theirs: Path, tmp_path: Path) -> None:
    assert open_classifier(f"{theirs}@__label__cc=1,__label__hq=0.25", nowhere).score(["it follows because"])[0] < 0.5
    bag = fit_bag(["because it follows"] * 5 + ["buy now"] * 5, np.arange(10) < 5)
    bag.save(tmp_path / "own.bin")
    assert open_classifier(str(tmp_path / "own.bin"), nowhere).score(["because it follows"])[0] > 0.5


@pytest.mark.parametrize(("named", "kind", "said"), [
    ("gone.bin", SetupError, "no such file"), ("x/y:z.bin@hq", RecipeError, "no points"),
])  # fmt: skip
def test_what_cannot_be_read_is_named(named: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        open_classifier(named, nowhere)


def test_without_a_network_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub.constants as settings

    monkeypatch.setattr(settings, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(settings, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(SetupError) as caught:
        fetch_file("someone/model", "model.bin")
    assert "not in the local cache" in str(caught.value)


def test_the_best_share_of_the_web_texts_stays_whatever_the_scores() -> None:
    rows = 50
    documents = pa.table({"id": [str(n) for n in range(rows)], "source": ["web"] * 40 + ["synthetic"] * 10})
    scores = pa.table({"id": documents["id"], "quality.teaches": pa.array(np.linspace(0.01, 0.5, rows), pa.float32())})
    found = at_top([(documents, scores)], FilterConfig(quality=0, quality_top=0.1))
    web = scores["quality.teaches"].to_numpy()[:40]
    assert (web >= np.float32(found.quality)).sum() == 4
    assert at_top([(documents, scores)], FilterConfig(quality=0.9, quality_top=0.1)).quality == 0.9
    assert at_top([(documents, scores)], FilterConfig(quality=0.3)).quality == 0.3
