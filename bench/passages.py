"""Whether passages pay, and whether they are found: `python -m bench.passages NAME=FILE,FILE… [--plants 200]`.

For each group of files, and for all of them together: the share of the words that goes with copies of documents, then with
shared paragraphs, then with shared lines, and what passages take out of the rest; what kind of text that is, by rules told
below; and the share of the cuts that end within a sentence. Then runs of 60, 80 and 200 words are copied from one text into
another, half of them with other case and line ends, and those are counted that go; every run found is compared with the
earlier one by the definition of a word as a regular expression. Lines go to `bench/out/passages.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from bench.peers.run import OUT
from bench.real_sentences import texts
from filters.config import DuplicatesConfig
from filters.dedup import find_duplicates
from filters.passage_cuts import without_passages
from filters.passages import LEAST, find_passages
from filters.repeated_parts import Unit, find_shared, without_shared
from filters.words import WORD

NOTICE = re.compile(r"(?i)\blicen[cs]e|\bcopyright|all rights reserved|cookies|terms of (use|service)|著作权|版权")
LINK = re.compile(r"https?://|\(\d{4}\)|Retrieved \w+ \d|\b(19|20)\d\d\. ")
CODE = re.compile(
    r"\s*(def |class |import |from \S+ import|return\b|#include|>>> |\.\.\. |```|%)|.*([;{=]$|self\.|\w\(.*\)$|\):$| = |\\\\$)"
)
ITEM = re.compile(r"\s*([-*|#]|\d+[.)])")
QUOTED = re.compile(r"\s*(>|[“\"「][^”\"」]{80,}$)")
SENTENCE_END = re.compile(r"(?:[.!?。！？…;:；：)\]}”\"`]\W*|\n\s*)$")
WORD_IN_TEXT = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
SIZES = (60, 80, 200)
Row = dict[str, object]


def table_of(rows: Sequence[str]) -> pa.Table:
    """Documents, their ids in reading order."""
    return pa.table({"id": [f"{number:09}" for number in range(len(rows))], "text": list(rows)})


def words_in(table: pa.Table) -> int:
    """Words of all texts."""
    return int(pl.Series(table["text"].to_pylist(), dtype=pl.String).str.to_lowercase().str.count_matches(WORD).sum())


def passes(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """What is left after each unit, one after the other."""
    gone = find_duplicates([table], DuplicatesConfig())["id"].combine_chunks()
    yield "documents", (table := table.filter(pc.invert(pc.is_in(table["id"], value_set=gone))))
    units: tuple[Unit, ...] = ("paragraph", "line")
    for unit in units:
        yield f"{unit}s", (table := without_shared(table, find_shared([table], unit))[0])


def pays(name: str, rows: Sequence[str], least: int) -> Row:
    """Shares of the words that go, one unit after the other, and what the passages are."""
    left = table_of(rows)
    counts = {"read": words_in(left)}
    for unit, left in passes(left):  # noqa: B020
        counts[unit] = words_in(left)
    runs = find_passages([left], least)
    names = dict(enumerate(left["id"].to_pylist()))
    after, record = without_passages(left, runs, 0, names)
    counts["passages"] = words_in(after)
    before = dict(zip(names.values(), left["text"].to_pylist(), strict=True))
    cuts = record.to_pylist()
    steps = list(counts.values())
    kinds, inside = Counter[str](), 0
    for cut in cuts:
        kinds[kind_of(cut["text"])] += cut["words"]
        text = before[cut["id"]]
        inside += not (SENTENCE_END.search(text[: cut["start"]].rstrip(" ")) or cut["start"] == 0)
    gone = {unit: (a - b) / max(1, steps[0]) for unit, a, b in zip(list(counts)[1:], steps, steps[1:], strict=False)}
    total = max(1, sum(kinds.values()))
    return {"group": name, "documents": len(rows), "words": steps[0], "gone": gone, "cuts": len(cuts),
            "of one text": sum(cut["id"] == cut["kept_id"] for cut in cuts), "begin within a sentence": inside,
            "kinds": {kind: count / total for kind, count in kinds.most_common()}}  # fmt: skip


def kind_of(text: str) -> str:
    """What a cut is, by rules: the first that holds."""
    lines = [line for line in text.split("\n") if line.strip()]
    if NOTICE.search(text):
        return "licence or notice"
    if 150 * len(LINK.findall(text)) >= len(text):
        return "links and references"
    for kind, pattern in (("code or formulas", CODE), ("quotation", QUOTED), ("list or table", ITEM)):
        if 3 * sum(bool(pattern.match(line)) for line in lines) >= len(lines):
            return kind
    return "prose"


def planted(rows: Sequence[str], each: int, least: int, seed: int) -> Row:
    """Recall of copied runs, and how many found runs are what they say; on texts whose own passages are gone."""
    clean = table_of(rows)
    names = dict(enumerate(clean["id"].to_pylist()))
    clean = without_passages(clean, find_passages([clean], least), 0, names)[0]
    chance = random.Random(seed)
    host = clean["text"].to_pylist()
    spans = [[match.span() for match in WORD_IN_TEXT.finditer(text)] for text in host]
    long = [number for number, words in enumerate(spans) if len(words) >= max(SIZES) + 50]
    pieces: dict[int, list[tuple[int, str]]] = {}
    plants = []
    for size in SIZES * each:
        source, target = chance.choice(long[::2]), chance.choice(long[1::2])  # no copy stands within what is copied
        begin = chance.randrange(len(spans[source]) - size)
        start, end = spans[source][begin][0], spans[source][begin + size - 1][1]
        piece, place = host[source][start:end], chance.randrange(1, len(spans[target]))
        if chance.random() < 0.5 and piece.upper().lower() == piece.lower():
            piece = "\n".join(piece.upper().split())
        pieces.setdefault(target, []).append((spans[target][place][0], piece))
        plants.append((size, source, target, piece))
    texts_now = [_with(text, pieces.get(number, [])) for number, text in enumerate(host)]
    return _judged(texts_now, plants, least)


def _with(text: str, pieces: list[tuple[int, str]]) -> str:
    for place, piece in sorted(pieces, reverse=True):
        text = f"{text[:place].rstrip()} {piece} {text[place:]}"
    return text


def _judged(rows: Sequence[str], plants: Sequence[tuple[int, int, int, str]], least: int) -> Row:
    split = [pl.Series([text], dtype=pl.String).str.to_lowercase().str.extract_all(WORD)[0].to_list() for text in rows]
    gone: dict[int, list[tuple[int, int]]] = {}
    true = 0
    runs = find_passages([table_of(rows)], least).to_pylist()
    for run in runs:
        begin, there, size = run["start"], run["kept_start"], run["words"]
        true += split[run["text"]][begin : begin + size] == split[run["kept_text"]][there : there + size]
        gone.setdefault(run["text"], []).append((begin, begin + size))
    found, all_of = Counter[int](), Counter[int]()
    for size, source, target, piece in plants:
        wanted = pl.Series([piece]).str.to_lowercase().str.extract_all(WORD)[0].to_list()
        later = max(source, target)
        places = [
            at for at in range(len(split[later]) - len(wanted) + 1) if split[later][at : at + len(wanted)] == wanted
        ]
        covered = {word for begin, end in gone.get(later, []) for word in range(begin, end)}
        all_of[size] += 1
        found[size] += any(covered.issuperset(range(at, at + len(wanted))) for at in places)
    words = sum(len({word for begin, end in spans for word in range(begin, end)}) for spans in gone.values())
    return {"plants": dict(all_of), "found": dict(found), "runs": len(runs), "runs that are the same words": true,
            "words planted": sum(size for size, *_ in plants), "words that go": words}  # fmt: skip


def main() -> None:
    """One run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="+", help="NAME=FILE,FILE…")
    parser.add_argument("--least", type=int, default=LEAST)
    parser.add_argument("--plants", type=int, default=200, help="of each length")
    parser.add_argument("--seed", type=int, default=17)
    options = parser.parse_args()
    groups = {}
    for group in options.groups:
        name, _, files = group.partition("=")
        groups[name] = list(texts(files.split(","), 1))
    together = [text for rows in groups.values() for text in rows]
    told: list[Row] = [pays(name, rows, options.least) for name, rows in (groups | {"together": together}).items()]
    told += [{"planted in": name, **planted(groups[name], options.plants, options.least, options.seed)} for name in groups
             if sum(len(text) > 1500 for text in groups[name]) > 50]  # fmt: skip
    OUT.mkdir(parents=True, exist_ok=True)
    with (OUT / "passages.jsonl").open("a") as file:
        for row in told:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
