"""Secrets and personal data: where they are, of which kind, and a copy of the text without them.

Patterns find candidates, validators confirm them. Every pattern is bounded: no text makes one slower than linear. What
is written for examples (reserved domains, documentation addresses, placeholder passwords) is not a finding.

Not found: names, postal addresses, and secrets without a shape of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from filters import checksums
from filters.config import FilterConfig, Policy

EXAMPLE_HOST = re.compile(r"(?i)(?:^|[.@])(?:example(?:\.(?:com|org|net|edu))?|test|invalid|localhost|local|lan)$")
PLACEHOLDER = re.compile(
    r"(?i)^(?:pass(?:word|wd)?|pw|pwd|secret|token|key|x+|\*+|\.+|user(?:name)?|changeme|foo|bar)$"
)
SECRET = "|".join(
    (
        r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])",  # AWS
        r"gh[pousr]_[A-Za-z0-9]{36}",  # GitHub
        r"github_pat_[A-Za-z0-9_]{40,120}",
        r"glpat-[A-Za-z0-9_-]{20,64}",  # GitLab
        r"xox[abeoprs]-[A-Za-z0-9-]{10,250}",  # Slack
        r"sk-ant-[A-Za-z0-9_-]{20,200}",  # Anthropic
        r"sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,250}",  # OpenAI
        r"sk-[A-Za-z0-9]{20,64}(?![A-Za-z0-9-])",
        r"hf_[A-Za-z0-9]{34}(?![A-Za-z0-9])",  # Hugging Face
        r"AIza[A-Za-z0-9_-]{35}",  # Google
        r"ya29\.[A-Za-z0-9_-]{20,250}",
        r"[sr]k_live_[A-Za-z0-9]{16,128}",  # Stripe
        r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}",  # SendGrid
        r"npm_[A-Za-z0-9]{36}",
        r"pypi-AgEI[A-Za-z0-9_-]{40,250}",
        r"dckr_pat_[A-Za-z0-9_-]{20,64}",
        r"eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}",  # JSON web token
        r"https://hooks\.slack\.com/services/[A-Za-z0-9/]{20,80}",
    )
)


def _email(text: str) -> bool:
    return not EXAMPLE_HOST.search(text.rsplit("@", 1)[1])


def _credentials(text: str) -> bool:
    user, _, rest = text.split("://", 1)[1].partition(":")
    password, _, host = rest.rpartition("@")
    if set(password) & set("{}<>$%[]"):
        return False
    return not (PLACEHOLDER.match(password) or EXAMPLE_HOST.search(host) or user == password)


def _phone(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    fictional = digits[-10:][3:8] == "55501" or digits[-7:-2] == "55501"  # 555-01xx is never given out
    return 10 <= len(digits) <= 15 and len(set(digits)) > 2 and not fictional


def _always(_: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding. `gate` runs in Rust over whole columns and passes everything that `pattern` could match."""

    name: str
    policy: Policy
    gate: str
    pattern: re.Pattern[str]
    confirm: Callable[[str], bool]
    bars: bool  # what it refuses is not looked at by later kinds either: `//user:password@host` holds no address


def _kind(
    name: str,
    policy: Policy,
    gate: str,
    pattern: str,
    confirm: Callable[[str], bool] = _always,
    *,
    bars: bool = False,
) -> Kind:
    return Kind(name, policy, gate, re.compile(pattern), confirm, bars)


KEY_BEGIN, KEY_END = (rf"-----{edge} [A-Z ]{{0,20}}PRIVATE KEY(?: BLOCK)?-----" for edge in ("BEGIN", "END"))


