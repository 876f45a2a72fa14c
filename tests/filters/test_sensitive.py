"""Planted findings and their look-alikes. Everything here was made up; the checksums are computed, not copied."""

from __future__ import annotations

import time
from collections.abc import Callable

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.chain import decide, score_table
from filters.clean import clean_table
from filters.config import CleanConfig, FilterConfig
from filters.sensitive import find, findings_of, masked_kinds, policies, redact, redact_all, score
from filters.sensitive_kinds import KINDS

TOKEN = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


def luhn_complete(digits: str) -> str:
    total = sum(sum(divmod(int(digit) * (2 - index % 2), 10)) for index, digit in enumerate(digits[::-1]))
    return digits + str(-total % 10)


def iban_complete(country: str, account: str) -> str:
    number = int("".join(str(int(char, 36)) for char in account + country + "00"))
    return f"{country}{98 - number % 97:02}{account}"


def resident_id(digits: str) -> str:
    total = sum(pow(2, 17 - index, 11) * int(digit) for index, digit in enumerate(digits))
    return digits + "10X98765432"[total % 11]


PLANTED = [
    ("email", "mary.shelley@villa-diodati.ch"),
    ("email", "a_b+tag@mail.corp.co.uk"),
    ("phone", "+1 (415) 234-5678"),
    ("phone", "+44 20 7946 1234"),
    ("phone", "(212) 736-5000"),
    ("phone", "415-234-9876"),
    ("phone", "13812345678"),
    ("phone", "+86 138 1234 5678"),
    ("ip", "8.8.4.4"),
    ("ip", "2001:4860:4860::8844"),
    ("card", luhn_complete("453212345678901")),
    ("card", "5425 2334 3010 9903"),
    ("card", luhn_complete("37828224631000")),
    ("iban", iban_complete("DE", "370400440532013999")),
    ("iban", iban_complete("GB", "WEST12345698765433")),
    ("iban", iban_complete("NO", "86011117947").lower()),
    ("us_ssn", "536-22-8725"),
    ("chinese_id", resident_id("11010519491231003")),
    ("chinese_id", resident_id("44030119900307663")),
    ("secret", "AKIAJ3K9DK2LMW8QP7ZT"),
    ("secret", f"ghp_{TOKEN}"),
    ("secret", f"hf_{TOKEN[:34]}"),
    ("secret", f"sk-proj-{TOKEN}"),
    ("secret", f"sk-ant-api03-{TOKEN}"),
    ("secret", f"AIza{TOKEN[:35]}"),
    ("secret", f"glpat-{TOKEN[:20]}"),
    ("secret", f"xoxb-123456789012-{TOKEN}"),
    ("secret", f"sk_live_{TOKEN}"),
    ("secret", f"eyJ{TOKEN}.eyJ{TOKEN}.{TOKEN}"),
    ("private_key", f"-----BEGIN RSA PRIVATE KEY-----\n{TOKEN}\n{TOKEN}\n-----END RSA PRIVATE KEY-----"),
    ("url_credentials", "postgres://admin:hunter2@db.shop.io/orders"),
]
LOOK_ALIKES = [
    "reader@example.com and admin@localhost and root@host.test",
    "user@ and @mention and a @ b",
    "call 415-555-0123 in a film",
    "version 1.2.3.4.5 and 10.0.0.1 and 192.168.1.1 and 127.0.0.1 and 192.0.2.7 and 999.1.1.1",
    "std::vector a::b::c at 12:34:56 with 00:1B:44:11:3A:B7",
    "4532 1234 5678 9012 fails its check digit",
    "0.4532015112830366 is a number",
    "DE00370400440532013000 fails its checksum",
    "de00370400440532013000 fails too, De75512108001245126199 is no way to write one, ie11 will work with that",
    "000-12-3456, 666-12-3456, 900-12-3456, 078-05-1120",
    "110105194912310021 fails its check digit, 11010519491331002X its month",
    "AKIAIOSFODNN7EXAMPLE as in the manual, ghp_short, sk-learn, hf_hub_download",
    "https://user:password@host.io, https://{user}:{token}@host.io, https://host.io:8080/a@b",
    "-----BEGIN PUBLIC KEY-----",
    "from 1999-12-31 to 2024-01-01, ISBN 978-0-306-40615-7, pi 3.14159265358979323846",
    "0123456789abcdef0123456789abcdef and 1,234,567,890",
]


