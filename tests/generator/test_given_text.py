"""Labels of given text: every token once, equal to the model's own distribution, and refused where they cannot be had."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from corpus.errors import RecipeError, SetupError
from corpus.soft_labels import labels_from, text_hash
from generator.given_text import Window, label_text, load_tokenizer, windows_of
from generator.local_labels import LocalScorer
from generator.teachers.openai_given_text import EndpointScorer, labels_in_prompt
from ray_jobs.label_files import label_files
from tests.fakes.real_teacher import RealTeacher

TEXT = "Water flows down. " * 30 + "Ünïcode 水 ends it."


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of nothing but noise, with a tokenizer of its own."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from trainer.tokenizer import train_tokenizer

    folder = tmp_path_factory.mktemp("model")
    train_tokenizer([TEXT] * 8, 300, folder)
    size = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()
    torch.manual_seed(1)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=size, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=64,
        )
    ).save_pretrained(folder)  # fmt: skip
    return folder


@given(st.integers(0, 400), st.integers(8, 70))
def test_windows_label_every_token_once_and_none_is_too_long(count: int, most: int) -> None:
    ids = list(range(count))
    windows = list(windows_of(ids, 999, most))
    assert [token for window in windows for token in window.ids[window.seen :]] == ids
    assert all(len(window.ids) <= most and window.ids[0] == 999 for window in windows)
    for window in windows[1:]:
        assert window.seen - 1 == most // 4, "the end of the window before is seen"


def test_a_window_that_shows_nothing_is_refused() -> None:
    with pytest.raises(RecipeError, match="too short"):
        list(windows_of([1, 2], 0, 4))


def test_local_labels_are_the_models_own_distribution(model: Path) -> None:
    import torch
    from transformers import LlamaForCausalLM

    tokenizer, start, _ = load_tokenizer(model)
    scorer = LocalScorer(model, "noise")
    labels = label_text(TEXT, tokenizer, start, scorer, 5)
    assert labels is not None
    assert tokenizer.decode(labels.token_ids.tolist()).encode() == TEXT.encode()
    network = LlamaForCausalLM.from_pretrained(model).eval()
    place = 0
    for window in windows_of(labels.token_ids.tolist(), start, scorer.window):
        with torch.inference_mode():
            truth = network(torch.tensor([window.ids])).logits[0].log_softmax(-1).numpy()
        for row, token in zip(truth[window.seen - 1 :], window.ids[window.seen :], strict=False):
            assert labels.logprobs[place] == pytest.approx(row[token], abs=0.01)
            assert labels.top_logprobs[place] == pytest.approx(np.sort(row)[::-1][:5], abs=0.01)
            assert row[labels.top_ids[place]] == pytest.approx(np.sort(row)[::-1][:5], abs=0.01)
            place += 1
    assert place == len(labels) > scorer.window, "more than one window"


def test_a_text_without_a_token_has_no_labels(model: Path) -> None:
    tokenizer, start, _ = load_tokenizer(model)
    assert label_text("", tokenizer, start, LocalScorer(model, "noise"), 2) is None


@pytest.mark.parametrize(
    "told",
    [None, [], [None, {"7": {"logprob": -1.0, "rank": 1}}], [None, {"5": {"logprob": -1.0, "rank": 1}, "6": {"logprob": -2.0, "rank": 2}}]],
    ids=["nothing", "too few tokens", "too few entries", "without the token"],
)  # fmt: skip
def test_an_answer_that_holds_no_labels_is_refused(told: object) -> None:
    with pytest.raises(SetupError):
        labels_in_prompt(told, Window([1, 7], 1), 2)


def test_the_token_itself_beyond_the_likeliest_is_no_entry_of_them() -> None:
    told = [
        None,
        {"7": {"logprob": -9.0, "rank": 40}, "5": {"logprob": -2.0, "rank": 2}, "6": {"logprob": -1.0, "rank": 1}},
    ]
    labels = labels_in_prompt(told, Window([1, 7], 1), 2)
    assert labels.top_ids.tolist() == [[6, 5]]
    assert labels.logprobs.tolist() == [-9.0]


def test_files_become_rows_of_the_side_table_and_bad_rows_are_said(model: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "texts.jsonl", tmp_path / "labels.parquet"
    source.write_text("\n".join([json.dumps({"text": TEXT}), "{broken", json.dumps({"text": "Water flows."})]), "utf-8")
    said = label_files([str(source)], out, str(model), 4)
    rows = list(labels_from(pq.read_table(out)))
    assert [row.text_hash for row in rows] == [text_hash(TEXT), text_hash("Water flows.")]
    assert all(row.labels.k == 4 and row.start == 0 for row in rows)
    assert said[0].startswith("2 documents")
    assert any("1 rows not readable" in line for line in said)
    assert not list(tmp_path.glob(".*.part"))


def test_without_a_document_or_a_tokenizer_nothing_is_written(model: Path, tmp_path: Path) -> None:
    empty, out = tmp_path / "empty.jsonl", tmp_path / "labels.parquet"
    empty.write_text("{broken\n", "utf-8")
    with pytest.raises(RecipeError, match="no readable document"):
        label_files([str(empty)], out, str(model), 4)
    with pytest.raises(RecipeError, match="--tokenizer"):
        label_files([str(empty)], out, "some/name", 4, url="http://127.0.0.1:1/v1")
    assert not list(tmp_path.glob("*.parquet"))


@pytest.mark.teacher
@pytest.mark.timeout(900)
def test_the_real_server_and_its_weights_in_this_process_give_the_same_labels(real_teacher: RealTeacher) -> None:
    tokenizer, start, name = load_tokenizer(real_teacher.folder)
    text = (
        "Water boils at one hundred degrees at sea level. On a mountain it boils sooner, because the air presses less."
    )
    served = label_text(text, tokenizer, start, EndpointScorer(real_teacher.url, real_teacher.model, 40, ""), 8)
    local = LocalScorer(real_teacher.folder, name)
    local.window = 40
    here = label_text(text, tokenizer, start, local, 8)
    assert served is not None
    assert here is not None
    assert served.token_ids.tolist() == here.token_ids.tolist()
    assert tokenizer.decode(served.token_ids.tolist()) == text
    off = np.abs(served.logprobs.astype(float) - here.logprobs.astype(float))
    assert np.median(off) < 0.1, "bfloat16 there, float32 here, on some processors"
    assert (served.top_ids[:, 0] == here.top_ids[:, 0]).mean() > 0.9
