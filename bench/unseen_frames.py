"""Frame lines and look-alikes of them, written before their author saw the list or the weights that the filter ships.

`unseen_frames.txt` has four parts, `# en frame`, `# en content`, `# zh frame` and `# zh content`, a wording a line. Nothing that the
filter ships may be made with it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "unseen_frames.txt"


@cache
def unseen(language: str, what: str) -> tuple[str, ...]:
    """All wordings of a language (`en`, `zh`) that are `frame` or `content`."""
    found: dict[str, list[str]] = {}
    for line in FILE.read_text("utf-8").splitlines():
        if line.startswith("# "):
            part = found.setdefault(line, [])
        else:
            part.append(line)
    return tuple(found[f"# {language} {what}"])
