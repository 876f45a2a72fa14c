"""Decisions and reasons beside datatrove's, document by document: `python -m bench.filter_peers.agreement --files …`.

Three questions. With Hornbook's words in the hands of datatrove's filters: does each filter give the same verdict for the
same reason? With datatrove's words in the hands of Hornbook's rules (C4 apart, which reads no words of theirs)? And how
often do the verdicts differ because the two split words and sentences in their own ways? Every difference of the first
two is printed. The last answer is drift of the splitters, not of the rules.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from bench.filter_peers.catalogue import ADAPTERS, DATATROVE
from bench.peers.catalogue import QUIET
from bench.peers.install import why_not
from corpus.document import Document
from corpus.readers import read_files
from filters.batch import make_batch
from filters.c4 import CITATION, SENTENCE_END
from filters.chain import first_failures
from filters.marks import BLANK_CLASS
from filters.repetition import REPEATED, TOP
from filters.rules import PROFILES, SCORERS
from filters.words import IDEOGRAPHS, Words, given_words, split_words

NAMES = ("repetition", "gopher", "c4", "fineweb")
REASONS = {
    "gopher.words low": "gopher_short_doc", "gopher.words high": "gopher_long_doc",
    "gopher.mean_word_length low": "gopher_below_avg_threshold", "gopher.mean_word_length high": "gopher_above_avg_threshold",
    "gopher.hashes high": "gopher_too_many_hashes", "gopher.ellipses high": "gopher_too_many_ellipsis",
    "gopher.bullet_lines high": "gopher_too_many_bullets", "gopher.ellipsis_lines high": "gopher_too_many_end_ellipsis",
    "gopher.alphabetic_words low": "gopher_below_alpha_threshold", "gopher.stop_words low": "gopher_enough_stop_words",
    "repetition.lines high": "dup_line_frac", "repetition.line_characters high": "dup_line_char_frac",
    "repetition.paragraphs high": "dup_para_frac", "repetition.paragraph_characters high": "dup_para_char_frac",
    **{f"repetition.top_{n}gram high": f"top_{n}_gram" for n in TOP},
    **{f"repetition.repeated_{n}gram high": f"duplicated_{n}_n_grams" for n in REPEATED},
    "c4.lorem_ipsum high": "lorem_ipsum", "c4.curly_brackets high": "curly_bracket", "c4.sentences low": "too_few_sentences",
    "fineweb.punctuated_lines low": "line_punct_ratio", "fineweb.short_lines high": "short_line_ratio",
    "fineweb.repeated_line_characters high": "char_dup_ratio", "fineweb.breaks_per_word high": "list_ratio",
}  # fmt: skip
"""What datatrove calls a statistic that is out of its limits."""
LINE_WORD = rf"[{IDEOGRAPHS}]|[^{BLANK_CLASS}{IDEOGRAPHS}]+"


def our_verdicts(texts: Sequence[str], words: Words | None = None) -> dict[str, list[str]]:
    """For each filter the reason of each text in datatrove's words, "" for what it keeps."""
    batch = make_batch(pl.Series(list(texts), dtype=pl.String), words)
    found = {}
    for name in NAMES:
        limits = {key: rule for key, rule in PROFILES["fineweb"].limits.items() if key.startswith(f"{name}.")}
        told = [REASONS.get(item, item) for item in first_failures(SCORERS[name](batch), limits)]
        nothing = {"repetition": batch.characters == 0, "fineweb": batch.lines.visible == 0}
        found[name] = np.where(nothing[name], "empty", told).tolist() if name in nothing else told
    return found


def given(texts: Sequence[str]) -> list[dict[str, object]]:
    """Each text with Hornbook's words, and how many sentences it counts in each line."""
    words = split_words(pl.Series(list(texts), dtype=pl.String))
    spelled = np.array(words.vocabulary.to_pylist(), dtype=object)[words.codes]
    lines = [sorted({re.sub(CITATION, "", line.strip()) for line in text.splitlines()}) for text in texts]
    flat = pl.Series([line for row in lines for line in row], dtype=pl.String)
    counts = iter(np.maximum(flat.str.count_matches(SENTENCE_END).to_numpy(), 1).tolist())
    return [
        {"text": text, "words": spelled[start:end].tolist(), "sentences": {line: next(counts) for line in row}}
        for text, row, start, end in zip(texts, lines, words.offsets[:-1], words.offsets[1:], strict=True)
    ]


def their_verdicts(rows: Sequence[dict[str, object]], way: str, folder: Path) -> list[dict[str, object]]:
    """What datatrove says in its own environment; `way` is `given` or `own`."""
    path, out = folder / "asked.jsonl", folder / f"{way}.jsonl"
    head = json.dumps({"line_word": LINE_WORD})
    path.write_text("\n".join([head, *(json.dumps(row) for row in rows)]) + "\n", "utf-8")
    command = [str(DATATROVE.python), str(ADAPTERS / "datatrove_decisions.py"), str(path), str(out), way]
    subprocess.run(command, check=True, env={"PATH": "/usr/bin:/bin", **QUIET})
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def compared(
    texts: Sequence[str], ours: dict[str, list[str]], theirs: Sequence[dict[str, object]], names: Sequence[str]
) -> list[tuple[int, str, str, str]]:
    """Place, filter and both reasons of every verdict that differs."""
    told = [row["verdicts"] for row in theirs]
    return [
        (place, name, ours[name][place], told[place][name])  # type: ignore[index]
        for place in range(len(texts)) for name in names
        if ours[name][place] != told[place][name]  # type: ignore[index]
    ]  # fmt: skip


def main() -> None:
    """Print agreement by filter, and every difference on the same words."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", nargs="+", required=True)
    parser.add_argument("--documents", type=int, default=2000, help="of each file")
    options = parser.parse_args()
    if why := why_not(DATATROVE):
        raise SystemExit(why)
    for file in options.files:
        texts = [row.text for row in read_files([file]) if isinstance(row, Document)][: options.documents]
        with tempfile.TemporaryDirectory() as place:
            report(Path(file).name, texts, Path(place))


def report(name: str, texts: list[str], folder: Path) -> None:
    """The three answers for one file."""
    rows, ours = given(texts), our_verdicts(texts)
    told = their_verdicts(rows, "given", folder)
    _print(f"{name}: Hornbook's words", texts, ours, told, NAMES, every=True)
    own = their_verdicts(rows, "own", folder)
    lists = pl.Series([row["words"] for row in own], dtype=pl.List(pl.String))
    rest = [item for item in NAMES if item != "c4"]
    _print(f"{name}: datatrove's words", texts, our_verdicts(texts, given_words(lists)), own, rest, every=True)
    _print(f"{name}: each with its own words", texts, ours, own, NAMES, every=False)


def _print(
    title: str,
    texts: list[str],
    ours: dict[str, list[str]],
    theirs: list[dict[str, object]],
    names: Sequence[str],
    *,
    every: bool,
) -> None:
    different = compared(texts, ours, theirs, names)
    by = Counter(name for _, name, _, _ in different)
    shares = ", ".join(f"{name} {1 - by[name] / max(1, len(texts)):.2%}" for name in names)
    kinds = {(name, reason) for row in theirs for name, reason in row["verdicts"].items() if reason}  # type: ignore[attr-defined]
    print(
        f"{title}: {len(texts):,} documents, {len(kinds)} reasons seen; same verdict and reason: {shares}", flush=True
    )
    for place, name, mine, yours in different if every else ():
        print(f"  document {place}, {name}: {mine or 'kept'} here, {yours or 'kept'} there: {texts[place][:60]!r}")


if __name__ == "__main__":
    main()
