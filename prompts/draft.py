"""A first draft of a domain file: written by a teacher where there is one, else a skeleton for a person to fill."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from corpus.errors import RecipeError
from corpus.ids import digest
from prompts.domain import Domain
from prompts.library import Library
from prompts.topics import Ask, Grown, Growth, expand
from prompts.tree import dump_domain

SKELETON = """\
# A domain for Hornbook: fill in chapters and topics, then put this file into the folder `domains` of your library.
# A chapter's level holds for its topics; the levels are primary, secondary, college and advanced.
# Facts in points must be right: the teacher repeats them.
title: {title}
kind: {kind}
forms: [{forms}]
topics: []
# topics:
#   - title: {chapter}
#     level: secondary
#     topics:
#       - title: {topic}
#         points: [{points}]
"""
EXAMPLE = {
    "en": ("Why it rains", "Clouds", "warm air holds more water, rising air cools, drops join until they fall"),
    "zh": ("为什么会下雨", "云", "热空气含水多, 空气上升变冷, 水滴合并后落下"),
}


def domain_id(title: str) -> str:
    """The file name of a domain: its title in lower case with underscores, or a short hash where no letters remain."""
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    return name[:40].strip("_") or f"domain_{digest('domain', title)[:8]}"


def skeleton(title: str, library: Library, kind: Literal["prose", "code"] = "prose") -> str:
    """A domain file without topics that says how to fill it. It loads once there is a topic in it."""
    topic, chapter, points = EXAMPLE.get(library.language, EXAMPLE["en"])
    empty = Domain(id="x", title=title, kind=kind, forms=(), topics=())  # refuses a title that is no line of text
    line = dump_domain(empty).split("\n")[0].removeprefix("title: ")
    return SKELETON.format(
        title=line, kind=kind, forms=", ".join(suited(library, kind)), topic=topic, chapter=chapter, points=points
    )


def draft(
    title: str, library: Library, ask: Ask, growth: Growth, kind: Literal["prose", "code"] = "prose",
    known: Iterable[str] = (),
) -> tuple[str, Grown]:  # fmt: skip
    """A domain file grown from its title, and what was merged, refused and left open. Raises `RecipeError` when empty."""
    root = Domain(id=domain_id(title), title=title, kind=kind, language=library.language,
                  forms=suited(library, kind), topics=())  # fmt: skip
    domain, grown = expand(root, ask, growth, known)
    if not domain.topics:
        first = grown.refused[0] if grown.refused else None
        said = f"; its first line was refused ({first.reason}): {first.line!r}" if first else ""
        raise RecipeError(f"the teacher named no topic for `{title}`{said}", hint="try a stronger teacher, or none")
    return dump_domain(domain), grown


def suited(library: Library, kind: Literal["prose", "code"]) -> tuple[str, ...]:
    """Forms that a new domain of the kind begins with: all that need no document."""
    return tuple(form.id for form in library.forms.values() if form.kind == kind and not form.seed)
