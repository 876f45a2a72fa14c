"""Records datatrove's verdicts on made-up texts, for the test that holds without it: `python -m bench.filter_peers.record`.

The texts are drawn to sit on both sides of every rule: they mix ordinary sentences with blanks at ends of lines, empty
lines, every boundary of lines that Unicode knows, symbols, repeats, citations, brackets, and scripts without spaces.
"""

from __future__ import annotations

import gzip
import json
import random
import tempfile
from collections import Counter
from pathlib import Path

from bench.filter_peers.agreement import compared, given, our_verdicts, their_verdicts
from bench.peers.catalogue import ROOT

RECORD = ROOT / "tests" / "filters" / "datatrove_outcomes.jsonl.gz"
COUNT = 900
SEED = 20
SENTENCES = (
    "The kettle boils and the water turns to steam.", "Most of the birds that live in the north have to fly south!", "Is this the end of it?",
    "they said nothing to each other", "- a bullet with three words", "• another bullet", "Read more...", "and so on…", "1 2 3 4 5 6 7 8",
    "Menu", "It was written in 1903.[4] Nobody read it [citation needed].", "Lorem ipsum dolor sit amet.", "Lorem ipsum", "if (x) { return y; }",
    "Please enable JavaScript { here }", "We use cookies on the site.", "# # # heading", "…………", "x" * 1001 + " and two words", "锅里的水开了。火车很快，人们都在等！",
    "机器学习 uses GPU 卡 and 数据", "__ _ ___", "She said “go away.”", "   indented by three", "ends in blanks.   ", "\t", "１ １ ２", "a b c d e f g h i j",
    "supercalifragilistic antidisestablishmentarianism floccinaucinihilipilification", "word " * 30, "go on and go on and go on and go on", "\u00a0", "ok.\u3000",
)  # fmt: skip
ENDS = (
    "\n",
    "\n",
    "\n",
    "\n\n",
    "\n\n\n",
    "\n \n",
    "\r\n",
    "\r",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x85",
    "\u2028",
    "\u2029",
    " ",
    "\x1f",
)
EDGES = ("", "", "", "\n", "\n\n", "  ", "\n \n", "\t", "\u00a0")


def texts() -> list[str]:
    """The texts, the same every time."""
    draw, found = random.Random(SEED), ["", " ", "\n", "\n\n", " \n ", "one", ".", "a be to of " * 25_001, *_rare()]
    while len(found) < COUNT:
        common = draw.sample(SENTENCES, draw.choice((2, 4, 8, len(SENTENCES))))
        ends = ENDS if draw.random() < 0.5 else ENDS[: draw.choice((1, 3, 6))]
        if draw.random() < 0.6:
            common = [item for item in common if len(item) < 100 and "orem" not in item and "{" not in item] or common
        body = "".join(draw.choice(common) + draw.choice(ends) for _ in range(draw.choice((3, 8, 20, 60))))
        if draw.random() < 0.3:
            body = body.rstrip() + "\n" + " ".join(f"{word}{draw.randrange(99)}" for word in body.split()[:200])
        found.append(draw.choice(EDGES) + body + draw.choice(EDGES))
    return found


def _rare() -> list[str]:
    """What chance does not make: nearly all lines are bullets, and few paragraphs repeat that are long."""
    ordinary = [f"{SENTENCES[0][:-1]} {number} times, and that is of use to all." for number in range(12)]
    bullets = ["\n".join([*(f"{mark} {line}" for line in ordinary), "of all"]) for mark in ("-", "•", " -", "*")]
    return [*bullets, "\n\n".join([SENTENCES[1] * 4, *ordinary[:5], SENTENCES[1] * 4]), "  \n".join(ordinary)]


def main() -> None:
    """Ask, compare, write."""
    made = texts()
    with tempfile.TemporaryDirectory() as folder:
        told = their_verdicts(given(made), "given", Path(folder))
    verdicts = [row["verdicts"] for row in told]
    different = compared(made, our_verdicts(made), told, list(verdicts[0]))  # type: ignore[call-overload]
    for place, name, mine, yours in different:
        print(f"text {place}, {name}: {mine or 'kept'} here, {yours or 'kept'} there: {made[place][:80]!r}")
    reasons = Counter((name, why) for row in verdicts for name, why in row.items())  # type: ignore[attr-defined]
    for (name, why), count in sorted(reasons.items()):
        print(f"{name:<12} {why or 'kept':<30} {count}")
    rows = [json.dumps({"text": text, "verdicts": row}) for text, row in zip(made, verdicts, strict=True)]
    RECORD.write_bytes(gzip.compress("\n".join(rows).encode(), mtime=0))
    print(f"{len(different)} differences; wrote {RECORD} ({RECORD.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
