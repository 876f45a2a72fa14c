"""Made-up sensitive items and what only looks like them, each with the words that stand around it in English and Chinese.

Every number is drawn, none belongs to anybody on purpose; checksums are computed here, by code that the filter does not use.
"""

from __future__ import annotations

import base64
import string
from collections.abc import Callable, Mapping
from random import Random

ALNUM = string.ascii_letters + string.digits
NAMES = [
    "anna.koch",
    "li.wei",
    "maria_garcia",
    "j.smith",
    "zhang-san",
    "oleg",
    "k.okafor",
    "priya+news",
    "d.f.wallace",
    "tom99",
    "ShenYu",
    "info.desk",
]
DOMAINS = [
    "gmail.com",
    "qq.com",
    "163.com",
    "mail.ru",
    "web.de",
    "univ-lyon1.fr",
    "cs.tsinghua.edu.cn",
    "bbc.co.uk",
    "acme-tools.io",
    "posteo.net",
    "foo.museum",
]


def drawn(draw: Random, alphabet: str, size: int) -> str:
    """Characters of an alphabet."""
    return "".join(draw.choice(alphabet) for _ in range(size))


def digits(draw: Random, size: int) -> str:
    """Digits, the first not 0."""
    return drawn(draw, "123456789", 1) + drawn(draw, string.digits, size - 1)


def email(draw: Random) -> str:
    """An address."""
    return f"{draw.choice(NAMES)}{draw.choice(('', str(draw.randrange(99))))}@{draw.choice(('', 'mail.'))}{draw.choice(DOMAINS)}"


def phone(draw: Random) -> str:
    """A telephone number: US, German, French, British, or a Chinese mobile or landline."""
    area, end = f"{draw.randrange(2, 10)}{draw.randrange(12, 99)}", digits(draw, 4)
    mobile = f"1{draw.choice('3456789')}{digits(draw, 9)}"
    exchange = f"{draw.randrange(2, 10)}{draw.randrange(12, 55)}"
    return draw.choice((
        f"({area}) {exchange}-{end}", f"{area}-{exchange}-{end}", f"+1 {area} {exchange} {end}", f"+1-{area}-{exchange}-{end}",
        f"{area}.{exchange}.{end}", f"+49 30 {digits(draw, 4)} {digits(draw, 4)}", f"+33 {draw.randrange(1, 7)} {' '.join(digits(draw, 2) for _ in range(4))}",
        f"+44 20 7{digits(draw, 3)} {digits(draw, 4)}", mobile, f"{mobile[:3]}-{mobile[3:7]}-{mobile[7:]}", f"{mobile[:3]} {mobile[3:7]} {mobile[7:]}",
        f"+86 {mobile}", f"+86-{mobile[:3]}-{mobile[3:7]}-{mobile[7:]}", f"0{draw.choice(('10', '21', '755', '571'))}-{draw.randrange(2, 9)}{digits(draw, 7)}",
    ))  # fmt: skip


def luhn_digit(number: str) -> str:
    """The digit that makes a card number add up."""
    total = sum(
        sum(divmod(int(char) * (2 if place % 2 == 0 else 1), 10)) for place, char in enumerate(reversed(number))
    )
    return str(-total % 10)


def card(draw: Random) -> str:
    """A card number of one of seven issuers, written three ways."""
    begin, size = draw.choice(
        (
            ("4", 16),
            ("5" + draw.choice("12345"), 16),
            ("34", 15),
            ("37", 15),
            ("6011", 16),
            ("62", 16),
            ("62", 19),
            ("3530", 16),
        )
    )
    number = begin + drawn(draw, string.digits, size - len(begin) - 1)
    number += luhn_digit(number)
    mark = draw.choice(("", " ", "-"))
    if size == 15:
        return mark.join((number[:4], number[4:10], number[10:]))
    return mark.join(number[place : place + 4] for place in range(0, 16, 4)) if size == 16 else number


def iban(draw: Random) -> str:
    """An account of one of seven countries, in groups or not, now and then in small letters."""
    country, form = draw.choice(
        (
            ("DE", "9" * 18),
            ("FR", "9" * 23),
            ("GB", "AAAA" + "9" * 14),
            ("NL", "AAAA" + "9" * 10),
            ("CH", "9" * 17),
            ("ES", "9" * 20),
            ("AT", "9" * 16),
        )
    )
    account = "".join(draw.choice(string.digits if char == "9" else string.ascii_uppercase) for char in form)
    value = int("".join(str(int(char, 36)) for char in account + country + "00"))
    whole = f"{country}{98 - value % 97:02}{account}"
    manner = draw.random()
    if manner < 0.4:
        return " ".join(whole[place : place + 4] for place in range(0, len(whole), 4))
    return whole.lower() if manner < 0.5 else whole


