"""A pair of instruction and code is kept where the code that is written from the instruction proves faithful (V6)."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from bench.operators import mutants, renamed, reversal_figures, run_here
from generator.operators.fidelity import difference, likeness
from prompts.seeds import Seed
from tests.fakes.playing import Performance, perform, recorded

CASES = recorded("reversals")


def block(code: str) -> str:
    return f"```python\n{code.strip()}\n```"


def reversed_(
    case: dict[str, str], *, again: str = "", instruction: str = "", tests: bool = True, **told: Any
) -> Performance:
    text = "A task with its solution.\n\n" + block(case["code"]) + ("\n\n" + block(case["tests"]) if tests else "")
    replies = [text, instruction or case["instruction"], block(again or case["again"])]
    return perform(
        replies, [{"reverse": told, "forms": ["function_exercise"]}], form="function_exercise", run_tests=run_here
    )


def test_a_pair_that_passes_the_tests_is_kept_with_instruction_code_and_tests() -> None:
    done = reversed_(CASES[0])
    assert done.steps == ["write", "reverse_instruction", "reverse_code"]
    assert done.document.text == "\n\n".join(
        (CASES[0]["instruction"], block(CASES[0]["code"]), block(CASES[0]["tests"]))
    )
    assert done.document.lineage.operators == ("reverse:tests",)
    assert block(CASES[0]["again"]) in reversed_(CASES[0], keep="regenerated").document.text


def test_the_code_is_written_anew_from_the_instruction_alone() -> None:
    prompt = reversed_(CASES[0]).asked[2][1].messages[-1]["content"]
    assert CASES[0]["instruction"] in prompt
    assert "return sum(numbers)" not in prompt


def test_code_that_fails_the_original_s_tests_is_not_faithful() -> None:
    done = reversed_(CASES[0], again=CASES[0]["again"].replace("if count else 0.0", ""))
    assert done.reason == "not_faithful"
    assert "ZeroDivisionError" in done.end.detail


def test_an_instruction_that_holds_the_code_is_none() -> None:
    done = reversed_(CASES[0], instruction=f"Write this, please, and nothing else: {CASES[0]['code']}")
    assert done.reason == "code_in_instruction"


def test_without_tests_only_the_same_program_is_faithful() -> None:
    case = CASES[4]
    kept = reversed_(case, again=renamed(case["code"]), tests=False)
    assert kept.document.lineage.operators == ("reverse:likeness=1.00",)
    assert reversed_(case, tests=False).reason == "not_faithful"
    assert (
        reversed_(case, again=case["code"].replace("total += number", "total -= number"), tests=False).reason
        == "not_faithful"
    )


@pytest.mark.parametrize(
    "code, reason", [("I cannot say.", "no_code"), ("print(1)", "no_code"), ("def broken(:\n", "no_code")]
)
def test_what_is_no_program_is_not_reversed(code: str, reason: str) -> None:
    assert reversed_({**CASES[0], "code": code}).reason == reason


def test_a_program_that_was_read_is_reversed_without_being_copied_in_silence() -> None:
    """Its text stands in the document on purpose, so it is no source copy; and it is never run without tests."""
    case, language = CASES[3], "zh"
    seed = Seed("leap", case["code"], language, "is_leap")
    done = perform([case["instruction"], block(renamed(case["code"]))], [{"reverse": {}}], form="reversed_code",
                   language=language, seed=seed)  # fmt: skip
    assert done.steps == ["reverse_instruction", "reverse_code"]
    assert done.document.text == case["instruction"] + "\n\n" + block(case["code"])
    assert done.document.lineage.seed_ids == ("leap",)


def test_names_docstrings_and_annotations_do_not_count_and_every_sign_does() -> None:
    for case in CASES:
        tree = ast.parse(case["code"])
        assert likeness(tree, ast.parse(renamed(case["code"]))) == 1.0
        assert difference(tree, ast.parse(renamed(case["code"]))) == ""
        for mutant in mutants(case["code"]):
            assert difference(tree, ast.parse(mutant)), mutant


@pytest.mark.parametrize("tests", [True, False], ids=["by tests", "by syntax"])
def test_kept_pairs_pass_the_original_s_tests_and_planted_wrong_ones_go(tests: bool) -> None:
    found = reversal_figures(tests)
    wrong = [found.ends[kind] for kind in found.ends if kind.startswith("wrong")]
    assert found.kept >= 12
    assert found.kept_passing / found.kept >= 0.95
    assert sum(ends["rejected"] for ends in wrong) / sum(ends.total() for ends in wrong) >= 0.9
    assert found.share("right: other names", "kept") == 1.0
    assert found.share("right: another way", "kept") == (1.0 if tests else 0.0)
