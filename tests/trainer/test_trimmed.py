"""A trimmed tokenizer encodes what it was made for as the teacher does, and any other text too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import RecipeError
from tests.trainer.conftest import texts
from trainer.tokenizer import load_tokenizer, start_token, train_tokenizer
from trainer.trimmed import count_tokens, kept_ids, origin, trim

NEEDED = texts(4)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    more = [*texts(60), *(f"Number {n * 7919} and the café of Zoë — 河流，{n}!" for n in range(80))]
    return train_tokenizer(more, 700, tmp_path_factory.mktemp("teacher")).parent


@pytest.fixture(scope="module")
def trimmed(teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    needed = count_tokens(teacher, NEEDED)
    return trim(teacher, needed, np.zeros_like(needed), 400, tmp_path_factory.mktemp("t") / "trimmed").parent


def test_the_text_it_was_made_for_is_encoded_as_the_teacher_encodes_it(teacher: Path, trimmed: Path) -> None:
    ours, theirs, kept = load_tokenizer(trimmed), load_tokenizer(teacher), kept_ids(trimmed)
    assert ours.get_vocab_size() < theirs.get_vocab_size() - 100
    for text in NEEDED:
        assert (
            kept[ours.encode(text, add_special_tokens=False).ids].tolist()
            == theirs.encode(text, add_special_tokens=False).ids
        )
    assert origin(trimmed) == origin(teacher) != ""
    assert kept[start_token(ours, trimmed)] == start_token(theirs, teacher)


@settings(max_examples=100, deadline=None, database=None)
@given(text=st.text(max_size=60))
def test_any_text_comes_back_unchanged(trimmed: Path, text: str) -> None:
    tokenizer = load_tokenizer(trimmed)
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids, skip_special_tokens=False) == text


def test_what_other_text_wants_fills_the_room_that_is_left(teacher: Path, tmp_path: Path) -> None:
    needed, wanted = count_tokens(teacher, NEEDED), count_tokens(teacher, ["Number 7919 and the café of Zoë."])
    poor, rich = (
        trim(teacher, needed, weight, 420, tmp_path / name).parent
        for name, weight in (("p", wanted * 0), ("r", wanted))
    )
    text = "the café of Zoë"
    assert len(load_tokenizer(rich).encode(text).ids) < len(load_tokenizer(poor).encode(text).ids)
    assert load_tokenizer(rich).get_vocab_size() <= 420


def test_too_little_room_says_how_much_is_needed(teacher: Path, tmp_path: Path) -> None:
    needed = count_tokens(teacher, texts(60))
    with pytest.raises(RecipeError, match=r"vocab_size 300 is too small: the labelled text needs \d+"):
        trim(teacher, needed, needed * 0, 300, tmp_path / "t")