@pytest.mark.parametrize("kind, planted", PLANTED)
def test_planted_findings_are_found_whole(kind: str, planted: str) -> None:
    whole = planted.removesuffix("/orders")
    for text in (planted, f"before {planted} after", f"({planted})", f'key="{planted}",', f"见:{planted},完"):
        assert [(item.kind, text[item.start : item.end]) for item in find(text)] == [(kind, whole)]


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_look_alikes_are_not_findings(text: str) -> None:
    assert [(item.kind, text[item.start : item.end]) for item in find(text)] == []


def test_redaction_leaves_nothing_to_find_and_the_rest_untouched() -> None:
    text = "start " + " then ".join(planted for _, planted in PLANTED) + " end"
    clean, counts = redact(text)
    assert sum(counts.values()) == len(PLANTED)
    assert not any(planted in clean for _, planted in PLANTED)
    assert clean.startswith("start <email> then <email> then <phone>")
    assert clean.endswith(" end")
    assert redact(clean) == (clean, {})
    assert redact("nothing here") == ("nothing here", {})


def test_columns_count_what_find_finds_text_by_text() -> None:
    texts = [planted for _, planted in PLANTED] + LOOK_ALIKES + ["", " ".join(planted for _, planted in PLANTED)]
    columns = score(pl.Series(texts))
    for index, text in enumerate(texts):
        kinds = [item.kind for item in find(text)]
        assert {kind.name: int(columns[f"sensitive.{kind.name}"][index]) for kind in KINDS} == {
            kind.name: kinds.count(kind.name) for kind in KINDS
        }


def test_recipes_choose_what_happens_to_each_kind() -> None:
    assert policies(FilterConfig())["secret"] == "drop"
    assert policies(FilterConfig())["email"] == "report"
    assert set(policies(FilterConfig(sensitive="report")).values()) == {"report"}
    assert policies(FilterConfig(sensitive="report", policy={"email": "mask"}))["email"] == "mask"


def test_only_kinds_to_be_masked_are_masked(documents: Callable[..., pa.Table]) -> None:
    table = documents(["ask mary@shelley.net or dial 415-234-9876", "nothing"])
    nothing = CleanConfig(characters=False, boilerplate=False, repeats=False)
    clean, changes = clean_table(table, nothing, masked_kinds(FilterConfig(policy={"email": "mask"})))
    assert clean["text"].to_pylist() == ["ask <email> or dial 415-234-9876", "nothing"]
    assert changes["steps"].to_pylist() == [["mask.email"]]
    assert clean.schema == table.schema
    assert masked_kinds(FilterConfig()) == {}


def test_what_is_masked_where_it_is_read_is_dropped_where_it_is_written(documents: Callable[..., pa.Table]) -> None:
    table = documents(["ask mary@shelley.net about it"])
    config = FilterConfig(policy={"email": "mask"}, quality=0)
    rejected = decide(table, score_table(table, scorers=("sensitive",)), config)
    assert rejected["reason"].to_pylist() == ["sensitive"]


BAIT = [
    "a", "a.", "@", "1", "1-", "1 ", "a@", "a@a.", "AA00 ", "AA00AAAA", "://a:", "eyJ", "eyJaaaaaaaaaaaa.", "sk-", "sk-ant-",
    ":", "1:", "-----BEGIN PRIVATE KEY-----", "+1 1 1 1", "1.1.", "x+", "a-", "1(1)", "http://a:", "xoxa-", "+1(1)", "AKIA",
]  # fmt: skip


