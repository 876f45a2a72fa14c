"""A strict reader of our own pages: what it collects, tests assert on."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "input", "br", "hr", "img", "link"}
ADDRESSES = {"href", "src", "xlink:href", "action", "data", "poster", "srcset", "formaction"}


class Page(HTMLParser):
    """Parses a page; `faults` names unbalanced tags, addresses that leave the page, handlers and repeated ids."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.ids: set[str] = set()
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{name}> is never closed" for name in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self._attribute(tag, name, value or "")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing, line {self.getpos()[0]}")

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside == "style":
            outside = [url for url in re.findall(r"url\(([^)]*)\)|@import", data) if not url.startswith("#")]
            self.faults += [f"style asks for {url}" for url in outside]
        else:
            (self.scripts if inside == "script" else self.texts).append(data)

    @property
    def text(self) -> str:
        """All that a reader sees."""
        return " ".join(self.texts)

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on"):
            self.faults.append(f"<{tag}> has a handler {name}")
        if name in ADDRESSES and not value.startswith("#"):
            self.faults.append(f"<{tag} {name}> leaves the page: {value[:60]}")
        if name == "id":
            if value in self.ids:
                self.faults.append(f"id {value} twice")
            self.ids.add(value)
