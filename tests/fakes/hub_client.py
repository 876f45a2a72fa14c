"""A process that publishes, verifies and reads on request. The Hub's client reads its endpoint once, at import.

Reads one JSON object a line: {"do": "publish" | "verify" | "read", …}; answers with one line each. Waiting between the
client's own retries is left out, so that a Hub that is down is soon given up.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from corpus.config import PublishConfig
from corpus.document import Document, Rejection
from corpus.errors import HornbookError
from corpus.hub import publish
from corpus.readers import read_files
from corpus.store import open_store
from corpus.verify import verify
from tests.fakes.runs import manifests_of


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Do one thing, and say what came of it."""
    try:
        if asked["do"] == "verify":
            return {"problems": verify(asked["target"], asked.get("revision"))}
        if asked["do"] == "read":
            return read(asked["name"])
        run = open_store(asked["run"])
        config = PublishConfig(**asked.get("config", {}))
        done = publish(run, manifests_of(run), config, recipe=asked.get("recipe", {}), title="A test",
                       repo=asked.get("repo"), folder=Path(asked["folder"]) if "folder" in asked else None)  # fmt: skip
    except HornbookError as error:
        return {"error": type(error).__name__, "exit": error.exit_code, "message": str(error), "hint": error.hint}
    except Exception:
        return {"error": "crash", "exit": 1, "message": traceback.format_exc()}
    return {"url": done.url, "revision": done.revision, "rows": done.rows, "rejected": done.rejected,
            "hash": done.dataset_hash, "changed": done.changed}  # fmt: skip


def read(name: str) -> dict[str, Any]:
    """Texts and reasons of a dataset."""
    rows = list(read_files([name]))
    return {"texts": [row.text for row in rows if isinstance(row, Document)],
            "reasons": [row.reason for row in rows if isinstance(row, Rejection)]}  # fmt: skip


def main() -> None:
    """Serve until standard input ends."""
    time.sleep = lambda _: None
    talk = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        talk.write(json.dumps(answer(json.loads(line))) + "\n")
        talk.flush()


if __name__ == "__main__":
    main()
