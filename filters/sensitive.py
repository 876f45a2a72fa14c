"""Secrets and personal data by pattern, confirmed by checksum where the kind has one. Linear time on any text."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Kind:
    """One kind of sensitive text. `severe` kinds reject a document; the others are counted and redacted."""

    pattern: re.Pattern[str]
    confirm: Callable[[str], bool]
    severe: bool


def find(text: str) -> list[tuple[str, int, int]]:
    """(kind, start, end) of every confirmed finding, in order."""
    found = [
        (name, match.start(), match.end())
        for name, kind in KINDS.items()
        for match in kind.pattern.finditer(text)
        if kind.confirm(match.group())
    ]
    return sorted(found, key=lambda item: item[1])


def redact(text: str) -> tuple[str, dict[str, int]]:
    """The text with `<KIND>` in place of each finding, and the counts by kind."""
    pieces, place, kinds = [], 0, Counter[str]()
    for name, start, end in find(text):
        if start >= place:
            pieces += [text[place:start], f"<{name.upper()}>"]
            place = end
            kinds[name] += 1
    return "".join([*pieces, text[place:]]), dict(kinds)


def count(texts: Sequence[str]) -> dict[str, np.ndarray]:
    """Findings by kind, int32, one a text; `sensitive.severe` sums the kinds that reject."""
    table = {f"sensitive.{name}": np.zeros(len(texts), np.int32) for name in (*KINDS, "severe")}
    for index, text in enumerate(texts):
        for name, _, _ in find(text):
            table[f"sensitive.{name}"][index] += 1
            table["sensitive.severe"][index] += KINDS[name].severe
    return table


def _luhn(text: str) -> bool:
    digits = [int(letter) for letter in text if letter.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) < 3:
        return False
    doubled = [value if index % 2 == 0 else (2 * value - 9 if value > 4 else 2 * value) for index, value in enumerate(digits[::-1])]
    return sum(doubled) % 10 == 0


def _iban(text: str) -> bool:
    plain = text.replace(" ", "")
    return 15 <= len(plain) <= 34 and int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def _resident_id(text: str) -> bool:
    """GB 11643: weights 2^(17-i) mod 11."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], weights, strict=True))
    return "10X98765432"[total % 11] == text[17].upper()


def _public_ip(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def _ssn(text: str) -> bool:
    area, group, serial = text.split("-")
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _real_mail(text: str) -> bool:
    return not text.lower().endswith(("example.com", "example.org", "example.net", ".test", ".invalid"))


def _always(text: str) -> bool:
    return True


# Every repetition below is bounded or over a class that cannot overlap with what follows, so no text makes them slow.
KINDS: dict[str, Kind] = {
    "private_key": Kind(re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----"), _always, True),
    "api_key": Kind(
        re.compile(
            r"\b(?:sk-[A-Za-z0-9_-]{20,100}|hf_[A-Za-z0-9]{30,60}|gh[pousr]_[A-Za-z0-9]{36}|AKIA[0-9A-Z]{16}"
            r"|AIza[0-9A-Za-z_-]{35}|xox[abprs]-[0-9A-Za-z-]{10,80}|glpat-[0-9A-Za-z_-]{20})\b"
        ),
        _always, True,
    ),
    "url_credentials": Kind(re.compile(r"\b[a-z][a-z0-9+]{1,10}://[^\s/:@<>]{1,64}:[^\s/:@<>]{1,64}@[^\s/<>]{1,100}"), _always, True),
    "card": Kind(re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d.-])"), _luhn, True),
    "iban": Kind(re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), _iban, True),
    "resident_id": Kind(re.compile(r"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}[01]\d[0-3]\d{4}[\dXx](?![\dA-Za-z])"), _resident_id, True),
    "ssn": Kind(re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"), _ssn, True),
    "email": Kind(re.compile(r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}\b"), _real_mail, False),
    "ip": Kind(re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"), _public_ip, False),
    "phone": Kind(re.compile(r"(?<![\d.])(?:\+\d{1,3}[ -]?)(?:\(?\d{2,4}\)?[ -]?){2,4}\d{2,4}(?![\d.])"), _always, False),
    "phone_cn": Kind(re.compile(r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d{9}(?!\d)"), _always, False),
}  # fmt: skip
