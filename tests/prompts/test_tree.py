"""Topic trees survive being written and read, whatever their titles are, and merge without losing points."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import RecipeError
from prompts.domain import Domain, Topic
from prompts.tree import dump_domain, merge_topics, parse_domain

ODD = ["No", "on", "null", "~", "1:20", "0x1F", "1e3", "2026-11-24", "- a", "a: b", "a #b", "'q'", '"', "{x}", "[y]", "&a", "*b",
       "!t", "%d", "@", "`", "|", ">", "?", "渗透：作用", "🙂", "yes", "=", "<<", "...", "---", "x" * 200]  # fmt: skip
UNSEEN = ["", " lead", "trail ", "a\nb", "a\tb", "\x85", "\u2028", "a\u200bb", "\u202eb", "\ufeff", "\x00", "x" * 201]
VISIBLE = st.characters(exclude_categories=["Cs", "Cc", "Cf", "Co", "Cn", "Zl", "Zp", "Zs"])
TEXT = st.sampled_from(ODD) | st.text(VISIBLE, min_size=1, max_size=12).filter(str.isprintable)
LEVEL = st.sampled_from([None, "primary", "secondary", "college", "advanced"])
LEAF = st.builds(Topic, title=TEXT, level=LEVEL, points=st.lists(TEXT, max_size=3).map(tuple), seeds=st.just(()))
TREE = st.recursive(LEAF, lambda inner: st.builds(Topic, title=TEXT, level=LEVEL, topics=st.lists(inner, min_size=1, max_size=3).map(tuple)),
                    max_leaves=8)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(TREE, max_size=4), TEXT)
def test_a_tree_is_the_same_after_being_written_and_read_and_the_file_too(topics: list[Topic], title: str) -> None:
    domain = Domain(id="x", title=title, kind="prose", forms=("story",), topics=tuple(topics))
    text = dump_domain(domain)
    assert parse_domain(text, "x") == domain
    assert dump_domain(parse_domain(text, "x")) == text


def test_what_a_person_mistypes_is_named_with_its_place() -> None:
    with pytest.raises(RecipeError, match=r"tides: topics\.0\.pionts"):
        parse_domain("title: T\nkind: prose\nforms: []\ntopics:\n  - {title: Ebb, pionts: [a]}\n", "tides")
    with pytest.raises(RecipeError, match="not valid YAML"):
        parse_domain("title: [", "tides")
    with pytest.raises(RecipeError, match="tides: title"):
        parse_domain("just words", "tides")


@pytest.mark.parametrize("title", UNSEEN, ids=ascii)
def test_a_title_is_one_line_of_visible_characters(title: str) -> None:
    with pytest.raises(ValueError, match="visible characters"):
        Topic(title=title)


def test_a_chapters_level_holds_for_topics_that_say_none() -> None:
    topics = (
        Topic(title="C", level="college", topics=(Topic(title="a"), Topic(title="b", level="primary"))),
        Topic(title="d"),
    )
    domain = Domain(id="x", title="X", kind="prose", forms=(), topics=topics)
    assert [(topic.title, topic.level) for topic in domain.leaves] == [("a", "college"), ("b", "primary"), ("d", None)]


def test_near_duplicates_are_merged_into_the_first_and_reported() -> None:
    topics = [
        Topic(title="Spring tides", points=("sun and moon in line",), seeds=("p1",)),
        Topic(title="spring tide", points=("twice a month", "sun and moon in line"), seeds=("p2",)),
        Topic(title="Ebb"),
        Topic(title="Photosynthesis!"),
    ]
    kept, gone = merge_topics(topics, known=["Photosynthesis"])
    assert [topic.title for topic in kept] == ["Spring tides", "Ebb"]
    assert kept[0].points == ("sun and moon in line", "twice a month")
    assert kept[0].seeds == ("p1", "p2")
    assert [(item.title, item.kept) for item in gone] == [
        ("spring tide", "Spring tides"),
        ("Photosynthesis!", "Photosynthesis"),
    ]


def test_merging_again_changes_nothing() -> None:
    kept, _ = merge_topics([Topic(title=f"{word} law") for word in ("Ohm's", "ohms", "Hooke's", "Boyle's")])
    assert merge_topics(kept) == (kept, [])
