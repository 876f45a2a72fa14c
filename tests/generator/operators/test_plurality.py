"""A question is kept where most answers agree and not all do, and the answer that most give is its label (V5)."""

from __future__ import annotations

from typing import Any

import pytest

from bench.operators import plurality_figures
from tests.fakes.playing import Performance, perform, recorded

CASES = recorded("plurality")
FORM = "short_answer_question"


def asked(
    case: dict[str, Any], replies: list[str] | None = None, *, backwards: bool = False, **told: Any
) -> Performance:
    texts = iter([case["question"]])
    said = iter(replies or case["replies"])
    return perform(lambda turn, request: next(said if turn.step else texts), [{"plurality": told}], form=FORM,
                   language=case["language"], backwards=backwards)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_recorded_answers_give_a_label_or_the_reason_against_the_question(case: dict[str, Any]) -> None:
    done = asked(case)
    assert done.steps == ["write"] + ["plurality_answer"] * 5
    if reason := case.get("reason"):
        assert done.reason == reason
        return
    assert case["question"] in done.document.text
    assert case["holds"] in done.document.text
    assert done.document.lineage.operators == (case["note"],)
    assert len(done.document.lineage.parents) == 5


def test_the_answers_are_drawn_independently_and_come_in_any_order() -> None:
    done, other = asked(CASES[0]), asked(CASES[0], backwards=True)
    requests = [request for _, request in done.asked[1:]]
    assert len({request.messages[-1]["content"] for request in requests}) == 1
    assert len({request.seed for request in requests}) == len({request.key for request in requests}) == 5
    assert done.document == other.document


def test_thresholds_are_the_recipe_s() -> None:
    assert asked(CASES[0], decided=0.8).reason == "no_plurality"
    assert asked(CASES[1], easy=0.8).reason == "too_easy"
    assert asked(CASES[2], easy=1.01).document.text.endswith("Answer: 56")


def test_answers_that_stay_unreadable_vote_for_nobody() -> None:
    good = CASES[2]["replies"]
    done = asked(CASES[2], [*good[:3], "56", "It is 56.", "56", "It is 56."])
    assert done.steps.count("plurality_answer") == 7
    assert done.document.lineage.operators == ("plurality:3/5",)
    assert asked(CASES[2], ["no"] * 10).reason == "no_plurality"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_trivial_and_the_unanswerable_go_and_the_label_beats_a_single_sample(seed: int) -> None:
    found = plurality_figures(items=300, seed=seed)
    assert found.share("trivial", "too_easy") >= 0.95
    assert found.share("unanswerable", "no_plurality") >= 0.9
    assert found.share("at the edge", "kept") >= 0.7
    assert found.labels_right / found.kept >= found.samples_right / found.kept + 0.15