# In order: where two findings overlap, the kind that comes first has the text.
KINDS: tuple[Kind, ...] = (
    _kind(
        "private_key",
        "drop",
        r"PRIVATE KEY",
        rf"{KEY_BEGIN}(?:(?:(?!-----BEGIN)[\s\S]){{1,20000}}?{KEY_END}|(?:\\[rn]|\s){{0,8}}[A-Za-z0-9+/=]{{20,20000}})",
    ),
    _kind(
        "secret",
        "drop",
        r"AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox|sk-|hf_|AIza|ya29|k_live_|SG\.|npm_|pypi-|dckr_|eyJ|hooks\.slack",
        rf"(?<![A-Za-z0-9_])(?:{SECRET})",
        lambda text: not text.upper().endswith("EXAMPLE") and len(set(text)) > 8,
    ),
    _kind(
        "url_credentials",
        "drop",
        r"://[^/\s]*@",
        r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@\"'<>]{1,128}:[^\s/@\"'<>]{1,256}@[A-Za-z0-9.-]{1,253}",
        _credentials,
        bars=True,
    ),
    _kind(
        "iban",
        "drop",
        r"[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4}",
        r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])",
        checksums.iban,
    ),
    _kind(
        "chinese_id",
        "drop",
        r"[0-9]{17}[0-9Xx]",
        r"(?<![A-Za-z0-9])[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx](?![A-Za-z0-9])",
        checksums.chinese_resident_id,
    ),
    _kind(
        "card",
        "drop",
        r"[2-6][0-9]{3}[ -]?[0-9]{4}",
        r"(?<![A-Za-z0-9.])(?<![0-9][ -])[2-6][0-9]{3}(?:[0-9]{9,15}|(?:[ -][0-9]{4}){3}|[ -][0-9]{6}[ -][0-9]{5})"
        r"(?![A-Za-z0-9]|[ .-][0-9])",
        checksums.luhn,
    ),
    _kind(
        "us_ssn",
        "drop",
        r"[0-9]{3}-[0-9]{2}-[0-9]{4}",
        r"(?<![A-Za-z0-9_-])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![A-Za-z0-9_-])",
        checksums.us_ssn,
    ),
    _kind(
        "ip",
        "report",
        r"[0-9]\.[0-9]{1,3}\.[0-9]|:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:",
        r"(?<![A-Za-z0-9_.-])(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|(?<![0-9A-Fa-f:]:)[0-9A-Fa-f]{1,4}:"
        r"(?:[0-9A-Fa-f]{0,4}:){2,6}[0-9A-Fa-f]{1,4})(?![A-Za-z0-9_:-]|\.[0-9])",
        checksums.public_ip,
    ),
    _kind(
        "email",
        "report",
        r"@",
        r"(?<![A-Za-z0-9_.+%-])[A-Za-z0-9_][A-Za-z0-9_.+%-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}"
        r"[A-Za-z]{2,24}(?![A-Za-z0-9_-])",
        _email,
    ),
    _kind(
        "phone",
        "report",
        r"[0-9][0-9 ().-]{6,}[0-9]",
        r"(?<![A-Za-z0-9_.+/-])(?:\+[0-9]{1,3}[ .-]?(?:\(0?[0-9]{1,4}\)[ .-]?)?[0-9]{2,5}(?:[ .-]?[0-9]{2,5}){1,4}"
        r"|\([2-9][0-9]{2}\) ?[0-9]{3}[ .-][0-9]{4}|[2-9][0-9]{2}-[0-9]{3}-[0-9]{4}"
        r"|(?:86[ -]?)?1[3-9][0-9]{9}|1[3-9][0-9][ -][0-9]{4}[ -][0-9]{4})(?![A-Za-z0-9_/-]|\.[0-9])",
        _phone,
    ),
)
NAMES: tuple[str, ...] = tuple(kind.name for kind in KINDS)


@dataclass(frozen=True, slots=True)
class Finding:
    """Characters `start` to `end` of a text are sensitive, and of which kind."""

    kind: str
    start: int
    end: int


def find(text: str, kinds: Mapping[str, Kind] | None = None) -> list[Finding]:
    """All findings in reading order; they never overlap. `kinds` limits the search."""
    found: list[Finding] = []
    taken = np.zeros(0, dtype=bool)
    for kind in KINDS if kinds is None else kinds.values():
        for match in kind.pattern.finditer(text):
            confirmed = kind.confirm(match.group())
            if not confirmed and not kind.bars:
                continue
            if not taken.size:
                taken = np.zeros(len(text), dtype=bool)
            if not taken[match.start() : match.end()].any():
                taken[match.start() : match.end()] = True
                found += [Finding(kind.name, match.start(), match.end())] * confirmed
    return sorted(found, key=lambda finding: finding.start)


def redact(text: str, kinds: Mapping[str, Kind] | None = None) -> tuple[str, dict[str, int]]:
    """The text with each finding replaced by its kind in angle brackets, and how many there were of each kind."""
    pieces, last = [], 0
    findings = find(text, kinds)
    for finding in findings:
        pieces += [text[last : finding.start], f"<{finding.kind}>"]
        last = finding.end
    return "".join([*pieces, text[last:]]), dict(Counter(finding.kind for finding in findings))


def score(texts: pl.Series) -> dict[str, np.ndarray]:
    """Findings of each kind in each text, int32. Python looks only at texts that pass a kind's gate."""
    gates = {kind.name: texts.str.contains(kind.gate).to_numpy() for kind in KINDS}
    counts = {name: np.zeros(len(texts), dtype=np.int32) for name in NAMES}
    for index in np.flatnonzero(np.logical_or.reduce(list(gates.values()))):
        kinds = {kind.name: kind for kind in KINDS if gates[kind.name][index]}
        for finding in find(texts[int(index)], kinds):
            counts[finding.kind][index] += 1
    return {f"sensitive.{name}": values for name, values in counts.items()}


def policies(config: FilterConfig) -> dict[str, Policy]:
    """What happens to each kind: the recipe's word for it, else `report` if the recipe only reports, else its own."""
    default = {kind.name: kind.policy if config.sensitive == "drop" else "report" for kind in KINDS}
    return {name: config.policy.get(name, policy) for name, policy in default.items()}


def masked_kinds(config: FilterConfig) -> dict[str, Kind]:
    """The kinds whose findings are replaced in texts that are read: an edit, done in the stage that cleans."""
    return {kind.name: kind for kind in KINDS if policies(config)[kind.name] == "mask"}