@pytest.mark.parametrize("bait", BAIT)
def test_no_text_makes_a_pattern_slower_than_linear(bait: str) -> None:
    def seconds(size: int) -> float:
        text, took = bait * (size // len(bait)), []
        for _ in range(3):
            start = time.process_time()
            find(text)
            took.append(time.process_time() - start)
        return min(took)

    whole = seconds(400_000)
    assert whole < 2  # the slowest takes 0.2 s here
    assert whole < 0.05 or whole < 12 * seconds(100_000)  # four times the text; the square would be sixteen


def whole_text_search(text: str) -> list[tuple[str, str]]:
    """The definition: every pattern over the whole text, the first kind has what two find."""
    data, taken, found = text.encode(), set[int](), list[tuple[int, str, str]]()
    for kind in KINDS:
        for match in kind.pattern.finditer(data):
            before, after = data[max(0, match.start() - 24) : match.start()], data[match.end() : match.end() + 24]
            said = match.group().decode()
            if kind.confirm(said, before.decode(errors="replace").lower(), after.decode(errors="replace")):
                hit = True
            elif kind.bars:
                hit = False
            else:
                continue
            if not taken & set(range(*match.span())):
                taken |= set(range(*match.span()))
                found += [(match.start(), kind.name, said)] * hit
    return [(kind, said) for _, kind, said in sorted(found)]


PIECES = [planted for _, planted in PLANTED] + LOOK_ALIKES + [
    "+33 1 42 68 53 00", "8613812345678", "010-62751234", "5", "8.8.8.8", "20", "a", " ", "\n", "。", "护照号码：E12345678", "@", "1.2", "redis://:hunter22@cache.io",
    "415.234.9876x12", "card number 639000012345678", "Passport No. C66898998", "-", "+", "(", "1", "86", "DE", "::",
]  # fmt: skip


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map("".join), max_size=5))
def test_looking_at_footholds_finds_what_the_whole_search_finds(texts: list[str]) -> None:
    found = dict(findings_of(pl.Series(texts, dtype=pl.String)))
    for index, text in enumerate(texts):
        told = [(item.kind, text.encode()[item.start : item.end].decode()) for item in found.get(index, [])]
        assert told == whole_text_search(text)
        assert [(item.kind, text[item.start : item.end]) for item in find(text)] == told


def test_a_column_is_redacted_as_its_texts_are() -> None:
    texts = [*PIECES, "见 13812345678 。mary@shelley.net"]
    changed = redact_all(pl.Series(texts))
    assert [changed.get(index, (text, {})) for index, text in enumerate(texts)] == [redact(text) for text in texts]


CONTEXT = [
    ("version 8.8.4.4", None), ("Firefox/8.8.4.4", None), ("server 8.8.4.4", "ip"), ("8.8.4.4.in-addr.arpa", None), ("第8.8.4.4章", None),
    ("order no. 13812345678", None), ("$13812345678$", None), ("call 13812345678", "phone"), ("订单号：13812345678", None), ("+81 158-23-2012", "phone"),
    ("my card 639000012345678", None), ("Maestro card 5018646679097", None), ("logo@2x.png", None), ("me@2x.photos", "email"), ("6e40:4041:c617:e898:c11:40d2:c669:2eb4", None),
]  # fmt: skip


@pytest.mark.parametrize("text, kind", CONTEXT)
def test_what_stands_around_a_number_can_say_that_it_is_another(text: str, kind: str | None) -> None:
    assert [item.kind for item in find(text)] == ([kind] if kind else [])


def test_nothing_is_found_across_the_edge_of_two_texts_and_nothing_before_it_counts() -> None:
    zone = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
    halves = [half for text in (zone, f"-----BEGIN PRIVATE KEY-----\n{TOKEN}\n-----END PRIVATE KEY-----", "a@b\ncd.io") for half in text.split("\n")]  # fmt: skip
    assert [item.kind for item in find(zone)] == ["passport"]
    found = dict(findings_of(pl.Series([*halves[:2], *halves[3:], "version ", "8.8.4.4", "ISBN", "13812345678"])))
    assert [(index, item.kind) for index, items in found.items() for item in items] == [(7, "ip"), (9, "phone")]


def test_where_a_column_is_cut_for_the_search_nothing_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pl.Series([" ".join(PIECES), *PIECES, "\n".join(reversed(PIECES))])
    whole = dict(findings_of(texts))
    monkeypatch.setattr("filters.footholds.CHUNK", 64)
    assert dict(findings_of(texts)) == whole
