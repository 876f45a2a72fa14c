"""What is dense with abuse, pornography or advertising is found, in English and Chinese; one word in a book is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from filters.chain import decide, score_table
from filters.classifier import train
from filters.config import FilterConfig, ToxicConfig
from filters.toxic import KINDS, density, phrase_tables
from filters.words import split_words

FOUND = [
    ("abuse", "Shut up you stupid bitch, nobody likes you."),
    ("abuse", "你这个傻逼，脑残，滚蛋！"),
    ("adult", "Hot girls, live sex, free porn videos, naked girls on webcam tonight!"),
    ("adult", "成人视频 无码 裸聊 约炮 一夜情"),
    ("advert", "Limited time offer! Buy now and save up to 70%. Free shipping, money back guarantee. Click here."),
    ("advert", "厂家直销，全场包邮！加微信领优惠券，限时抢购，咨询热线 400"),
]
HARMLESS = [
    "The doctor examined the breast and the vagina of the patient for signs of infection after the birth of her child.",
    "In the novel the drunken sailor calls the innkeeper a son of a bitch, is thrown out into the rain, and walks the streets of the town until the morning, "
    "when his brother finds him asleep beside the church and carries him home to their mother, who says nothing.",
    "Demand falls when the price rises: people buy less of a good, and an offer at a lower price finds more buyers in the market for it.",
    "鲁迅在小说里写人骂人，是为了让读者看见那个时代的冷漠与麻木，而不是为了骂人本身；他的文字简练、准确，并且总是带着同情。",
    "class Node { int pos; Node *next; }; while (pos < end) pos = next[pos];",
]  # fmt: skip


def densities(texts: list[str]) -> dict[str, np.ndarray]:
    return density(split_words(pl.Series(texts, dtype=pl.String)))


@pytest.mark.parametrize("kind, text", FOUND)
def test_dense_text_is_rejected_with_its_kind(kind: str, text: str, documents: Callable[..., pa.Table]) -> None:
    table = documents([text])
    (row,) = decide(table, score_table(table, scorers=("toxic",)), FilterConfig(languages=("en",))).to_pylist()
    assert row["reason"] == ("advert" if kind == "advert" else f"toxic.{kind}")
    assert row["detail"].startswith(f"toxic.{kind}=")


def test_one_word_in_a_longer_text_rejects_nothing(documents: Callable[..., pa.Table]) -> None:
    table = documents(HARMLESS)
    assert decide(table, score_table(table, scorers=("toxic",)), FilterConfig()).num_rows == 0


def test_a_phrase_counts_for_its_whole_and_not_across_two_texts() -> None:
    whole, first, second = densities(["click here", "click", "here"])["toxic.advert"]
    assert (whole, first, second) == (np.float32(1 / 22), 0, 0)
    assert densities(["please click", "here we are"])["toxic.advert"].tolist() == [0, 0]


def test_a_text_scores_the_same_alone_and_among_others() -> None:
    texts = [text for _, text in FOUND] + HARMLESS
    together = densities(texts)
    for place, text in enumerate(texts):
        assert {name: values[place] for name, values in together.items()} == {
            name: values[0] for name, values in densities([text]).items()
        }


def test_limits_are_the_recipes(documents: Callable[..., pa.Table]) -> None:
    table = documents([text for _, text in FOUND])
    off = FilterConfig(toxic=ToxicConfig(abuse=None, adult=None, advert=None))
    scores = score_table(table, scorers=("toxic",))
    assert decide(table, scores, off).num_rows == 0
    mild = FilterConfig(toxic=ToxicConfig(abuse=0.5, adult=0.5, advert=0.5))
    assert decide(table, scores, mild).num_rows == 0


def test_a_classifier_of_the_users_own_labels_tells_what_words_do_not(
    documents: Callable[..., pa.Table], tmp_path: Path
) -> None:
    cruel = [f"Nobody will ever miss people from town {n}, they ruin every place where they settle." for n in range(40)]
    kind = [f"The people from town {n} built a bridge and planted trees along the river." for n in range(40)]
    model = train("words", cruel + kind, np.array([True] * 40 + [False] * 40), seed=1)
    table = documents(["Nobody will miss them, they ruin every place.", "They built a bridge and planted trees."])
    scores = score_table(table, toxicity=model, scorers=("toxic",))
    config = FilterConfig(toxic=ToxicConfig(classifier="set by the test", least=0.7))
    assert decide(table, scores, config)["reason"].to_pylist() == ["toxic.classifier"]


def test_every_shipped_phrase_is_found_by_itself() -> None:
    assert sum(len(table.hashes) for table in phrase_tables()) > 600
    assert all(len(np.unique(table.hashes)) == len(table.hashes) for table in phrase_tables())
    assert all(table.weights.shape[1] == len(KINDS) for table in phrase_tables())
