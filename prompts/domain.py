"""A field of knowledge: a tree of chapters and topics in one YAML file that people read and edit."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator

from corpus.config import Section
from corpus.errors import RecipeError

Level = Literal["primary", "secondary", "college", "advanced"]
LEVELS: tuple[Level, ...] = get_args(Level)


PHRASE_LIMIT = 200  # characters


def _phrase(text: str) -> str:
    if not text.isprintable() or text != text.strip() or not 0 < len(text) <= PHRASE_LIMIT:
        raise ValueError(f"one line of 1 to {PHRASE_LIMIT} visible characters is expected, not {text[:40]!r}")
    return text


Phrase = Annotated[str, AfterValidator(_phrase)]  # it stands on one line of a prompt and of a file


class Topic(Section):
    """What one text is about; with `topics` of its own it is a chapter, and no text is written about it."""

    title: Phrase
    level: Level | None = None
    """How far a reader must be; a chapter's level holds for its topics that say none."""
    points: tuple[Phrase, ...] = ()
    """What a text must cover."""
    seeds: tuple[Phrase, ...] = ()
    """Ids of the documents that the topic was found in."""
    topics: tuple[Topic, ...] = ()


class Domain(Section):
    """A field of knowledge in one language."""

    id: str
    title: Phrase
    kind: Literal["prose", "code"]
    """Forms whose texts hold programs suit `code` only."""
    language: str = "en"
    forms: tuple[str, ...]
    """Forms that suit the field."""
    topics: tuple[Topic, ...]

    @cached_property
    def leaves(self) -> tuple[Topic, ...]:
        """The topics that texts are written about, in the file's order, each with its level. Two of one name are refused."""
        found = tuple(_leaves(self.topics, None))
        twice = first_repeat([topic.title for topic in found])
        if twice:
            raise RecipeError(f"domain {self.id}: the topic `{twice}` stands there twice", hint="merge or rename them")
        return found

    @cached_property
    def leaf(self) -> dict[str, Topic]:
        """Topic by title."""
        return {topic.title: topic for topic in self.leaves}


def normalised(title: str) -> str:
    """A title without case, width, accents' form, punctuation and spaces: two titles equal in this are one topic."""
    folded = unicodedata.normalize("NFKC", title).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def first_repeat(titles: Sequence[str]) -> str:
    """The first title whose normalised form came before; empty when there is none."""
    seen: set[str] = set()
    for title in titles:
        if (key := normalised(title)) in seen:
            return title
        seen.add(key)
    return ""


def _leaves(topics: Sequence[Topic], level: Level | None) -> Iterator[Topic]:
    for topic in topics:
        here = topic.level or level
        if topic.topics:
            yield from _leaves(topic.topics, here)
        else:
            yield topic.model_copy(update={"level": here})
