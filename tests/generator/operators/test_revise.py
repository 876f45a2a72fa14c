"""A revision changes what its critique names, stops where nothing is wrong, and keeps every turn in the lineage."""

from __future__ import annotations

from typing import Any

import pytest

from generator.attempt import Turn
from generator.reply import Failure
from generator.request import Request
from tests.fakes.playing import Performance, perform, recorded

CASES = recorded("revise")
FIRST, LAST = CASES[0]["write"], CASES[0]["replies"][1]


def revised(case: dict[str, Any], **told: Any) -> Performance:
    return perform([case["write"], *case["replies"]], [{"revise": {"rounds": 2, **told}}], language=case["language"])


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_recorded_revision_ends_with_the_text_that_its_critique_asked_for(case: dict[str, Any]) -> None:
    done = revised(case)
    assert done.steps == case["steps"]
    assert case["holds"] in done.document.text
    assert list(done.document.lineage.operators) == case["operators"]


def test_every_turn_stays_in_the_lineage_and_the_key_is_that_of_the_reply_that_holds_the_text() -> None:
    done = revised(CASES[0])
    lineage = done.document.lineage
    keys = [request.key for _, request in done.asked]
    assert lineage.request_key == keys[2]
    assert lineage.parents == (keys[0], keys[1], keys[3])
    assert (lineage.prompt_tokens, lineage.completion_tokens) == (40, 80)


def test_the_prompt_of_a_step_holds_the_text_in_a_fence_and_the_rubric_of_the_recipe() -> None:
    done = revised(CASES[0], rubric="reasoning")
    prompt = done.asked[1][1].messages[-1]["content"]
    assert f"\n{FIRST}\n" in prompt
    assert "<<<SOURCE " in prompt
    assert "No step assumes what is to be shown." in prompt
    assert '"faults"' in done.asked[1][1].schema


@pytest.mark.parametrize(
    "first, second, kept", [("second", "first", LAST), ("second", "second", FIRST), ("first", "first", FIRST)]
)
def test_the_better_text_is_the_last_only_where_it_wins_from_both_places(first: str, second: str, kept: str) -> None:
    case = {
        **CASES[0],
        "replies": [*CASES[0]["replies"], *(f'{{"reason": "r", "better": "{w}"}}' for w in (first, second))],
    }
    done = revised(case, keep="better")
    assert done.steps[-2:] == ["revise_compare", "revise_compare"]
    assert done.document.text == kept
    assert done.document.lineage.request_key == done.asked[2 if kept == LAST else 0][1].key


def test_a_critique_that_cannot_be_read_is_mended_once() -> None:
    case = {**CASES[2], "replies": ["There is nothing to complain about.", '{"faults": []}']}
    done = revised(case)
    assert done.steps == ["write", "revise_critique", "revise_critique"]
    said = done.asked[2][1].messages
    assert said[-2] == {"role": "assistant", "content": "There is nothing to complain about."}
    assert "not JSON" in said[-1]["content"]
    assert done.document.text == CASES[2]["write"]
    assert len({request.key for _, request in done.asked}) == 3


def test_a_critique_that_stays_unreadable_ends_the_attempt_by_name() -> None:
    done = revised({**CASES[2], "replies": ["No.", "No!"]})
    assert done.reason == "unreadable"
    assert "revise_critique" in done.end.detail


def test_a_step_that_the_server_refuses_ends_the_attempt_with_its_reason() -> None:
    def say(turn: Turn, request: Request) -> str | Failure:
        return Failure(request.key, "overlong", "4,096 tokens", False, 1) if turn.step else FIRST

    assert perform(say, [{"revise": {}}]).reason == "overlong"


def test_a_text_too_long_to_be_shown_whole_is_not_cut_but_rejected() -> None:
    text = "\n".join(f"Sentence {index} tells of another stone in the long wall." for index in range(400))
    assert perform([text], [{"revise": {}}]).reason == "too_long"
