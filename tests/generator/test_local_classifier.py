"""A transformer with a head scores texts in [0, 1], by name, repository and folder, from safetensors alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from corpus.errors import RecipeError, SetupError
from filters.published import PUBLISHED, open_classifier
from generator.local_classifier import FILES, load_transformer

WORDS = ["[PAD]", "[UNK]", "because", "it", "follows", "buy", "now", "free"]
TEXTS = ["because it follows", "buy now free buy now free", "it", "", "unseen words " * 900]


def model(folder: Path, labels: list[str]) -> Path:
    """A tiny encoder with a head of so many labels."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    torch.manual_seed(5)
    words = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    config = BertConfig(vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                        intermediate_size=16, max_position_embeddings=64, num_labels=len(labels),
                        id2label=dict(enumerate(labels)), label2id={name: at for at, name in enumerate(labels)})  # fmt: skip
    net = BertForSequenceClassification(config)
    with torch.no_grad():
        net.classifier.weight.mul_(40)
    net.save_pretrained(folder)
    return folder


def nowhere(repo: str, file: str) -> Path:
    raise AssertionError(f"{repo} {file} was asked for")


def direct(folder: Path, text: str) -> np.ndarray:
    """Its logits without this project's code."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    given = AutoTokenizer.from_pretrained(folder)(text, truncation=True, max_length=64, return_tensors="pt")
    with torch.inference_mode():
        return AutoModelForSequenceClassification.from_pretrained(folder).eval()(**given).logits[0].numpy()


def test_one_output_is_a_number_of_points(tmp_path: Path) -> None:
    folder = model(tmp_path / "points", ["value"])
    scores = open_classifier(f"{folder}@top=0.5", nowhere).score(TEXTS[:3])
    expected = [np.clip(direct(folder, text)[0] / 0.5, 0, 1) for text in TEXTS[:3]]
    assert scores.dtype == np.float32
    assert np.allclose(scores, expected, atol=1e-5)
    assert len(set(scores.tolist())) > 1, "a model that says one thing shows nothing"


def test_labels_are_worth_what_is_said_of_them(tmp_path: Path) -> None:
    folder = model(tmp_path / "labels", ["bad", "mid", "good"])
    scores = open_classifier(f"{folder}@good=1,mid=0.5", nowhere).score(TEXTS[:3])
    for score, text in zip(scores, TEXTS, strict=False):
        odds = np.exp(direct(folder, text))
        assert score == pytest.approx((odds[2] + odds[1] / 2) / odds.sum(), abs=1e-5)


def test_texts_of_all_lengths_are_scored_alone_as_together(tmp_path: Path) -> None:
    scorer = load_transformer(model(tmp_path / "points", ["value"]), {"top": 0.5})
    alone = [scorer.score([text])[0] for text in TEXTS]
    assert np.allclose(scorer.score(TEXTS), alone, atol=1e-5)
    scorer.save(tmp_path / "again")
    assert np.allclose(load_transformer(tmp_path / "again", {"top": 0.5}).score(TEXTS), alone, atol=1e-6)


def test_a_published_name_and_a_repository_are_fetched_file_by_file(tmp_path: Path) -> None:
    folder, asked = model(tmp_path / "points", ["value"]), list[tuple[str, str]]()

    def fetch(repo: str, file: str) -> Path:
        asked.append((repo, file))
        return folder / file

    for named, repo in (("fineweb-edu", PUBLISHED["fineweb-edu"].repo), ("someone/model@top=5", "someone/model")):
        assert np.allclose(
            open_classifier(named, fetch).score(TEXTS), load_transformer(folder, {"top": 5}).score(TEXTS)
        )
        assert asked == [(repo, file) for file in FILES]
        asked.clear()


@pytest.mark.parametrize(("labels", "told", "said"), [
    (["value"], "", "@top=5"), (["value"], "@good=1", "@top=5"), (["bad", "good"], "@best=1", "labels bad, good; given best"),
    (["bad", "good"], "", "labels bad, good"),
])  # fmt: skip
def test_points_that_do_not_fit_are_told_with_the_labels(
    tmp_path: Path, labels: list[str], told: str, said: str
) -> None:
    folder = model(tmp_path / "it", labels)
    with pytest.raises(RecipeError) as caught:
        open_classifier(f"{folder}{told}", nowhere)
    assert said in f"{caught.value} {caught.value.hint}"


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    import torch

    folder = model(tmp_path / "it", ["value"])
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(SetupError, match="no classifier of transformers"):
        load_transformer(folder, {"top": 5})
