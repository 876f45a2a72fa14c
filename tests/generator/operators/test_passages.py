"""What starts from a passage ends as a document of its own words, with every step of the way in its lineage."""

from __future__ import annotations

import json
from typing import Any

import pytest

from prompts.seeds import Seed
from tests.fakes.playing import Performance, perform, recorded

CASES = recorded("passages")
DEDUCTION = CASES[0]


def performed(case: dict[str, Any], **told: Any) -> Performance:
    seed = Seed("passage", case["text"], case["language"], "A passage")
    return perform(case["replies"], [{case["operator"]: {**case.get("settings", {}), **told}}], form=case["form"],
                   language=case["language"], seed=seed)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{case['operator']}-{case['language']}" for case in CASES])
def test_recorded_replies_become_a_document_and_keep_their_lineage(case: dict[str, Any]) -> None:
    done = performed(case)
    assert done.steps == case["steps"]
    assert [text for text in case["holds"] if text not in done.document.text] == []
    assert not [name for name in ("Tutor: Tutor:", "学生：学生：") if name in done.document.text]
    lineage = done.document.lineage
    keys = [request.key for _, request in done.asked]
    assert lineage.operators == (case["note"],)
    assert {lineage.request_key, *lineage.parents} == set(keys)
    assert len(set(keys)) == len(keys)
    assert lineage.seed_ids == ("passage",)
    assert lineage.template_hash == done.asked[0][1].template_hash


@pytest.mark.parametrize("case", CASES, ids=[f"{case['operator']}-{case['language']}" for case in CASES])
def test_the_passage_and_all_that_was_answered_stand_in_fences(case: dict[str, Any]) -> None:
    """Nothing that came from a document or a teacher stands in a prompt outside of the marked lines."""
    for _, request in performed(case).asked:
        prompt = request.messages[-1]["content"]
        outside, inside = "", False
        for line in prompt.split("\n"):
            inside = line.startswith("<<<SOURCE ") or (inside and not line.endswith(" SOURCE>>>"))
            outside += "" if inside else line + "\n"
        said = [case["text"], *case["replies"]]
        assert not [text for text in said if text[:40] in outside]


def test_a_text_without_a_chain_gives_no_question() -> None:
    none = json.dumps({"premises": [], "steps": [], "conclusion": "none"})
    assert performed({**DEDUCTION, "replies": [none]}).reason == "no_chain"
    assert performed(DEDUCTION, steps=4).reason == "no_chain"


@pytest.mark.parametrize("premise", ["the light of Gull Rock is red", "...", ""])
def test_a_premise_that_does_not_stand_in_the_text_grounds_nothing(premise: str) -> None:
    chain = json.loads(DEDUCTION["replies"][0])
    chain["premises"][1] = premise
    assert performed({**DEDUCTION, "replies": [json.dumps(chain)]}).reason == "not_grounded"


def test_a_quotation_may_be_broken_and_punctuated_otherwise() -> None:
    chain = json.loads(DEDUCTION["replies"][0])
    chain["premises"][1] = "“the one on Cape Storn\nshows it every eighteen seconds.”"
    done = performed({**DEDUCTION, "replies": [json.dumps(chain), *DEDUCTION["replies"][1:]]})
    assert "36 seconds" in done.document.text


def test_a_question_that_is_answered_otherwise_is_not_deducible() -> None:
    other = json.dumps({"reasoning": "12 + 18 = 30.", "answer": "30 seconds"})
    done = performed({**DEDUCTION, "replies": [*DEDUCTION["replies"][:2], other]})
    assert done.reason == "not_deducible"
    assert "30 seconds" in done.end.detail
    assert performed({**DEDUCTION, "replies": DEDUCTION["replies"][:2]}, check=False).document


def test_the_discussion_stays_in_the_lineage_or_in_the_text() -> None:
    case = next(case for case in CASES if case["operator"] == "rewrite")
    assert "Ann: Then we need the times." not in performed(case).document.text
    assert "Ann: Then we need the times." in performed(case, discussion=True).document.text


def test_a_speaker_who_repeats_himself_ends_the_conversation() -> None:
    case = next(case for case in CASES if case["operator"] == "dialogue")
    assert performed({**case, "replies": [*case["replies"][:2], case["replies"][0]]}).reason == "loop"


def test_an_exercise_that_is_only_the_passage_again_is_a_copy() -> None:
    case = next(case for case in CASES if case["operator"] == "rewrite")
    copied = performed({**case, "replies": [case["text"], "They talk about it.", case["text"][-180:]]})
    assert copied.reason == "source_copy"
