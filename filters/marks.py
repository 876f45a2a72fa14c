"""Marks as the rules of the published recipes know them, as regular expressions for Rust's engine."""

from __future__ import annotations

# Unicode's sentence terminals as of version 14, which FineWeb's stop characters are: no quotation marks, no ellipsis.
TERMINAL = (
    r"[\p{Sentence_Terminal}\u{17D6}\u{17D9}\u{17DA}--[\u{1B4E}\u{1B4F}\u{1B7F}\u{2024}\u{2CF9}-\u{2CFB}\u{FE12}\u{FE15}"
    r"\u{FE16}\u{113D4}\u{113D5}\u{16D6E}\u{16D6F}]]"
)

# CCNet's list of punctuation (Wenzek et al. 2020) and control characters: a word of these alone is a symbol.
SYMBOL = (
    r"[!/—”:％１〈&(、━\\【#%「」，】；+^\]~“《„';’{|∶´\[=\-`*．（–？！：$～«〉,><》)?）。…@_.\x22}►»"
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\p{Sentence_Terminal}\u{17D6}\u{17D9}\u{17DA}"
    r"--[\u{1B4E}\u{1B4F}\u{1B7F}\u{2024}\u{2CF9}-\u{2CFB}\u{FE12}\u{FE15}\u{FE16}\u{113D4}\u{113D5}\u{16D6E}\u{16D6F}]]"
)

# What Python's str.strip() and str.split() take for blank: White_Space and the four ASCII separators.
BLANK = "".join(chr(code) for code in (*range(0x09, 0x0E), *range(0x1C, 0x21), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B),
                                       0x2028, 0x2029, 0x202F, 0x205F, 0x3000))  # fmt: skip
BLANK_CLASS = r"\s\x1c-\x1f"

# What ends a line besides the line feed: Unicode's boundaries, as str.splitlines() knows them.
BREAK = r"\r\n|[\r\x0b\x0c\x1c-\x1e\u{85}\u{2028}\u{2029}]"
