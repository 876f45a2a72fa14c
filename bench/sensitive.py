"""How well sensitive text is found, and how fast: `python -m bench.sensitive [FILES…]`.

Made-up items of every kind (`bench.made_up`) and look-alikes (`bench.look_alikes`) are set into sentences, the sentences into
real texts in which nothing is found: those of FILES, or texts that lie on this machine. A finding of an item's kind over
the whole item is a hit; any finding that touches a look-alike is a false one, of its kind. `--presidio FILE` and `--secrets FILE`
add sets of other makers, `--speed` datatrove's formatter on the same documents.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

from bench.filter_peers import speed
from bench.filter_peers.catalogue import ARMS
from bench.look_alikes import LOOK_ALIKES
from bench.made_up import FINDINGS
from corpus.config import SourceConfig
from corpus.document import Document
from corpus.readers import read_files, read_source
from filters import checksums
from filters.sensitive import find, findings_of

SENTENCES = (
    "For this see {}.",
    "We were given {} at last.",
    "({})",
    "The answer is {} and nothing else.",
    "见 {} 。",
    "请记下：{}，谢谢。",
    'value = "{}"',
    "{}",
)
CHECKED = (
    "card",
    "iban",
    "chinese_id",
    "us_ssn",
    "ip",
    "url_credentials",
    "secret",
    "private_key",
    "passport",
    "email",
    "phone",
)
PRESIDIO = {
    "EMAIL_ADDRESS": "email",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "us_ssn",
    "IP_ADDRESS": "ip",
    "PHONE_NUMBER": "phone",
}


def main() -> None:
    """All tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--each", type=int, default=400, help="items of a kind and of each look-alike")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--presidio", default="")
    parser.add_argument("--secrets", default="")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    texts = list(hosts(asked.files))
    print("\n".join(planted_table(texts, asked.each, asked.seed)))
    if asked.presidio:
        print("\n".join(presidio_table(asked.presidio)))
    if asked.secrets:
        print("\n".join(secrets_table(asked.secrets)))
    if asked.speed:
        print("\n".join(speed_table(texts, asked.rounds)))


def hosts(files: Sequence[str]) -> Iterator[str]:
    """Texts of the files, or of this machine."""
    rows = (
        read_files(files) if files else read_source("machine", SourceConfig(kind="machine", documents=20_000), seed=17)
    )
    yield from (row.text for row in rows if isinstance(row, Document))


def planted_table(texts: Sequence[str], each: int, seed: int) -> Iterator[str]:
    """Recall by kind; false findings by kind and by look-alike."""
    draw = Random(seed)
    own = Counter(item.kind for _, found in findings_of(pl.Series(texts, dtype=pl.String)) for item in found)
    clean = sorted({text for text in texts if not find(text)})
    hits, planted, false = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    for kind, make in FINDINGS.items():
        for _ in range(each):
            text, start, end = set_in(draw, draw.choice(clean), make(draw))
            found = find(text)
            planted[kind] += 1
            hits[kind] += any(item.kind == kind and item.start <= start and item.end >= end for item in found)
            false.update((item.kind, "another kind") for item in found if item.kind != kind)
    for name, make in LOOK_ALIKES.items():
        for _ in range(each):
            text, start, end = set_in(draw, draw.choice(clean), make(draw))
            false.update((item.kind, name) for item in find(text) if item.start < end and item.end > start)
    yield f"{len(clean):,} texts without findings as hosts; {each} items of each kind, {each} of each of {len(LOOK_ALIKES)} look-alikes, seed {seed}"
    yield f"{'kind':<16} {'planted':>7} {'found':>6} {'recall':>7} {'false':>6} {'precision':>9}   false by look-alike"
    for kind in FINDINGS:
        wrong = {name: count for (of, name), count in false.items() if of == kind}
        yield _row(kind, planted[kind], hits[kind], sum(wrong.values()), wrong)
    yield _row("all", sum(planted.values()), sum(hits.values()), sum(false.values()), {})
    yield f"in the {len(texts):,} texts as they are (not labelled): {dict(own.most_common())}"


