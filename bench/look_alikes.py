"""What looks like sensitive text and is none: made up, of the kinds that real documents are full of."""

from __future__ import annotations

import hashlib
import string
import uuid
from collections.abc import Callable, Mapping
from random import Random

from bench.made_up import ALNUM, card, chinese_id, digits, drawn, iban


def isbn(draw: Random) -> str:
    """With its check digit, dashed or not."""
    body = "978" + digits(draw, 9)
    check = str(-sum(int(char) * (3 if place % 2 else 1) for place, char in enumerate(body)) % 10)
    return f"ISBN {draw.choice((body + check, f'{body[:3]}-{body[3]}-{body[4:8]}-{body[8:]}-{check}'))}"


def version(draw: Random) -> str:
    """With three or four parts."""
    parts = ".".join(str(draw.randrange(0, 40)) for _ in range(draw.choice((3, 4))))
    return draw.choice(("version ", "v", "Version: ", "Firefox ", "Chrome/", "release ", "版本 ", "build ")) + parts


def digest(draw: Random) -> str:
    """A hash or an identifier in hexadecimal."""
    made = draw.randbytes(16)
    return draw.choice((hashlib.md5(made).hexdigest(), hashlib.sha1(made).hexdigest(), hashlib.sha256(made).hexdigest(), str(uuid.UUID(bytes=made, version=4)),
                        hashlib.sha1(made).hexdigest()[:12]))  # fmt: skip


def documented(draw: Random) -> str:
    """What standards and manuals reserve for examples."""
    return draw.choice((
        f"192.0.2.{draw.randrange(1, 255)}", f"198.51.100.{draw.randrange(1, 255)}", f"203.0.113.{draw.randrange(1, 255)}", "2001:db8:0:0:8:800:200c:417a",
        f"10.{draw.randrange(255)}.3.7", f"192.168.{draw.randrange(255)}.1", "127.0.0.1", "255.255.255.0", "224.0.0.251", "alice@example.com", "bob@example.org",
        "user@localhost", "user@mail.example.net", f"(212) 555-01{draw.randrange(10, 99)}", f"415-555-01{draw.randrange(10, 99)}", "078-05-1120", "000-12-3456",
        "AKIAIOSFODNN7EXAMPLE", "https://user:password@example.com/", "https://user:pass@host.io", "git@github.test",
    ))  # fmt: skip


def stamp(draw: Random) -> str:
    """A date, a time, or seconds since 1970."""
    year, month, day = draw.randrange(1970, 2030), draw.randrange(1, 13), draw.randrange(1, 29)
    seconds = draw.randrange(10**9, 19 * 10**8)
    return draw.choice((f"{year}-{month:02}-{day:02}", f"{year}{month:02}{day:02}", f"{year}-{month:02}-{day:02} 12:{day:02}:{month:02}.123456", str(seconds),
                        str(seconds * 1000), f"{year}-{month:02}-{day:02}T08:00:00+08:00", f"{year}{month:02}{day:02}123456", f"{year}年{month}月{day}日"))  # fmt: skip


def order(draw: Random) -> str:
    """A number of an order, a parcel or a part, of any length that a card or a telephone has."""
    word = draw.choice(
        (
            "order no. ",
            "Order #",
            "invoice ",
            "tracking number ",
            "订单号：",
            "单号 ",
            "part no. ",
            "serial number: ",
            "编号 ",
        )
    )
    return word + draw.choice(
        (
            digits(draw, 11),
            digits(draw, 13),
            digits(draw, 16),
            f"{digits(draw, 3)}-{digits(draw, 7)}-{digits(draw, 7)}",
            "4" + digits(draw, 15),
        )
    )


def doi(draw: Random) -> str:
    """Of an article; or a number of the arXiv."""
    return draw.choice((f"doi:10.{digits(draw, 4)}/{digits(draw, 8)}.{digits(draw, 4)}", f"https://doi.org/10.1016/j.cell.{digits(draw, 4)}.{digits(draw, 2)}.{digits(draw, 3)}",
                        f"arXiv:{digits(draw, 4)}.{digits(draw, 5)}", f"PMID: {digits(draw, 8)}"))  # fmt: skip


def measured(draw: Random) -> str:
    """A number that somebody measured or computed."""
    return draw.choice((f"{digits(draw, 3)},{digits(draw, 3)},{digits(draw, 3)}", f"0.{digits(draw, 16)}", f"3.{digits(draw, 12)}", digits(draw, 18), digits(draw, 12),
                        f"${digits(draw, 16)}$", f"{digits(draw, 2)}-{digits(draw, 3)}", f"{digits(draw, 4)} {digits(draw, 4)}", f"{digits(draw, 3)}.{digits(draw, 2)} × 10"))  # fmt: skip


def broken(draw: Random) -> str:
    """A card, an account or a resident number whose check digit is wrong."""
    whole = draw.choice((card, iban, chinese_id))(draw)
    wrong = {"X": "1"}.get(whole[-1], str((int(whole[-1]) + draw.randrange(1, 9)) % 10) if whole[-1].isdigit() else "7")
    return whole[:-1] + wrong


def code(draw: Random) -> str:
    """Program text and file names."""
    return draw.choice((
        "std::vector<a::b::c>", "@property", "@app.route", "logo@2x.png", "git checkout v1.2@origin", "sk-learn and sk-container-id", "hf_hub_download(repo)",
        "https://{user}:{token}@host.io", "postgres://user:password@localhost/db", "00:1B:44:11:3A:B7", "-----BEGIN CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----",
        f"eyJ{drawn(draw, ALNUM, 6)}", "ghp_" + drawn(draw, ALNUM, 5), "https://host.io:8080/a@b", "npm install @scope/pkg", "0x" + drawn(draw, string.hexdigits, 16),
        "1.3.6.1.4.1.311", f"rgb({draw.randrange(255)}, 20, 30)", f"passport stamps in {draw.randrange(1950, 2020)}", f"E = {digits(draw, 8)} J",
    ))  # fmt: skip


LOOK_ALIKES: Mapping[str, Callable[[Random], str]] = {
    "ISBN": isbn, "version": version, "hash": digest, "documentation": documented, "date or time": stamp, "order number": order, "DOI": doi,
    "measurement": measured, "wrong check digit": broken, "code": code,
}  # fmt: skip
