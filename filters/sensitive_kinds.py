"""The kinds of sensitive text: how each is written, what confirms it, and what happens to it where nobody says otherwise.

Patterns are over the bytes of UTF-8. Every one is bounded: no text makes one slower than linear. What is written for
examples (reserved domains, documentation addresses, placeholder passwords) is not a finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from filters import checksums
from filters.config import Policy

EXAMPLE_HOST = re.compile(
    r"(?i)(?:^|[.@])(?:example(?:\.(?:com|org|net|edu|[a-z]{2}))?|test|invalid|localhost|local|lan|internal)$"
)
PLACEHOLDER = re.compile(
    r"(?i)^(?:(?:my|your)?_?(?:pass(?:word|wd)?|pw|pwd|secret|token|key)|x+|\*+|\.+|user(?:name)?|changeme|foo|bar)$"
)
# Endings of file names that look like an address: `logo@2x.png`.
FILE_ENDING = re.compile(r"(?i)\.(?:png|jpe?g|gif|svg|webp|ico|css|js|ts|py|html?|json|md|txt|pdf|zip|so|dll|exe)$")
# What says of the number behind it that it is no address, telephone or card.
VERSION = re.compile(
    r"(?:\b(?:v|ver|version|versions|release|released|build|firmware|kernel|firefox|chrome|safari|opera|java|section|chapter|oid)"
    r"|版本号?|版|第)[.:：]?\s?\Z|[a-z]/\Z"
)
AFTER_NUMBERING = re.compile(r"\s?[章节節版]|\.in-addr|\s?(?:release|version)\b")
NUMBERING = re.compile(
    r"(?:\b(?:isbn(?:-1[03])?|issn|doi|oclc|lccn|pmid|ean|upc|order|invoice|ticket|tracking|serial|case|item|part|sku|ref|reference|timestamp"
    r"|id|hash|checksum|bytes)|订单|单号|编号|序号|流水号|货号)(?: ?(?:no|number|nr|id|号码?))?[.:：#= ]{0,3}\Z|[$#]\Z"
)
CARD_WORD = re.compile(r"(?:\b(?:card|cc|visa|mastercard|amex|maestro)\b|银行卡|信用卡|卡号)[^0-9]{0,12}\Z")
DIALLED = re.compile(r"\+[0-9]{1,3}[ -]\Z")
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
        r"LTAI[A-Za-z0-9]{12,24}(?![A-Za-z0-9])",  # Alibaba Cloud
        r"AKID[A-Za-z0-9]{32}(?![A-Za-z0-9])",  # Tencent Cloud
        r"eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}",  # JSON web token
        r"https://hooks\.slack\.com/services/[A-Za-z0-9/]{20,80}",
    )
)
# Literals of four bytes and more, and few of three: a short one takes the search out of the processor's wide registers.
SECRET_GATE = (
    r"AKIA|ASIA|AKID|LTAI|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|sk-[A-Za-z0-9_-]{20}|hf_|AIza|ya29\.|k_live_|SG\."
    r"|npm_|pypi-|dckr_|eyJ|hooks\.slack"
)
KEY_BEGIN, KEY_END = (rf"-----{edge} [A-Z ]{{0,20}}PRIVATE KEY(?: BLOCK)?-----" for edge in ("BEGIN", "END"))
PASSPORT_GATE = "assport|ASSPORT|护照|護照|<<<<<"
# Each branch begins with a character: so the search leaps over what is none of them.
PASSPORT_NUMBER = (
    r"(?i:[ _-]?(?:number|no\.?|num|nr\.?|id|#))?(?i:[ :#=-]{1,4}(?:is[ :]{1,2}|was )?)"
    r"(?:[A-Z]{1,3}[0-9]{6,8}|[0-9]{8,9})(?![A-Za-z0-9])"
)
CHINESE_PASSPORT_NUMBER = r"(?:号码|號碼|号|號|编号)?(?:是|为|：|[: ]){0,3}[A-Z]{1,2}[0-9]{7,8}(?![A-Za-z0-9])"
PASSPORT = "|".join(
    (
        *(word + PASSPORT_NUMBER for word in ("Passport", "passport", "PASSPORT")),
        *(word + CHINESE_PASSPORT_NUMBER for word in ("护照", "護照")),
        r"P(?<![A-Z0-9<]P)(?=.{0,39}<<<<<)[<A-Z][A-Z]{3}[A-Z<]{39}\r?\n[A-Z0-9<]{9}[0-9][A-Z<]{3}[0-9]{7}[MFX<][0-9]{7}[A-Z0-9<]{14}[0-9<][0-9](?![A-Z0-9<])",
    )
)


Confirm = Callable[[str, str, str], bool]
"""Whether it is one: given what matched, and the characters before (lower case) and behind it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding.

    Where it could stand is told by `gate`, a pattern over whole columns that passes everything that `pattern` could match,
    or, where that is "", by `filters.footholds` and the bytes that a finding is made of, or how far behind its start the
    foothold stands that every match has.
    """

    name: str
    policy: Policy
    pattern: re.Pattern[bytes]
    confirm: Confirm
    gate: str = ""
    alphabet: bytes = b""
    lead: int = -1
    literal: bytes = b""  # stands in every text that has a finding
    bars: bool = (
        False  # what it refuses is not looked at by later kinds either: `//user:password@host` holds no address
    )


def _kind(
    name: str,
    policy: Policy,
    pattern: str,
    confirm: Confirm = lambda text, before, after: True,
    *,
    gate: str = "",
    alphabet: str = "",
    lead: int = -1,
    literal: str = "",
    bars: bool = False,
) -> Kind:
    return Kind(
        name, policy, re.compile(pattern.encode()), confirm, gate, alphabet.encode(), lead, literal.encode(), bars
    )


def _alone(check: Callable[[str], bool]) -> Confirm:
    return lambda text, before, after: check(text)


def _email(text: str, before: str, after: str) -> bool:
    return not EXAMPLE_HOST.search(text.rsplit("@", 1)[1]) and not FILE_ENDING.search(text)


def _credentials(text: str, before: str, after: str) -> bool:
    user, _, rest = text.split("://", 1)[1].partition(":")
    password, _, host = rest.rpartition("@")
    if set(password) & set("{}<>$%[]"):
        return False
    return not (PLACEHOLDER.match(password) or EXAMPLE_HOST.search(host) or user == password)


def _ip(text: str, before: str, after: str) -> bool:
    if "." in text and (VERSION.search(before) or AFTER_NUMBERING.match(after)):
        return False
    return checksums.public_ip(text)


def _card(text: str, before: str, after: str) -> bool:
    if not checksums.luhn(text) or NUMBERING.search(before) or after.startswith("$"):
        return False
    return checksums.issued_card(text) or CARD_WORD.search(before) is not None


def _ssn(text: str, before: str, after: str) -> bool:
    return checksums.us_ssn(text) and not DIALLED.search(before) and not NUMBERING.search(before)


def _phone(text: str, before: str, after: str) -> bool:
    digits = re.sub(r"\D", "", text.partition("x")[0])
    fictional = digits[-10:][3:8] == "55501" or digits[-7:-2] == "55501"  # 555-01xx is never given out
    bare = text.isdigit() and (NUMBERING.search(before) is not None or after.startswith("$"))
    return 10 <= len(digits) <= 15 and len(set(digits)) > 2 and not fictional and not bare


def _secret(text: str, before: str, after: str) -> bool:
    return not text.upper().endswith("EXAMPLE") and len(set(text)) > 8


DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# What stands in a URL as it is: ASCII without blanks, quotes and angle brackets.
IN_URL = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in "\"'<>")

# In order: where two findings overlap, the kind that comes first has the text.
KINDS: tuple[Kind, ...] = (
    _kind(
        "private_key",
        "drop",
        rf"{KEY_BEGIN}(?:(?:(?!-----BEGIN)[\s\S]){{1,20000}}?{KEY_END}|(?:\\[rn]|\s){{0,8}}[A-Za-z0-9+/=]{{20,20000}})",
        gate=r"PRIVATE KEY",
    ),
    _kind("secret", "drop", rf"(?<![A-Za-z0-9_])(?:{SECRET})", _secret, gate=SECRET_GATE),
    _kind("passport", "drop", PASSPORT, _alone(checksums.passport), gate=PASSPORT_GATE),
    _kind(
        "url_credentials",
        "drop",
        r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.-]{1,20}://[!#-&(-.0-9;=?A-Z\[-~]{0,128}:[!#-&(-.0-;=?A-Z\[-~]{1,256}@[A-Za-z0-9.-]{1,253}",
        _credentials,
        alphabet=IN_URL,
        literal="://",
        bars=True,
    ),
    _kind(
        "iban",
        "drop",
        r"(?<![A-Za-z0-9])(?:[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?|[a-z]{2}[0-9]{2}[a-z0-9]{11,30})(?![A-Za-z0-9])",
        _alone(checksums.iban),
        lead=2,
    ),
    _kind(
        "chinese_id",
        "drop",
        r"(?<![A-Za-z0-9])[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx](?![A-Za-z0-9])",
        _alone(checksums.chinese_resident_id),
        alphabet=DIGITS + "Xx",
    ),
    _kind(
        "card",
        "drop",
        r"(?<![A-Za-z0-9.])(?<![0-9][ -])[1-6][0-9]{3}(?:[0-9]{8,15}|(?:[ -][0-9]{4}){3}|[ -][0-9]{6}[ -][0-9]{5})"
        r"(?![A-Za-z0-9]|[ .-][0-9])",
        _card,
        alphabet=DIGITS + " -",
    ),
    _kind(
        "us_ssn",
        "drop",
        r"(?<![A-Za-z0-9_-])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![A-Za-z0-9_-])",
        _ssn,
        alphabet=DIGITS + "-",
    ),
    _kind(
        "ip",
        "report",
        r"(?<![A-Za-z0-9_.-])(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|(?<![0-9A-Fa-f:]:)[23][0-9A-Fa-f]{3}:"
        r"(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{1,4})(?![A-Za-z0-9_:-]|\.[0-9])",
        _ip,
        alphabet=DIGITS + "ABCDEFabcdef.:",
    ),
    _kind(
        "email",
        "report",
        r"(?<![A-Za-z0-9_.+%-])[A-Za-z0-9_][A-Za-z0-9_.+%-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}"
        r"[A-Za-z]{2,24}(?![A-Za-z0-9_-])",
        _email,
        alphabet=DIGITS + LETTERS + LETTERS.lower() + "_.+%-@",
    ),
    _kind(
        "phone",
        "report",
        r"(?<![A-Za-z0-9_.+/-])(?:\+[0-9]{1,3}[ .-]?(?:\(0?[0-9]{0,4}\)[ .-]?)?[0-9]{1,5}(?:[ .-]?[0-9]{2,5}){1,5}(?: ?x[0-9]{1,5})?"
        r"|(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?[2-9][0-9]{2}[ .-][0-9]{4}|[2-9][0-9]{2}(?:-[2-9][0-9]{2}-|\.[2-9][0-9]{2}\.)[0-9]{4}(?: ?x[0-9]{1,5})?)"
        r"|\(0[1-9][0-9]{1,2}\) ?[2-8][0-9]{3}[ -]?[0-9]{3,4}|0[1-9][0-9]{1,2}-[2-8][0-9]{3}[ -]?[0-9]{3,4}|[48]00-[0-9]{3}-[0-9]{4}"
        r"|(?:86[ -]?)?1[3-9][0-9]{9}|1[3-9][0-9][ -][0-9]{4}[ -][0-9]{4})(?![A-Za-z0-9_/-]|\.[0-9])",
        _phone,
        alphabet=DIGITS + " ().+-x",
    ),
)
NAMES: tuple[str, ...] = tuple(kind.name for kind in KINDS)
