"""Topic trees that grow: expanded by a teacher from a root or a syllabus, and mined from documents.

`ask` is whatever answers chat messages with text. Replies are read line by line: a line that is a topic in the agreed
form is taken, every other line is set aside with its reason, and nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from prompts.domain import LEVELS, Domain, Level, Topic, normalised
from prompts.questions import question
from prompts.seeds import LIMIT, Seed, fenced
from prompts.templates import Message
from prompts.tree import Merged, merge_topics

Ask = Callable[[tuple[Message, ...]], str]
Values = dict[str, str | list[str]]

NUMBERED = re.compile(r"^(?:[-*•]|\d{1,3}[.)、．])\s*")
HAN = re.compile(r"[\u3400-\u9fff]")
LATIN = re.compile(r"[A-Za-z]")
MARKUP = re.compile(r"[`#*_{}<>\[\]\\]|https?:")
NONE = frozenset({"none", "无"})  # what the prompts say to answer where there is no topic
POINTS = (2, 6)  # how many a topic of a reply may have


@dataclass(frozen=True, slots=True)
class Growth:
    """How far a tree may grow: topics asked for at each node, levels of nodes, and calls of the teacher in all."""

    breadth: int = 8
    depth: int = 2
    budget: int = 40


@dataclass(frozen=True, slots=True)
class Refused:
    """A line of a reply that is no topic, and why."""

    line: str
    reason: str


@dataclass(slots=True)
class Grown:
    """What growing made of a tree. `calls` were paid for; `open` names nodes that the budget did not reach."""

    topics: list[Topic] = field(default_factory=list)
    merged: list[Merged] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    calls: int = 0
    open: list[str] = field(default_factory=list)


def parse_topics(reply: str, language: str = "en", limit: int = 1000) -> tuple[list[Topic], list[Refused]]:
    """Topics of the lines `title | level | point; point; point`, at most `limit`, and every line that is none."""
    topics: list[Topic] = []
    refused: list[Refused] = []
    if reply.strip().rstrip(".。").lower() in NONE:
        return topics, refused
    for line in filter(None, map(str.strip, reply.split("\n"))):
        found = _topic(line, language) if len(topics) < limit else "more topics than were asked for"
        if isinstance(found, Topic) and normalised(found.title) in {normalised(topic.title) for topic in topics}:
            found = "the topic stands in the reply twice"
        if isinstance(found, Topic):
            topics.append(found)
        else:
            refused.append(Refused(line[:200], found))
    return topics, refused


def expand(domain: Domain, ask: Ask, growth: Growth, known: Iterable[str] = ()) -> tuple[Domain, Grown]:
    """The domain with every node above `growth.depth` filled up to `growth.breadth` topics, breadth first.

    A syllabus is a domain whose chapters are there already: they are kept, and asked about first to last. Topics near
    one that is in the tree or in `known` (titles of other domains) are merged. The same replies give the same tree.
    """
    grown = Grown()
    titles = [*known, *_titles(domain.topics)]
    nodes: list[tuple[str, ...]] = [()]
    tree = domain.topics
    for _ in range(growth.depth):
        for path in nodes:
            tree = _fill(domain, tree, path, ask, growth, titles, grown)
        nodes = [(*path, topic.title) for path in nodes for topic in _children(tree, path)]
    grown.topics = list(tree)
    return domain.model_copy(update={"topics": tree}), grown


def mine(
    domain: Domain, seeds: Sequence[Seed], ask: Ask, growth: Growth, group: int = 3, known: Iterable[str] = ()
) -> Grown:
    """Topics of the domain that documents speak of, `group` documents a call; each names the documents it came from."""
    grown = Grown()
    titles = [*known, *_titles(domain.topics)]
    groups = [list(seeds[start : start + group]) for start in range(0, len(seeds), group)]
    for batch in groups:
        if grown.calls >= growth.budget:
            grown.open.append(f"{len(batch)} documents from {batch[0].id}")
            continue
        text = "\n\n".join(fenced(seed, LIMIT // group) for seed in batch)
        values: Values = {"domain": domain.title, "breadth": str(growth.breadth), "seed": text}
        found = _asked("mine", domain, values, ask, growth, grown)
        named = [topic.model_copy(update={"seeds": tuple(seed.id for seed in batch)}) for topic in found]
        fresh, merged = merge_topics([*grown.topics, *named], titles)
        grown.topics, grown.merged = fresh, [*grown.merged, *merged]
    return grown


def _fill(
    domain: Domain, tree: tuple[Topic, ...], path: tuple[str, ...], ask: Ask, growth: Growth, titles: list[str],
    grown: Grown,
) -> tuple[Topic, ...]:  # fmt: skip
    here = _children(tree, path)
    missing = growth.breadth - len(here)
    if missing <= 0:
        return tree
    if grown.calls >= growth.budget:
        grown.open.append(" › ".join((domain.title, *path)))
        return tree
    values: Values = {
        "domain": domain.title,
        "path": list(path),
        "breadth": str(missing),
        "known": [t.title for t in here],
    }
    found = _asked("expand", domain, values, ask, growth, grown)[:missing]
    fresh, merged = merge_topics(found, titles)
    titles += [topic.title for topic in fresh]
    grown.merged += merged
    return _grafted(tree, path, fresh)


def _asked(name: str, domain: Domain, values: Values, ask: Ask, growth: Growth, grown: Grown) -> list[Topic]:
    messages = question(name, domain.language, values)
    grown.calls += 1
    topics, refused = parse_topics(ask(messages), domain.language, growth.breadth)
    grown.refused += refused
    return topics


def _children(tree: Sequence[Topic], path: Sequence[str]) -> Sequence[Topic]:
    for title in path:
        tree = next(topic.topics for topic in tree if topic.title == title)
    return tree


def _grafted(tree: tuple[Topic, ...], path: Sequence[str], fresh: Sequence[Topic]) -> tuple[Topic, ...]:
    """The tree with topics added below a node; nothing else is touched."""
    if not path:
        return (*tree, *fresh)
    return tuple(
        topic.model_copy(update={"topics": _grafted(topic.topics, path[1:], fresh)})
        if topic.title == path[0]
        else topic
        for topic in tree
    )


def _titles(topics: Iterable[Topic]) -> list[str]:
    return [title for topic in topics for title in (topic.title, *_titles(topic.topics))]


def _topic(line: str, language: str) -> Topic | str:
    """The topic that a line is, or why it is none."""
    cells = [cell.strip() for cell in NUMBERED.sub("", line, count=1).replace("｜", "|").split("|")]
    if len(cells) != 3:
        return "not of the form `title | level | points`"
    title, level, rest = cells
    points = tuple(filter(None, (point.strip(" 。.") for point in re.split("[;；]", rest))))
    if level.lower() not in LEVELS:
        return f"no level `{level[:20]}`"
    if not POINTS[0] <= len(points) <= POINTS[1]:
        return f"{len(points)} points"
    if MARKUP.search(title + rest):
        return "markup or an address"
    if bool(HAN.search(title)) != (language == "zh") or (language == "en" and not LATIN.search(title)):
        return f"not in the language `{language}`"
    try:
        return Topic(title=title, level=_level(level), points=points)
    except ValidationError:
        return "not one line of visible characters"


def _level(name: str) -> Level:
    return next(level for level in LEVELS if level == name.lower())