def set_in(draw: Random, host: str, item: str) -> tuple[str, int, int]:
    """The item in a sentence, the sentence behind a line of the host; and where it begins and ends."""
    before, after = draw.choice(SENTENCES).split("{}") if "\n" not in item else ("", "")
    lines = host.split("\n")
    place = draw.randrange(len(lines) + 1)
    head = "".join(f"{line}\n" for line in lines[:place]) + before
    return f"{head}{item}{after}\n" + "\n".join(lines[place:]), len(head), len(head) + len(item)


def _row(kind: str, planted: int, hits: int, false: int, wrong: dict[str, int]) -> str:
    told = ", ".join(f"{name} {count}" for name, count in sorted(wrong.items(), key=lambda pair: -pair[1]))
    return f"{kind:<16} {planted:>7,} {hits:>6,} {hits / planted:>7.4f} {false:>6,} {hits / max(1, hits + false):>9.4f}   {told}"


def presidio_table(path: str) -> Iterator[str]:
    """Recall and precision on spans that another maker labelled; kinds that both know."""
    hits, planted, false, unreal = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for row in _rows(path):
        spans = [
            (PRESIDIO[span["entity_type"]], span["start_position"], span["end_position"])
            for span in row["spans"]
            if span["entity_type"] in PRESIDIO
        ]
        found = find(row["text"])
        for kind, start, end in spans:
            planted[kind] += 1
            hit = any(item.kind == kind and item.start < end and item.end > start for item in found)
            hits[kind] += hit
            unreal[kind] += not hit and given_to_nobody(kind, row["text"][start:end])
        false.update(
            item.kind for item in found if not any(item.start < end and item.end > start for _, start, end in spans)
        )
    yield f"{Path(path).name}: labelled by others, kinds that both know"
    for kind in planted:
        left = planted[kind] - unreal[kind]
        without = f"without the {unreal[kind]} missed that nobody can have: {hits[kind] / left:.4f}"
        yield _row(kind, planted[kind], hits[kind], false[kind], {}) + (without if unreal[kind] else "")
    yield f"findings where no label is: {dict(false)}"


def given_to_nobody(kind: str, text: str) -> bool:
    """Whether a labelled item is none by what the standards say: check digits, ranges that are given out."""
    if kind == "iban":
        return not checksums.iban(text)
    if kind == "card":  # ISO/IEC 7812: a leading 0 is no issuer's
        return not checksums.luhn(text) or text.startswith("0")
    if kind == "ip":  # RFC 4291 and IANA: of IPv6 only 2000::/3 is given out
        return not checksums.public_ip(text) or (":" in text and text[0] not in "23")
    return False


def secrets_table(path: str) -> Iterator[str]:
    """In how many files of made-up secrets something is found."""
    rows = _rows(path)
    found = {row["id"]: Counter(item.kind for item in find(row["text"])) for row in rows}
    yield f"{Path(path).name}: something found in {sum(map(bool, found.values()))} of {len(rows)} files"
    yield from (f"  {name:<60.60} {dict(kinds) or '-'}" for name, kinds in found.items())


def _rows(path: str) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def speed_table(texts: Sequence[str], rounds: int) -> Iterator[str]:
    """CPU time beside datatrove's formatter: one process each, same documents, interleaved, best of the rounds."""
    arms = [arm for arm in ARMS if arm.task == "sensitive"]
    best: dict[tuple[str, str], dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as place:
        corpus = Path(place) / "corpus.jsonl"
        corpus.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
        for _ in range(rounds):
            for arm in arms:
                found = speed.measure(arm, corpus, len(texts))
                key = (arm.task, arm.name)
                if "error" not in found and (key not in best or found["cpu_s"] < best[key]["cpu_s"]):
                    best[key] = found
    yield from speed.table(best)


if __name__ == "__main__":
    main()
