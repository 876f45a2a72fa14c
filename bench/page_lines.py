"""Lines of HTML pages with what the markup says of them: `python -m bench.page_lines PAGES.jsonl --out LINES.jsonl`.

A line is of the page's frame, of its content, or unknown. It is of the frame where it stands in `nav`, `footer`, `button` and the like, or in a part whose class or id names such a
thing, or is a short link by itself. It is of the content where it stands between the first and the last long paragraph of one parent, and most of it
is no link. What is neither stays unknown, and so do the lines at both ends of an article: bylines and share buttons stand
there.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from resiliparse.parse.html import DOMNode, HTMLTree, NodeType

FRAME_TAGS = {"nav", "footer", "aside", "button", "form", "select", "label", "menu", "dialog"}
HIDDEN = {"script", "style", "noscript", "template", "svg", "head", "iframe", "option", "textarea", "#comment"}
INLINE = {"a", "abbr", "b", "bdi", "cite", "code", "em", "font", "i", "mark", "q", "s", "small", "span", "strong", "sub",
          "sup", "time", "u", "var", "img", "wbr", "ins", "del", "big", "tt", "kbd", "dfn", "acronym", "strike"}  # fmt: skip
FRAME_NAME = re.compile(
    r"(?:^|[-_ ])(?:nav\w*|\w*menu|menu\w*|foot\w*|side-?bar\w*|crumbs?|breadcrumbs?|share\w*|sharing|social\w*|comment-?(?:form|reply|respond)|respond|"
    r"related\w*|cookies?\w*|consent|copyright\w*|login|signup|search\w*|pager|pagination|page-?nav\w*|toolbar|newsletter\w*|"
    r"subscri\w*|advert\w*|ads?|banner|top-?bar|skip\w*|tags?|byline|meta|recommend\w*|hot\w*|links?|bottom|copy)(?:$|[-_ ])",
    re.IGNORECASE,
)
LONG = 80  # characters of a paragraph that only an author writes; a Chinese one counts double
SHORT = 30  # of a link that stands alone: no headline
FRAME, CONTENT, UNKNOWN = "frame", "content", ""


LARGEST = 2_000_000  # characters of a page that is read
ENGLISH = re.compile(r"\b(?:the|and|of|to|in|is|for|with)\b", re.IGNORECASE)
HAN, KANA = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[\u3040-\u30ff]")


def main() -> None:
    """Rows with `site` and `html` become rows with `site`, `language` (`en`, `zh`) and `lines`, each of text and label."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("pages", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    with asked.pages.open(encoding="utf-8") as rows, asked.out.open("w", encoding="utf-8") as out:
        for row in map(json.loads, rows):
            lines = page_lines(row["html"]) if len(row["html"]) <= LARGEST else []
            language = _language(" ".join(line.text for line in lines))
            if language:
                found = {
                    "site": row["site"],
                    "language": language,
                    "lines": [[line.text, line.label] for line in lines],
                }
                out.write(json.dumps(found, ensure_ascii=False) + "\n")


def _language(text: str) -> str:
    """`zh`, `en`, or nothing."""
    han, kana = len(HAN.findall(text)), len(KANA.findall(text))
    if han > 100 and han > 10 * kana:
        return "zh"
    words = text.split()
    return "en" if kana < 30 and len(words) > 50 and len(ENGLISH.findall(text)) > 0.07 * len(words) else ""


@dataclass(slots=True)
class Line:
    """One visible line, `label` what the markup says, `parent` the block's parent, `linked` the share of it that is a link."""

    text: str
    label: str
    parent: int
    linked: float
    paragraph: bool


def page_lines(html: str) -> list[Line]:
    """All visible lines of a page, in order."""
    tree = HTMLTree.parse(html)
    if tree.body is None:
        return []
    lines = list(_lines(tree.body))
    bounds: dict[int, tuple[int, int]] = {}
    for place, line in enumerate(lines):
        if line.paragraph and line.label != FRAME and line.linked < 0.3 and _width(line.text) >= LONG:
            bounds[line.parent] = (bounds.get(line.parent, (place, place))[0], place)
    for first, last in bounds.values():
        for line in lines[first : last + 1] if last - first >= 2 else []:
            if line.label != FRAME and line.linked < 0.5:
                line.label = CONTENT
    for line in lines:
        if line.label == UNKNOWN and line.linked >= 0.9 and _width(line.text) <= SHORT:
            line.label = FRAME
    return lines


def _width(text: str) -> int:
    return len(text) + sum("\u4e00" <= letter <= "\u9fff" for letter in text)


def _lines(body: DOMNode) -> Iterator[Line]:
    """Depth first, a line for each stretch of inline text."""
    text: list[tuple[str, bool]] = []
    state = (UNKNOWN, 0, False)  # label, parent's number, paragraph
    numbers = 0
    stack: list[tuple[DOMNode | None, tuple[str, int, bool], bool]] = [(body, state, False)]
    while stack:
        node, inside, link = stack.pop()
        if node is None:  # a block ends
            yield from _flush(text, inside)
            continue
        if node.type == NodeType.TEXT:
            text.append((node.text or "", link))
            continue
        tag = (node.tag or "").lower()
        if node.type != NodeType.ELEMENT or tag in HIDDEN:
            continue
        label = FRAME if inside[0] == FRAME or tag in FRAME_TAGS or _named_frame(node) else inside[0]
        if tag not in INLINE:
            yield from _flush(text, inside)
            numbers += 1
            within = (label, inside[1] if tag in {"p", "h2", "h3", "h4", "br"} else numbers, tag == "p")
            stack.append((None, within, link))
        else:
            within = (label, inside[1], inside[2])
        for child in reversed(list(_children(node))):
            stack.append((child, within, link or tag == "a"))


def _children(node: DOMNode) -> Iterator[DOMNode]:
    """From one to the next: to count them is slow where there are thousands."""
    child = node.first_child
    while child is not None:
        yield child
        child = child.next_sibling


def _named_frame(node: DOMNode) -> bool:
    names = f"{node.getattr('class') or ''} {node.getattr('id') or ''}"  # type: ignore[attr-defined]
    return names != " " and len(names) < 200 and FRAME_NAME.search(names) is not None


def _flush(text: list[tuple[str, bool]], inside: tuple[str, int, bool]) -> Iterator[Line]:
    whole = " ".join("".join(part for part, _ in text).split())
    linked = sum(len(part.strip()) for part, link in text if link)
    if whole:
        yield Line(whole, inside[0], inside[1], min(1.0, linked / len(whole)), inside[2])
    text.clear()


if __name__ == "__main__":
    main()
