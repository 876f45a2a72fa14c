"""Code that a teacher wrote is judged by the original's tests inside the jail, and nowhere else."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import yaml

from corpus.errors import SetupError
from corpus.store import open_store
from ray_jobs.jailed_tests import JailedTests
from ray_jobs.planning import plan_for
from ray_jobs.recipe import Recipe

PAIRS = yaml.safe_load((Path(__file__).parents[1] / "generator" / "operators" / "reversals.yaml").read_text("utf-8"))


@pytest.fixture
def jailed() -> JailedTests:
    runner = JailedTests()
    try:
        runner("def f():\n    return 1\n", "assert f() == 1")
    except SetupError as error:
        pytest.skip(f"no jail here: {error}")
    return runner


def test_right_programs_pass_and_wrong_ones_do_not(jailed: JailedTests) -> None:
    for pair, other in itertools.pairwise(PAIRS[:5]):
        assert jailed(pair["again"], pair["tests"])[0], pair["instruction"]
        assert not jailed(other["again"], pair["tests"])[0]
    assert not jailed("def mean(numbers):\n    return 0.0\n", PAIRS[0]["tests"])[0]


@pytest.mark.parametrize(
    "code", ["import os\nos._exit(0)\n", "raise SystemExit(0)\n", "def mean(numbers):\n    exit(0)\n"]
)
def test_an_end_before_the_tests_is_no_success(jailed: JailedTests, code: str) -> None:
    assert not jailed(code, PAIRS[0]["tests"])[0]


def test_tests_that_never_reach_the_code_prove_nothing(jailed: JailedTests) -> None:
    assert not jailed("def mean(numbers):\n    return 1\n", "assert 1 == 1")[0]


@pytest.mark.parametrize("settings, jailed", [({}, True), ({"tests": False}, False)])
def test_a_plan_has_a_jail_at_hand_exactly_where_its_recipe_reverses_by_tests(
    tmp_path: Path, settings: dict[str, bool], jailed: bool
) -> None:
    told = {"documents": 1, "domains": ["python"], "forms": ["function_exercise"]}
    operators = [{"reverse": settings, "forms": ["function_exercise"]}]
    recipe = Recipe.model_validate({"name": "r", "generate": {**told, "operators": operators}})
    assert isinstance(plan_for(recipe, open_store(tmp_path)).run_tests, JailedTests) == jailed
