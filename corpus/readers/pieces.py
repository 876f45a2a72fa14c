"""Long texts cut into pages, at the places where a reader would pause."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

PAGE = 4_000  # characters aimed at: about 700 words, the size of a web page's text
LONGEST = 6_000
SHORTEST = 200  # a last piece below this joins the one before it

_PARAGRAPH = re.compile(r"\n[ \t]*\n+")
_HEADING = re.compile(r"^(#{1,4} |=+ |[^\n]+\n[=~^-]{4,}[ \t]*$)")
_DEFINITION = re.compile(r"\n(?=(?:@|def |async def |class ))")


def pages(text: str) -> list[str]:
    """Prose in pieces of about `PAGE` characters, cut before headings where one is near, else between paragraphs."""
    return _packed(_PARAGRAPH.split(text), "\n\n", starts=_HEADING)


def modules(text: str) -> list[str]:
    """Python source in pieces of about `PAGE` characters, cut before top-level definitions."""
    return _packed(_DEFINITION.split(text), "\n", starts=None)


def _packed(parts: list[str], glue: str, starts: re.Pattern[str] | None) -> list[str]:
    done: list[str] = []
    held: list[str] = []
    size = 0
    for part in itertools.chain.from_iterable(map(_short, parts)):
        heading = starts is not None and size > PAGE // 2 and starts.match(part)
        if held and (size + len(part) > PAGE or heading):
            done.append(glue.join(held))
            held, size = [], 0
        held.append(part)
        size += len(part) + len(glue)
    if held:
        done.append(glue.join(held))
    if len(done) > 1 and len(done[-1]) < SHORTEST:
        last = done.pop()
        done[-1] += glue + last
    return [piece.strip("\n") for piece in done if piece.strip()]


def _short(part: str) -> Iterator[str]:
    """A paragraph that is itself longer than a page is cut at ends of lines, and a longer line by length."""
    while len(part) > LONGEST:
        end = part.rfind("\n", 1, PAGE)
        end = PAGE if end < 0 else end
        yield part[:end]
        part = part[end:].lstrip("\n")
    if part.strip():
        yield part
