"""Cleaning on planted defects: `python -m bench.planted_defects EN_FILES… --zh ZH_FILES…`.

Into real texts of each language go frame lines of pages (`bench.frame_lines`, `bench.frame_wordings`) and sensitive items
(`bench.made_up`), with look-alikes beside them. Printed, for each language: precision and recall of frame lines, line by line, where every
line of the text itself that is taken out counts as wrong; precision and recall of sensitive items, masked by the
cleaning; and how many texts a second pass would change, with `--raw` files among them.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

from bench.frame_lines import frame
from bench.frame_wordings import wordings as written
from bench.look_alikes import LOOK_ALIKES
from bench.made_up import FINDINGS
from bench.sensitive import SENTENCES
from corpus.document import Document
from corpus.readers import read_files
from filters.boilerplate import boilerplate_lines
from filters.clean import clean_text
from filters.config import CleanConfig
from filters.sensitive import find, redact

LINES = 6  # frame lines or menus planted in a text
WORDINGS = ("known", "later", "tried", "unseen")
BY_AUTHORS = ("tried", "unseen")  # with as many look-alikes
CONFIG = CleanConfig()
Planted = list[tuple[str, bool | None]]  # a line, and whether it is a frame's; None for one of the text itself


def main() -> None:
    """Both languages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("english", nargs="+")
    parser.add_argument("--zh", nargs="+", required=True)
    parser.add_argument("--raw", nargs="*", default=[])
    parser.add_argument("--texts", type=int, default=1000, help="of each language")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    pages: list[str] = []
    for language, files in (("en", asked.english), ("zh", asked.zh)):
        draw = Random(asked.seed)
        texts = [row.text for row in read_files(files) if isinstance(row, Document) and len(row.text) > 200]
        chosen = draw.sample(texts, min(asked.texts, len(texts)))
        for wordings in WORDINGS:
            pages += list(frames_table(language, chosen, draw, wordings))
        print("\n".join(sensitive_table(language, chosen, draw)), flush=True)
    pages += [row.text for row in read_files(asked.raw) if isinstance(row, Document)] if asked.raw else []
    print(second_pass(pages))


def frames_table(language: str, texts: Sequence[str], draw: Random, wordings: str) -> Iterator[str]:
    """Print precision and recall of frame lines; give the planted pages."""
    counts, missed, wrong = Counter[tuple[bool | None, bool]](), Counter[str](), Counter[str]()
    for text in texts:
        lines: Planted = [(line, None) for line in text.split("\n")]
        for planted in _planted(language, draw, wordings):
            place = draw.choice(outside([line for line, _ in lines]))
            lines[place:place] = planted
        found = boilerplate_lines([line for line, _ in lines])
        for (line, is_frame), kind in zip(lines, found, strict=True):
            if line.strip():
                counts[is_frame, bool(kind)] += 1
                missed[line] += bool(is_frame and not kind)
                wrong[line.strip()[:50]] += bool(kind and not is_frame)
        yield "\n".join(line for line, _ in lines)
    print("\n".join(_told(f"{language}  {wordings} wordings", counts)))
    if wordings == "known":
        print(f"    missed most: {[line for line, times in missed.most_common(8) if times]}")
    if wordings not in BY_AUTHORS:
        print(f"    wrong most: {[line for line, times in wrong.most_common(8) if times]}")


def _planted(language: str, draw: Random, wordings: str) -> Iterator[Planted]:
    """Lines that are set into one text: frames, and beside those of other authors as many look-alikes."""
    for _ in range(LINES):
        if wordings in BY_AUTHORS:
            yield [(draw.choice(written(wordings, language, "frame")), True)]
            yield [(draw.choice(written(wordings, language, "content")), False)]
        else:
            yield [(line, True) for line in frame(draw, language == "zh", wordings == "later")]


def _told(name: str, counts: Counter[tuple[bool | None, bool]]) -> Iterator[str]:
    hit, missed, alike = counts[True, True], counts[True, False], counts[False, True]
    own, left = counts[None, True], counts[None, False]
    yield (f"{name}: {hit + missed:,} planted, recall {hit / max(1, hit + missed):.4f}, precision {hit / max(1, hit + alike + own):.4f}; "
           f"{own:,} of {own + left:,} own lines taken out ({own / max(1, own + left):.3%})")  # fmt: skip
    if alike + counts[False, False]:
        yield f"    of {alike + counts[False, False]:,} look-alikes {alike:,} were taken out"


def outside(lines: Sequence[str]) -> list[int]:
    """Places between lines that are not inside of a code fence."""
    places, inside = [], False
    for place, line in enumerate([*lines, ""]):
        if not inside:
            places.append(place)
        inside ^= line.lstrip().startswith(("```", "~~~"))
    return places


def sensitive_table(language: str, texts: Sequence[str], draw: Random) -> Iterator[str]:
    """Precision and recall of masking, by kind, and over all."""
    clean = [text for text in texts if not find(text)]
    hits, planted, false = Counter[str](), Counter[str](), Counter[str]()
    sentences = [one for one in SENTENCES if ("见" in one or "请" in one) == (language == "zh") or one == "{}"]
    for number, text in enumerate(clean):
        kind = list(FINDINGS)[number % len(FINDINGS)]
        item = FINDINGS[kind](draw)
        other = list(LOOK_ALIKES.values())[number % len(LOOK_ALIKES)](draw)
        said = "\n".join(draw.choice(sentences).format(one) if "\n" not in one else one for one in (item, other))
        masked, counts = redact(clean_text(f"{text}\n{said}", CONFIG).text)
        planted[kind] += 1
        hits[kind] += item not in masked and counts.get(kind, 0) > 0
        false.update({name: count - (name == kind) for name, count in counts.items() if count > (name == kind)})
    recall, wrong = sum(hits.values()) / max(1, sum(planted.values())), sum(false.values())
    yield (f"{language}  sensitive: {sum(planted.values()):,} planted, each with a look-alike; recall {recall:.4f}, "
           f"precision {sum(hits.values()) / max(1, sum(hits.values()) + wrong):.4f}")  # fmt: skip
    yield f"    missed: {dict(planted - hits)}, false: {dict(false)}"


def second_pass(pages: Sequence[str]) -> str:
    """Of all pages, cleaned and masked once, how many a second pass changes."""
    changed = 0
    for page in pages:
        once = clean_text(redact(clean_text(page, CONFIG).text)[0], CONFIG).text
        changed += redact(clean_text(once, CONFIG).text)[0] != once
    return f"second pass: {changed} of {len(pages):,} pages changed"


if __name__ == "__main__":
    main()
