"""The shipped library, in both of its languages, and golden renders: set HORNBOOK_UPDATE_GOLDEN=1 to write them anew."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.errors import RecipeError
from generator.config import GenerateConfig
from generator.plan import Cell, Slot, plan_slots
from generator.request import make_request
from generator.teacher_config import TeacherConfig
from prompts.domain import LEVELS, Topic, first_repeat
from prompts.form import Form
from prompts.library import HOME, Library, load_library
from prompts.near import near_pairs
from prompts.seeds import Seed
from prompts.tree import NEAR, dump_domain, read_domain

GOLDEN = Path(__file__).parent / "golden"
LIBRARY = load_library()
CHINESE = LIBRARY.of("zh")
BOTH = (LIBRARY, CHINESE)
SOURCES = {
    "en": Seed("tide", "The tide at the harbour rose 4.2 m in 6 hours on 3 May. The pier is 5 m high.", "en", "Tides"),
    "zh": Seed("tide", "五月三日，港口的潮水在6小时内上涨了4.2米。码头高5米。", "zh", "潮汐"),
}
HAN = re.compile(r"[\u3400-\u9fff]")
ENGLISH = re.compile(r"[A-Za-z]{2,}(?:[ ,]+[A-Za-z]{2,}){2}")  # three English words in a row
FORMS = [
    pytest.param(library, form, id=f"{library.language}-{form.id}")
    for library in BOTH
    for form in library.forms.values()
    if form.template
]


def prompt(library: Library, form: Form) -> str:
    """The prompt of the first slot that the form has."""
    needed = ({form.needs: {}},) if form.needs else ()
    config = GenerateConfig(documents=1, languages=(library.language,), forms=(form.id,), operators=needed)
    given = SOURCES[library.language]
    (slot,) = plan_slots(config, LIBRARY, 1, [given] if form.seed else ())
    request = make_request(slot, 0, LIBRARY, TeacherConfig(), config, 1, {given.id: given})
    return "\n".join(f"### {item['role']}\n{item['content']}" for item in request.messages) + "\n"


@pytest.mark.parametrize("library", BOTH, ids=["en", "zh"])
def test_the_library_is_as_wide_as_a_textbook_corpus_needs(library: Library) -> None:
    assert len(library.domains) >= 17
    assert len(library.forms) >= 19
    assert min(len(domain.leaves) for domain in library.domains.values()) >= 80
    assert sum(form.seed for form in library.forms.values()) == 8
    assert len(library.audiences) >= 6
    assert len(library.styles) >= 8


@pytest.mark.parametrize("domain", [item for library in BOTH for item in library.domains.values()],
                         ids=lambda domain: f"{domain.language}-{domain.id}")  # fmt: skip
def test_every_topic_says_its_level_and_what_to_cover(domain) -> None:  # type: ignore[no-untyped-def]
    for topic in domain.leaves:
        assert topic.level in LEVELS, topic.title
        assert 3 <= len(topic.points) <= 4, topic.title
        assert all(point.strip() == point and point for point in topic.points)
        assert len(set(topic.points)) == len(topic.points)
    chapters = [topic.title for topic in domain.topics]
    assert len(chapters) >= 7
    assert first_repeat(chapters) == ""
    assert len({LIBRARY.forms[name].kind for name in domain.forms}) <= (2 if domain.kind == "code" else 1)


@pytest.mark.parametrize("library", BOTH, ids=["en", "zh"])
def test_no_topic_comes_again_in_its_own_or_another_domain(library: Library) -> None:
    titles = [(domain.id, topic.title) for domain in library.domains.values() for topic in domain.leaves]
    near = [(titles[i], titles[j], alike) for i, j, alike in near_pairs([title for _, title in titles], NEAR)]
    assert near == []


def shape(topics: tuple[Topic, ...]) -> list[object]:
    return [(topic.level, len(topic.points), shape(topic.topics)) for topic in topics]


def test_the_chinese_trees_are_the_english_ones_topic_by_topic() -> None:
    assert list(CHINESE.domains) == list(LIBRARY.domains)
    assert list(CHINESE.forms) == list(LIBRARY.forms)
    for name, domain in LIBRARY.domains.items():
        assert shape(CHINESE.domains[name].topics) == shape(domain.topics), name
        assert CHINESE.domains[name].forms == domain.forms
        assert CHINESE.domains[name].kind == domain.kind
    for axis in ("audiences", "styles", "levels"):
        assert list(getattr(CHINESE, axis)) == list(getattr(LIBRARY, axis)), axis
    for name, form in LIBRARY.forms.items():
        twin = CHINESE.forms[name]
        for field in ("kind", "levels", "audiences", "forced", "seed", "template", "needs"):
            assert getattr(twin, field) == getattr(form, field), (name, field)


def phrases(library: Library) -> Iterator[str]:
    """Everything of a library that can come to stand in a prompt."""
    for domain in library.domains.values():
        yield domain.title
        for topic in domain.leaves:
            yield from (topic.title, *topic.points)
    for form in library.forms.values():
        yield from (form.title, *form.openings)
    yield from (audience.text for audience in library.audiences.values())
    yield from (*library.styles.values(), *library.levels.values())
    yield from (line for rubric in library.rubrics.values() for line in rubric)
    for text in (*library.templates.values(), *library.steps.values()):
        yield from re.sub(r"\{[{%#].*?[}%#]\}|`[^`]*`|^### \w+$", "", text, flags=re.M).split("\n")


def test_chinese_prompts_hold_no_english_sentence_and_english_ones_no_chinese() -> None:
    assert [text for text in phrases(CHINESE) if ENGLISH.search(text)] == []
    assert [text for text in phrases(LIBRARY) if HAN.search(text)] == []
    named = [topic.title for domain in CHINESE.domains.values() for topic in domain.leaves]
    assert [title for title in named if not HAN.search(title)] == []


@pytest.mark.parametrize(("library", "form"), FORMS)
def test_a_form_is_complete_and_opens_in_many_ways(library: Library, form: Form) -> None:
    low, high = form.words or form.characters or (0, 0)
    assert 0 < low < high <= (360 if form.words else 700), "it would not end within the default max_tokens"
    assert (form.words is None) == (library.language == "zh")
    assert len(set(form.openings)) == len(form.openings) >= 3
    assert re.search(r"\d{4}\.\d{4,5}|Cosmopedia|FinePhrase", form.idea), "no published idea is named"
    assert form.template == f"{form.id}.j2"


@pytest.mark.parametrize(("library", "form"), FORMS)
def test_a_render_is_the_golden_one(library: Library, form: Form) -> None:
    text = prompt(library, form)
    path = GOLDEN / ("" if library.language == "en" else library.language) / f"{form.id}.txt"
    if os.environ.get("HORNBOOK_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


@pytest.mark.parametrize(("library", "form"), FORMS)
def test_every_form_renders_for_every_reader_manner_and_level(library: Library, form: Form) -> None:
    given, config = SOURCES[library.language], GenerateConfig()
    home = next((item for item in library.domains.values() if form.id in item.forms), None)
    assert form.seed or home, "no domain uses the form"
    topics = {topic.level: topic.title for topic in home.leaves}.values() if home else [given.title]
    readers = form.audiences or library.audiences
    for index, (audience, style, topic) in enumerate(itertools.product(readers, library.styles, topics)):
        cell = Cell(home.id if home else "web", topic, form.id, audience, library.language, style)
        slot = Slot(f"{index:032x}", cell, 0, (given.id,) if form.seed else ())
        request = make_request(slot, 0, LIBRARY, TeacherConfig(), config, 1, {given.id: given})
        content = request.messages[-1]["content"]
        assert library.audiences[audience].text in content
        assert library.styles[style] in content
        assert form.seed or topic in content
        assert not re.search(r"\{[{%#]|[}%#]\}", content.replace('"}}', ""))
        assert "\n\n\n" not in content


@pytest.mark.parametrize("name", ["function_exercise", "child_story"])
def test_forced_words_differ_from_slot_to_slot_and_stay_the_same_for_one(name: str) -> None:
    config = GenerateConfig(documents=200, forms=(name,))
    slots = plan_slots(config, LIBRARY, 5)
    line = re.compile(r"named `(\w+)`|natural place: ([^\n]*)")
    drawn = [
        line.search(make_request(slot, 0, LIBRARY, TeacherConfig(), config, 5).messages[1]["content"]) for slot in slots
    ]
    found = [match.group() for match in drawn if match]
    assert len(found) == 200
    assert len(set(found)) >= 190
    again = make_request(slots[0], 0, LIBRARY, TeacherConfig(), config, 5).messages[1]["content"]
    assert found[0] in again


@pytest.mark.parametrize("library", BOTH, ids=["en", "zh"])
def test_lists_of_forced_words_are_long_and_hold_no_word_twice(library: Library) -> None:
    for name, words in library.words.items():
        assert len(set(words)) == len(words) >= 30, name


@pytest.mark.parametrize(
    "path", sorted(HOME.glob("**/domains/*.yaml")), ids=lambda path: f"{path.parts[-3]}-{path.stem}"
)
def test_a_shipped_tree_is_in_canonical_form_so_that_growing_it_changes_no_other_line(path: Path) -> None:
    assert dump_domain(read_domain(path)) == path.read_text("utf-8")


def add(folder: Path, path: str, text: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, "utf-8")


def test_a_domain_is_added_with_one_file_and_no_python(tmp_path: Path) -> None:
    add(tmp_path, "domains/tides.yaml",
        "title: Tides\nkind: prose\nforms: [story]\ntopics:\n  - {title: Spring tides, points: [sun, moon]}\n")  # fmt: skip
    assert load_library(tmp_path).domains["tides"].topics[0].title == "Spring tides"


def test_a_language_is_added_with_a_folder_and_no_python(tmp_path: Path) -> None:
    add(tmp_path, "de/domains/gezeiten.yaml",
        "title: Gezeiten\nkind: prose\nforms: [brief]\ntopics:\n  - {title: Springflut, points: [Sonne, Mond]}\n")  # fmt: skip
    add(tmp_path, "de/forms/brief.yaml",
        "title: Brief\nkind: prose\nwords: [90, 180]\ntemplate: brief.j2\nidea: x\nopenings: [Beginne.]\n")  # fmt: skip
    add(tmp_path, "de/templates/brief.j2", "### user\nSchreibe über {{ topic }} für {{ audience }}. {{ opening }}\n")
    add(tmp_path, "de/audiences.yaml", "kind: ein Kind\n")
    add(tmp_path, "de/styles.yaml", "klar: klar\n")
    library = load_library(tmp_path)
    config = GenerateConfig(documents=1, languages=("de",))
    (slot,) = plan_slots(config, library, 1)
    request = make_request(slot, 0, library, TeacherConfig(), config, 1)
    assert request.messages[0]["content"] == "Schreibe über Springflut für ein Kind. Beginne."


WRONG = [
    ("kind: prose\nforms: [sonnet]\ntopics: []\n", "tides: no form sonnet"),
    ("kind: prose\nforms: [code_lesson]\ntopics: []\n", "domains of kind `code`"),
    ("kind: prose\nforms: [story]\ntopics: []\n", "tides: it has no topics yet"),
    ("kind: prose\nforms: [story]\ntopics:\n  - {title: No}\n  - {title: Ebb}\n", r"tides.yaml: topics.0.title"),
    ("kind: prose\nforms: [story]\ntopics:\n  - {title: Ebb tide}\n  - {title: ebb-tide}\n", "`ebb-tide` stands there twice"),
    ("kind: prose\nforms: [story]\ntopics:\n  - {title: Ebb, level: hard}\n", "topics.0.level"),
]  # fmt: skip


@pytest.mark.parametrize(("rest", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_is_wrong_with_a_domain_is_named(tmp_path: Path, rest: str, message: str) -> None:
    add(tmp_path, "domains/tides.yaml", "title: Tides\n" + rest)
    with pytest.raises(RecipeError, match=message):
        load_library(tmp_path)


def test_a_changed_topic_changes_the_fingerprint(tmp_path: Path) -> None:
    add(tmp_path, "domains/tides.yaml", "title: T\nkind: prose\nforms: [story]\ntopics:\n  - {title: Ebb}\n")
    before = load_library(tmp_path).hashes()
    add(tmp_path, "domains/tides.yaml", "title: T\nkind: prose\nforms: [story]\ntopics:\n  - {title: Flood}\n")
    assert load_library(tmp_path).hashes() != before
    assert before != LIBRARY.hashes()


def test_an_unknown_language_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError) as caught:
        LIBRARY.of("fr")
    assert "zh" in caught.value.hint
