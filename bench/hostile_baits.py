"""What makes a careless filter slow, large or fall over: texts of one kind of bait, and rows that no parser likes.

A bait repeats: what makes a pattern try everything, what has no words, what is all words, what nests without end, what
opens and never closes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

GOOD = (
    "The river rises in the hills and falls two hundred metres before it meets the sea. Its water is clear in summer. "
    * 5
)


@dataclass(frozen=True, slots=True)
class Bait:
    """`head`, then `unit` again and again, then `middle`, then `closing` as often as `unit`."""

    unit: str
    closing: str = ""
    head: str = ""
    middle: str = ""

    def text(self, size: int) -> str:
        """About `size` bytes of it, as JSON writes them. A `#` of the unit is another number each time."""
        if "#" in self.unit:
            return "".join(
                self.unit.replace("#", str(number))
                for number in range(size // (len(self.unit) + 6 * self.unit.count("#")))
            )
        times = max(1, size // len(json.dumps(self.unit + self.closing, ensure_ascii=False).encode()[1:-1]))
        return self.head + self.unit * times + self.middle + self.closing * times


BAITS: dict[str, Bait] = {
    "words": Bait("a "),
    "letters": Bait("a"),
    "digits": Bait("1"),
    "grouped digits": Bait("1,111"),
    "blanks": Bait(" ", head="a", middle="a"),
    "line feeds": Bait("\n", head="a", middle="a"),
    "at signs": Bait("a@"),
    "dots": Bait("1.1."),
    "URLs": Bait("http://a:"),
    "keys": Bait("-----BEGIN PRIVATE KEY-----"),
    "key of one line": Bait("A", head="-----BEGIN PRIVATE KEY-----\n"),
    "tokens": Bait("eyJaaaaaaaaaaaa."),
    "IBANs": Bait("AA00AAAA "),
    "phones": Bait("+1 1 "),
    "passports": Bait("passport 护照 "),
    "ideographs": Bait("汉"),
    "bracket left open": Bait("汉", head="("),
    "nested brackets": Bait("(", ")", middle="汉"),
    "Chinese clauses": Bait("分享，"),
    "title mark left open": Bait("《a"),
    "full width": Bait("Ａ"),
    "brackets": Bait("["),
    "braces": Bait('{"a":'),
    "tags": Bait("<div>"),
    "open calls": Bait("def f():\n(((((\n"),
    "arrows": Bait("def f(" + ")->" * 6000 + "\n"),
    "nested program": Bait("f(", ")", middle="1"),
    "backquotes": Bait("`a "),
    "fences": Bait("```\n"),
    "lines": Bait("Home\n"),
    "links": Bait("Home | "),
    "bullets": Bait("- "),
    "paragraphs": Bait("x" * 60 + "\n\n"),
    "names": Bait("Ada of "),
    "names apart": Bait("x Ada "),
    "short names": Bait("x NASA "),
    "numbers": Bait("3 = 4 "),
    "offers": Bait("buy now "),
    "other words": Bait("w# "),
    "other lines": Bait("Line # is here\n"),
    "other paragraphs": Bait("Paragraph # says nothing that is worth forty characters.\n\n"),
    "other sums": Bait("# + 7 = 12\n"),
    "other names": Bait("x Ada# "),
    "other functions": Bait("def f#():\n    return #\n"),
    "ligatures": Bait("ﷺ"),
    "marks": Bait("a\u0301"),
    "marks on one letter": Bait("\u0301", head="a"),
    "mojibake": Bait("Ã©"),
    "mojibake lines": Bait("Ã©\n"),
    "NUL": Bait("\0"),
    "joiners": Bait("👩‍"),
    "direction marks": Bait("\u202e\u2066"),
    "tag characters": Bait("\U000e0041"),
}

ROWS: dict[str, Callable[[int], str]] = {
    "lone surrogates": lambda size: '{"text": "' + r"\ud800" * (size // 6) + '"}',
    "nesting of 100,000": lambda size: (
        '{"text": "' + "a " * (size // 2) + '", "meta": ' + "[" * 100_000 + "]" * 100_000 + "}"
    ),
    "no end": lambda size: '{"text": "' + "a " * (size // 2),
    "a million objects": lambda size: '{"text": "a", "text": "b", "meta": [' + "{}," * (size // 3) + "{}]}",
}
"""Lines of about so many bytes that are no row, or of which only the text is wanted."""