def chinese_id(draw: Random) -> str:
    """A resident number."""
    place = draw.choice(("110105", "310104", "440305", "510107", "330106"))
    number = f"{place}{draw.randrange(1940, 2012)}{draw.randrange(1, 13):02}{draw.randrange(1, 29):02}{draw.randrange(1, 999):03}"
    total = sum(int(char) * (2 ** (17 - index) % 11) for index, char in enumerate(number))
    return number + "10X98765432"[total % 11]


def ip(draw: Random) -> str:
    """A public address of version 4 or 6."""
    if draw.random() < 0.3:
        return f"2{draw.choice(('a0', '40', '60'))}{draw.choice('1234')}:{':'.join(f'{draw.randrange(1, 65536):x}' for _ in range(7))}"
    first = draw.choice((5, 23, 45, 62, 81, 94, 113, 139, 151, 178, 202, 217))
    return f"{first}.{draw.randrange(1, 255)}.{draw.randrange(1, 255)}.{draw.randrange(1, 255)}"


def us_ssn(draw: Random) -> str:
    """A social security number."""
    return f"{draw.choice((draw.randrange(1, 665), draw.randrange(667, 899))):03}-{draw.randrange(1, 99):02}-{draw.randrange(1, 9999):04}"


def url_credentials(draw: Random) -> str:
    """A URL with user and password."""
    scheme = draw.choice(("postgres", "mysql", "redis", "mongodb", "https", "ftp", "amqp"))
    user = draw.choice(("app", "admin", "svc_reports", "deploy", "root"))
    return f"{scheme}://{user}:{drawn(draw, ALNUM + '!_~.*', 12)}@{draw.choice(('db', 'cache', 'repo'))}.{draw.choice(DOMAINS)}"


def secret(draw: Random) -> str:
    """A token of one of fifteen services, or a JSON web token."""
    text = lambda size: drawn(draw, ALNUM, size)  # noqa: E731
    part = lambda: base64.urlsafe_b64encode(text(36).encode()).decode().rstrip("=")  # noqa: E731
    return draw.choice((
        lambda: "AKIA" + drawn(draw, string.ascii_uppercase + "234567", 16), lambda: "ghp_" + text(36), lambda: "gho_" + text(36),
        lambda: "github_pat_" + text(22) + "_" + text(59), lambda: "glpat-" + text(20), lambda: f"xoxb-{digits(draw, 12)}-{digits(draw, 12)}-{text(24)}",
        lambda: "sk-ant-api03-" + text(90), lambda: "sk-proj-" + text(48), lambda: "sk-" + text(48), lambda: "hf_" + text(34), lambda: "AIza" + text(35),
        lambda: "sk_live_" + text(24), lambda: f"SG.{text(22)}.{text(43)}", lambda: "npm_" + text(36), lambda: "LTAI" + text(20),
        lambda: f"eyJ{part()}.eyJ{part()}.{part()}",
    ))()  # fmt: skip


def private_key(draw: Random) -> str:
    """A block as tools write it, its bytes drawn."""
    name = draw.choice(("RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED "))
    body = base64.b64encode(draw.randbytes(draw.randrange(120, 1200))).decode()
    lines = "\n".join(body[place : place + 64] for place in range(0, len(body), 64))
    return f"-----BEGIN {name}PRIVATE KEY-----\n{lines}\n-----END {name}PRIVATE KEY-----"


def passport(draw: Random) -> str:
    """A number with the word that makes it one, or a machine-readable zone."""
    if draw.random() < 0.4:
        return (
            draw.choice(("Passport No. ", "passport number: ", "Passport: ", "护照号码：", "护照号 "))
            + draw.choice("EGCXKL")
            + digits(draw, 8)
        )
    number, born, until = drawn(draw, string.ascii_uppercase + string.digits, 9), "740812", "320415"
    first = f"P<UTO{draw.choice(('ERIKSSON<<ANNA<MARIA', 'LI<<WEI', 'OKAFOR<<CHIDI'))}".ljust(44, "<")
    weigh = lambda field: str(sum((0 if c == "<" else int(c, 36)) * (7, 3, 1)[n % 3] for n, c in enumerate(field)) % 10)  # noqa: E731
    second = f"{number}{weigh(number)}UTO{born}{weigh(born)}F{until}{weigh(until)}" + "<" * 14 + "0"
    return f"{first}\n{second}{weigh(second[:10] + second[13:20] + second[21:43])}"


FINDINGS: Mapping[str, Callable[[Random], str]] = {
    "email": email, "phone": phone, "card": card, "iban": iban, "chinese_id": chinese_id, "ip": ip, "us_ssn": us_ssn,
    "url_credentials": url_credentials, "secret": secret, "private_key": private_key, "passport": passport,
}  # fmt: skip
