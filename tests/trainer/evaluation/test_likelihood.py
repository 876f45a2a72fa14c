"""Likelihoods are those of one plain pass, however items are batched; answers and intervals follow from them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from trainer.evaluation import likelihood
from trainer.evaluation.accuracy import Rate, answers, rate
from trainer.evaluation.likelihood import likelihoods, token_nats
from trainer.evaluation.panels import Panel, score_panel
from trainer.evaluation.questions import Question
from trainer.evaluation.student import Student

PAIRS = [
    ("The river turns", " under the stone."),
    ("", "A letter holds."),
    ("The light moves over ", "and water grows."),
    ("x" * 300, " stone"),
]


def by_hand(student: Student, context: str, continuation: str) -> tuple[float, int]:
    ids = student.encode([context + continuation])[0]
    size = len(ids) - len(student.encode([context.rstrip()])[0])
    row = torch.tensor([[student.start, *ids][-(student.context + 1) :]])
    with torch.inference_mode():
        logs = student.model(input_ids=row[:, :-1]).logits.double().log_softmax(-1)[0]
    return -sum(
        float(logs[place, row[0, place + 1]]) for place in range(row.shape[1] - 1 - size, row.shape[1] - 1)
    ), size


@pytest.mark.parametrize("room", [1, 1 << 22])
def test_a_continuation_costs_what_a_pass_of_its_own_says(
    student: Student, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(likelihood, "LOGITS", room)
    for found, (context, continuation) in zip(likelihoods(student, PAIRS), PAIRS, strict=True):
        nats, size = by_hand(student, context, continuation)
        assert found.nats == pytest.approx(nats, abs=1e-3)
        assert (found.tokens, found.bytes) == (size, len(continuation.encode()))


def test_a_context_and_its_continuation_add_up_to_the_text(student: Student) -> None:
    text = "The river turns under the stone."
    whole = float(token_nats(student, student.encode([text]))[0].sum())
    assert likelihoods(student, [("", text)])[0].nats == pytest.approx(whole, abs=1e-4)


def test_the_student_prefers_what_it_has_read_and_says_so_with_an_interval(student: Student) -> None:
    questions = [Question(f"q{i}", (("", "River stone light water."), ("", "Qzx vjk wqp zzt.")), 0) for i in range(20)]
    given = answers(student, questions)
    assert all(answer.right for answer in given)
    found = rate(given)
    assert (found.share, found.chance, found.count) == (1.0, 0.5, 20)
    assert found.low == pytest.approx(0.8389, abs=1e-3)  # Wilson's interval of 20 of 20
    turned = [Question(item.name, item.options[::-1], 0) for item in questions]
    assert rate(answers(student, turned)).share == 0.0


def test_nobody_is_right_about_nothing() -> None:
    empty = Rate.of([], 0.25)
    assert math.isnan(empty.share)
    assert (empty.low, empty.high) == (0.0, 1.0)


def test_names_and_numbers_are_the_tokens_that_hold_one(student: Student) -> None:
    panel = Panel(
        ["the river Thames holds 42 stones.", "small water grows"], {"source": ["a", "b"], "language": ["en", "en"]}
    )
    score = score_panel(student, panel)
    assert score.knowledge.bytes[1] == 0
    assert len(b"Thames42") <= score.knowledge.bytes[0] <= len(b" Thames 42 ")
    assert 0 < score.knowledge.nats[0] < score.all.nats[0]
    assert set(score.by) == {"source"}  # one language alone says nothing
    assert score.by["source"]["b"] == pytest.approx(score.all.nats[1] / np.log(2) / 17)


def test_the_entropy_is_that_of_the_predictions(student: Student) -> None:
    from trainer.evaluation.uncertainty import entropy

    text = "The river turns under the stone."
    ids = student.encode([text])[0]
    with torch.inference_mode():
        shares = (
            student.model(input_ids=torch.tensor([[student.start, *ids]])).logits[0, : len(ids)].double().softmax(-1)
        )
    by_hand = -float((shares * shares.log2()).sum())
    assert entropy(student, [text]) == pytest.approx(by_hand / len(text), rel=1e-4)
    assert entropy(student, ["qzx vjk wqp"]) > entropy(student, ["river stone light water and the river"])
