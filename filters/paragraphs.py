"""Lines and paragraphs: trailing blanks, runs of blank lines, and what a document says word for word again."""

from __future__ import annotations

import re

LONG = 40  # characters: a paragraph that is longer is not said twice on purpose
BLANK = re.compile(r"\n{3,}")
TRAILING = re.compile(r"(?<![ \t])[ \t]++(?=\n|\Z)")  # each run of blanks is looked at once


def tidy_lines(text: str) -> str:
    """Without blanks at the ends of lines, with one blank line at most between paragraphs, none at the edges."""
    text = BLANK.sub("\n\n", TRAILING.sub("", text))
    return text.strip("\n")


def without_repeats(text: str) -> str:
    """Each long paragraph once: the first time. Text with code fences is left alone."""
    if "```" in text or "~~~" in text:
        return text
    seen: set[str] = set()
    kept = []
    for paragraph in text.split("\n\n"):
        if len(paragraph) >= LONG and paragraph in seen:
            continue
        seen.add(paragraph)
        kept.append(paragraph)
    return "\n\n".join(kept)
