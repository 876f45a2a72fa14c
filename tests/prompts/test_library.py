"""The shipped library, and golden renders: set HORNBOOK_UPDATE_GOLDEN=1 to write them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from corpus.errors import RecipeError
from generator.config import GenerateConfig
from generator.plan import plan_slots
from generator.request import make_request
from generator.teacher_config import TeacherConfig
from prompts.library import load_library

GOLDEN = Path(__file__).parent / "golden"
LIBRARY = load_library()


def test_there_are_domains_enough_two_of_them_code_and_forms_enough() -> None:
    kinds = [domain.kind for domain in LIBRARY.domains.values()]
    assert len(kinds) >= 6
    assert kinds.count("code") >= 2
    assert len(LIBRARY.forms) >= 4


@pytest.mark.parametrize("domain", LIBRARY.domains.values(), ids=lambda domain: domain.id)
def test_topics_are_distinct_and_say_what_to_cover(domain) -> None:  # type: ignore[no-untyped-def]
    titles = [topic.title for topic in domain.topics]
    assert len(set(titles)) == len(titles) >= 9
    assert all(len(topic.points) >= 2 for topic in domain.topics)
    assert all(LIBRARY.forms[name].kind == domain.kind for name in domain.forms)


@pytest.mark.parametrize("form", LIBRARY.forms.values(), ids=lambda form: form.id)
def test_a_render_is_the_golden_one(form) -> None:  # type: ignore[no-untyped-def]
    config = GenerateConfig(documents=1, forms=(form.id,))
    (slot,) = plan_slots(config, LIBRARY, 1)
    request = make_request(slot, 0, LIBRARY, TeacherConfig(), config, 1)
    text = "\n".join(f"### {item['role']}\n{item['content']}" for item in request.messages) + "\n"
    path = GOLDEN / f"{form.id}.txt"
    if os.environ.get("HORNBOOK_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def test_a_domain_is_added_with_one_file_and_no_python(tmp_path: Path) -> None:
    (tmp_path / "domains").mkdir()
    (tmp_path / "domains" / "tides.yaml").write_text(
        "title: Tides\nkind: prose\nforms: [story]\ntopics:\n  - {title: Spring tides, points: [sun, moon]}\n", "utf-8"
    )
    assert load_library(tmp_path).domains["tides"].topics[0].title == "Spring tides"


def test_a_domain_with_an_unknown_form_is_named(tmp_path: Path) -> None:
    (tmp_path / "domains").mkdir()
    (tmp_path / "domains" / "tides.yaml").write_text(
        "title: Tides\nkind: prose\nforms: [sonnet]\ntopics: []\n", "utf-8"
    )
    with pytest.raises(RecipeError, match="tides: no form sonnet"):
        load_library(tmp_path)
