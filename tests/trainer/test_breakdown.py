"""The loss by source and language is the loss of those documents' tokens, also across a stop, and by several sources few curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from corpus.errors import IncompleteError
from tests.trainer.test_team import pair
from trainer import breakdown
from trainer.attention import suit_attention
from trainer.breakdown import Breakdown, Codes
from trainer.config import StudentConfig
from trainer.loss import StudentLoss
from trainer.model import build
from trainer.optimizers import optimizers_for
from trainer.packing import TokenShards, pack
from trainer.step import Stepper
from trainer.team import Team
from trainer.train import train

TEXTS = [f"{word} stone holds water " * 9 for word in ("small", "great", "river", "light", "engine", "letter")]
SOURCES = ["web", "books", "web", "books", "web", "web"]
LANGUAGES = ["en", "en", "zh", "en", "en", "zh"]


@pytest.fixture
def mixed(tokenizer: Path, tmp_path: Path) -> TokenShards:
    return pack(TEXTS, tokenizer, tmp_path / "mixed", sources=SOURCES, languages=LANGUAGES)


def test_a_target_belongs_to_the_document_it_stands_in_and_the_end_to_the_one_that_ends(mixed: TokenShards) -> None:
    codes, places = Codes(mixed), np.arange(1, len(mixed.tokens))
    found = codes.at(places)
    owner = np.repeat(np.arange(6), np.diff(mixed.offsets))
    for axis, given in (("source", SOURCES), ("language", LANGUAGES)):
        names, group = codes.axes[axis]
        assert [names[group[code]] for code in found] == [given[document] for document in owner]
    assert codes.at(np.array([-1]))[0] == codes.count, "what the student wrote itself is nobody's"


def test_a_steps_losses_by_source_are_those_of_the_tokens_one_by_one(config: StudentConfig, mixed: TokenShards) -> None:
    config = config.model_copy(update={"dtype": "float32", "micro_batch_tokens": 64})
    model = build(config, 320, mixed.pack["eos"])
    suit_attention(model, 32, torch.device("cpu"))
    stepper = Stepper(
        config, mixed, StudentLoss(model, "float32"), optimizers_for(model, config.optimizer, "float32"), Team(), torch.device("cpu")
    )  # fmt: skip
    places = stepper._plan.places(config.seed, 0, config.windows)
    inputs, targets = (
        torch.from_numpy(np.asarray(mixed.tokens[item], np.int64)) for item in (places.inputs, places.targets)
    )
    with torch.no_grad():
        nats = torch.nn.functional.cross_entropy(
            model(input_ids=inputs).logits.flatten(0, 1), targets.flatten(), reduction="none"
        ).numpy()
    found = stepper.step(0)
    assert found.by_code.sum(1).tolist() == pytest.approx([found.hard * 128, 128], rel=1e-6)
    document = np.searchsorted(mixed.offsets, places.targets.ravel(), side="right") - 1
    add = Breakdown(stepper.codes)
    add.add(found.by_code)
    told = add.point(128)
    assert set(told) == {"source/web", "source/books", "language/en", "language/zh"}
    for axis, given in (("source", SOURCES), ("language", LANGUAGES)):
        for name in set(given):
            mine = np.isin(document, [place for place, other in enumerate(given) if other == name])
            assert told[f"{axis}/{name}"] == pytest.approx(nats[mine].mean(), rel=1e-5)


def test_points_are_those_of_an_undisturbed_run_and_of_a_team_after_a_stop_between_two_of_them(
    config: StudentConfig, mixed: TokenShards, tokenizer: Path, tmp_path: Path
) -> None:
    config = config.model_copy(update={"log_every": 5, "checkpoint_every": 1, "dtype": "float32"})
    whole = train(config, mixed.folder, tokenizer, tmp_path / "whole")
    assert [tokens for tokens, _ in whole.by["source"]["web"]] == [5 * 128, 10 * 128, 12 * 128]
    steps: list[int] = []
    with pytest.raises(IncompleteError):
        train(config, mixed.folder, tokenizer, tmp_path / "cut", should_stop=lambda: steps.append(0) or len(steps) == 7)  # type: ignore[func-returns-value]
    cut = train(config, mixed.folder, tokenizer, tmp_path / "cut")
    assert cut.by == whole.by
    assert pair(config.model_copy(update={"workers": 2}), mixed.folder, tokenizer, tmp_path / "two") == [0, 0]
    together = train(config, mixed.folder, tokenizer, tmp_path / "two").by
    for axis, groups in whole.by.items():
        for name, points in groups.items():
            assert np.allclose(together[axis][name], points, rtol=1e-3)


def test_curves_are_in_tensorboard_and_a_corpus_of_one_kind_has_none(
    config: StudentConfig, shards: TokenShards, mixed: TokenShards, tokenizer: Path, tmp_path: Path
) -> None:
    train(config, mixed.folder, tokenizer, tmp_path / "mixed-out")
    (events,) = (tmp_path / "mixed-out" / "tensorboard").iterdir()
    assert b"loss_by_source/books" in events.read_bytes()
    assert b"loss_by_language/zh" in events.read_bytes()
    assert train(config, shards.folder, tokenizer, tmp_path / "one-out").by == {}


def test_sources_beyond_the_largest_are_one(tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakdown, "MOST", 2)
    texts = ["a river " * count for count in (2, 9, 3, 8, 1)]
    names, group = Codes(pack(texts, tokenizer, tmp_path / "p", sources=list("abcde"))).axes["source"]
    assert names == ["b", "d", "other"]
    assert sorted(group.tolist()) == [0, 1, 2]
