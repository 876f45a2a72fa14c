"""Two forms on the same slots, their figures side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import RecipeError
from ray_jobs.compare_forms import compare_forms, side_by_side
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.teacher_server import Fault


def test_a_form_that_fails_and_repeats_itself_stands_beside_one_that_does_not(recipe: Path, fake: FakeTeacher) -> None:
    fake.set_faults(
        Fault("empty_content", match="short story", times=4), Fault("same_opening", match="short story", times=-1)
    )
    found = resolve(str(recipe), ["generate.domains=[physics]"], {}).recipe
    section, story = compare_forms(found, ["textbook_section", "story"], 16, Talk(quiet=True))
    assert (section["kept"], story["kept"], story["rejected"]) == (16, 12, {"empty": 4})
    assert story["opening share"] == 1.0
    assert story["opening"] == "in this lesson we will learn"
    assert section["opening share"] < 0.2
    assert story["tokens per kept"] > 0
    lines = side_by_side([section, story])
    assert lines[0].split() == ["form", "textbook_section", "story"]
    assert not (recipe.parent / "runs" / "small@1" / "generate").exists()


def test_one_form_or_an_unknown_one_is_refused(recipe: Path) -> None:
    found = resolve(str(recipe), ["generate.domains=[physics]"], {}).recipe
    with pytest.raises(RecipeError, match="two forms"):
        compare_forms(found, ["story"], 4, Talk(quiet=True))
    with pytest.raises(RecipeError, match="stroy"):
        compare_forms(found, ["story", "stroy"], 4, Talk(quiet=True))
