"""Frame lines and lines of authors, written by authors who had seen neither the list nor the weights that the filter ships.

A file has four parts, `# en frame`, `# en content`, `# zh frame` and `# zh content`, a wording a line. Of `written_frames.txt` the
weights are learned; on `tried_frames.txt`, half of whose authors' lines were chosen for the words that frames use, it was
tried how; nothing may be made with `unseen_frames.txt`, of which no line that was learned from counts.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


@cache
def wordings(name: str, language: str, what: str) -> tuple[str, ...]:
    """All wordings of `name` (`written`, `tried`, `unseen`) in a language (`en`, `zh`) that are `frame` or `content`."""
    found: dict[str, list[str]] = {}
    for line in (HERE / f"{name}_frames.txt").read_text("utf-8").splitlines():
        if line.startswith("# "):
            part = found.setdefault(line, [])
        else:
            part.append(line)
    lines = found[f"# {language} {what}"]
    return tuple(lines if name == "written" else sorted({*lines} - {*wordings("written", language, what)}))
