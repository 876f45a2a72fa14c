"""Every filter verb on hostile files: exit code, time and peak memory. `python -m bench.hostile [VERB…] [--megabytes 15]`.

One file holds a line of one gigabyte between two good rows; the others hold one row each, a text as long as a line may be,
of one kind of bait: what makes a careless pattern quadratic, what has no words, what is all words, what nests without end.
A verb passes when it ends by itself with exit code 0, or 2 where nothing is left to work on, within a gigabyte of memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GOOD = (
    "The river rises in the hills and falls two hundred metres before it meets the sea. Its water is clear in summer. "
    * 5
)
BAIT = {
    "words": "a ", "digits": "1", "at signs": "a@", "dots": "1.1.", "URLs": "http://a:", "keys": "-----BEGIN PRIVATE KEY-----", "ideographs": "汉", "brackets": "[",
    "open calls": "def f():\n(((((\n", "lines": "Home\n", "fences": "```\n", "marks": "a\u0301", "mojibake": "Ã©", "NUL": "\0", "joiners": "👩‍", "paragraphs": "x" * 60 + "\n\n",
}  # fmt: skip
VERBS: dict[str, tuple[str, ...]] = {
    "score": ("--with", "gopher,repetition,c4,fineweb,code,language,sensitive,toxic"),
    "clean": (), "redact": (), "decontaminate": ("--against", "{exam}"), "dedup": (),
}  # fmt: skip
LIMIT_MIB = 1024


@dataclass(frozen=True)
class Run:
    """How a verb got on with a file."""

    verb: str
    file: str
    code: int
    seconds: float
    mib: int
    said: str

    @property
    def passed(self) -> bool:
        """Ended by itself, within the memory."""
        return self.code in (0, 2) and "Traceback" not in self.said and self.mib <= LIMIT_MIB


def main() -> None:
    """A line for each verb and file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verbs", nargs="*")
    parser.add_argument("--megabytes", type=float, default=15)
    parser.add_argument("--only", default="", help="files whose name holds this")
    asked = parser.parse_args()
    failed = 0
    for run in runs(asked.verbs or list(VERBS), asked.megabytes, asked.only):
        failed += not run.passed
        word = "ok" if run.passed else f"FAILED: {run.said[-200:]}"
        print(
            f"{run.verb:<14} {run.file:<12} exit {run.code}  {run.seconds:6.1f} s CPU  {run.mib:5d} MiB  {word}",
            flush=True,
        )
    print(f"{failed} failed")
    sys.exit(bool(failed))


def runs(verbs: list[str], megabytes: float, only: str = "") -> Iterator[Run]:
    """All verbs on all files whose name holds `only`."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        exam = folder / "exam.jsonl"
        exam.write_text(
            json.dumps({"id": "1", "question": GOOD[:500], "code": "def f(a):\n    return sorted(a)[:3]"}) + "\n"
        )
        for name, path in files(folder, megabytes):
            if only in name:
                for verb in verbs:
                    yield run(verb, name, path, [word.format(exam=exam) for word in VERBS[verb]], folder)
            path.unlink()


def files(folder: Path, megabytes: float) -> Iterator[tuple[str, Path]]:
    """Each file as it is needed."""
    good = json.dumps({"text": GOOD}).encode()
    path = folder / "line.jsonl"
    with path.open("wb") as file:
        file.write(good + b"\n")
        file.seek(1 << 30, 1)  # a hole: a gigabyte of NUL bytes that takes no room on disk
        file.write(b"\n" + good.replace(b"river", b"brook"))
    yield "1 GB line", path
    for name, bait in BAIT.items():
        size = int(megabytes * 1e6) // len(json.dumps(bait)[1:-1].encode())
        path = folder / f"{name.replace(' ', '-')}.jsonl"
        path.write_text(f"{json.dumps({'text': bait * size})}\n{good.decode()}\n", "utf-8")
        yield name, path


def run(verb: str, name: str, path: Path, words: list[str], folder: Path) -> Run:
    """One verb as a process of its own."""
    command = [
        sys.executable,
        "-m",
        "ray_jobs.cli.main",
        "filter",
        verb,
        str(path),
        *words,
        "--out",
        str(folder / "out.parquet"),
    ]
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        spent = used.ru_utime + used.ru_stime
        return Run(verb, name, process.returncode, spent, used.ru_maxrss // 1024, said.read())


if __name__ == "__main__":
    main()
