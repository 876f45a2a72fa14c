"""A small recipe over files made on the spot, and the fake teacher in a process of its own."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.fake_teacher import FakeTeacher

WORDS = [
    "river",
    "engine",
    "letter",
    "planet",
    "market",
    "seed",
    "bridge",
    "clock",
    "water",
    "carries",
    "gives",
    "turns",
    "holds",
    "finds",
    "moves",
    "grows",
    "small",
    "great",
    "early",
    "quiet",
    "heavy",
    "bright",
    "under",
    "over",
    "between",
    "through",
    "with",
    "to",
    "of",
    "have",
    "that",
    "because",
    "while",
    "often",
    "never",
    "number",
    "weight",
    "city",
    "teacher",
    "paper",
    "garden",
    "window",
    "winter",
    "summer",
    "morning",
    "question",
    "answer",
    "reason",
    "picture",
    "people",
    "story",
    "road",
    "stone",
]


@pytest.fixture
def fake() -> Iterator[FakeTeacher]:
    with FakeTeacher() as server:
        yield server


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real tokenizer, trained on the web text: tests must not need the embedded teacher's."""
    from trainer.tokenizer import train_tokenizer

    return train_tokenizer((page(index) for index in range(60)), 512, tmp_path_factory.mktemp("tokenizer")).parent


def page(index: int) -> str:
    """About 120 words in sentences that do not repeat each other."""
    draw = random.Random(index)
    sentences = []
    for _ in range(9):
        words = [*draw.sample(WORDS, 9), "and", "the", *draw.sample(WORDS, 3)]
        sentences.append(" ".join(words).capitalize() + ".")
    return "\n".join(" ".join(sentences[start : start + 3]) for start in (0, 3, 6))


def secret() -> str:
    """Shaped like a key and made on the spot, so that no scanner trips over this file."""
    return "sk-" + "".join(random.Random(7).choices(string.ascii_letters + string.digits, k=40))


@pytest.fixture
def recipe(tmp_path: Path, tokenizer: Path, fake: FakeTeacher) -> Path:
    """40 web pages (two are copies, one holds a secret, one row is broken) and 24 slots."""
    rows = [json.dumps({"text": page(index), "licence": "MIT"}) for index in range(40)]
    rows += [rows[0], rows[1], json.dumps({"text": page(99) + f" key {secret()}", "licence": "MIT"}), "{broken"]
    (tmp_path / "web.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
    path = tmp_path / "small.yaml"
    path.write_text(
        f"""\
name: small
seed: 3
store: {tmp_path}/runs
teacher: {{model: {fake.model}, endpoints: ["{fake.url}"], tokenizer: {tokenizer}, concurrency: 8, timeout_s: 30}}
generate: {{documents: 24, attempts: 2, max_tokens: 400, min_words: 20}}
sources: {{web: {{kind: files, paths: ["{tmp_path}/web.jsonl"]}}}}
filters: {{quality: 0, language_confidence: 0, languages: [], profiles: {{synthetic: synthetic, web: prose}}}}
blend: {{held_out: 0.2}}
run: {{workers: 0}}
""",
        "utf-8",
    )
    return path
