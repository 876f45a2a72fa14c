"""Every filter verb on hostile files: processor time at two lengths, peak memory, and what was said.

`python -m bench.hostile [VERB…] [--megabytes 15] [--only BAIT] [--out FILE]` runs, `--write` puts what the file holds into
docs/reliability.md. One file holds a line of a gigabyte between good rows; others a text of one bait, at the given length
and at a third of it, or a text of each, as long together. Verbs that read all of a text get a file for each bait, the others
that with all of them. A verb passes when it ends with exit code 0, so that the good rows were worked on, within a gigabyte
of memory, and takes no more than 1.5 times as long as in proportion to the text.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from bench.hostile_baits import BAITS, ROWS
from bench.hostile_verbs import AROUND, NAME, READS_ALL, READS_SOME, VERBS, good_row, setting, train
from ray_jobs import (  # loaded before a verb begins  # noqa: F401
    blend_files,
    clean_files,
    decontaminate_files,
    dedup_files,
    facts_files,
    judge_files,
    mix_files,
    passage_files,
    plain_files,
    redact_files,
    redundancy_files,
    retelling_files,
)  # fmt: skip
from ray_jobs.cli.main import main as hornbook

LIMIT_MIB = 1024
LIMIT_S = 600  # of processor time
STEP = 3  # how much shorter the shorter of two texts is
SLACK = 1.5
LEAST_S = 0.5  # what a text costs at least: beside less a ratio is noise
LINE = "line of 1 GB"
MANY = "five rows"  # of words, each as long as a line may be
EACH = "all baits"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "reliability.md"
OUT = Path(__file__).resolve().parent / "out" / "hostile.jsonl"
BEGIN, END = "<!-- figures: python -m bench.hostile --write -->\n", "<!-- end of hostile figures -->\n"


@dataclass(frozen=True)
class Run:
    """How a verb got on with a file. `megabytes` of bait; 0 where the file holds good rows alone."""

    verb: str
    bait: str
    megabytes: float
    code: int
    seconds: float
    mib: int
    said: str

    @property
    def fault(self) -> str:
        """What is wrong with it by itself, "" where nothing is."""
        if self.code or "Traceback" in self.said:
            return f"exit {self.code}: {self.said[-300:]}"
        if self.bait in BAITS and "line_too_long" in self.said:
            return "the bait was longer than a line may be"
        return f"{self.mib:,} MiB" if self.mib > LIMIT_MIB else ""


def main() -> None:
    """A line for each verb and file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verbs", nargs="*", choices=[[], *VERBS], help="all if none is named")
    parser.add_argument("--megabytes", type=float, default=15)
    parser.add_argument("--only", default="", help="baits, comma-separated")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    if asked.write:
        PAGE.write_text(written(PAGE.read_text("utf-8"), table(recorded(asked.out))), "utf-8")
        return
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    done = []
    with asked.out.open("a", encoding="utf-8") as file:
        for run in runs(asked.verbs, asked.megabytes, [name for name in asked.only.split(",") if name]):
            done.append(run)
            file.write(json.dumps({**asdict(run), "said": run.said[-2000:]}) + "\n")
            file.flush()
            print(f"{run.verb:<26} {run.bait:<20} {run.megabytes:5.1f} MB  {run.seconds:6.1f} s  {run.mib:5d} MiB  {run.fault}", flush=True)  # fmt: skip
    bad = faults(done)
    print("\n".join(bad), f"\n{len(bad)} failed")
    sys.exit(bool(bad))


def runs(verbs: Sequence[str], megabytes: float, only: Sequence[str] = ()) -> Iterator[Run]:
    """The verbs, all if none is named, on all files or those of the named baits."""
    chosen = [name for name in VERBS if not verbs or name in verbs]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        words = stack.enter_context(setting(folder))
        _forked(partial(train, words))
        for name, size, write in files(megabytes):
            if size and only and name not in only:
                continue
            path = folder / NAME
            write(path)
            fit = READS_SOME if name == EACH else READS_ALL if name in {**BAITS, **ROWS} else VERBS
            for verb in (item for item in chosen if item in fit):
                yield run(verb, name, size, words | {"file": str(path)})
            path.unlink()


def files(megabytes: float) -> Iterator[tuple[str, float, Callable[[Path], None]]]:
    """Name, megabytes and what writes it, for each file."""
    yield "good rows", 0, partial(_write, between=[])
    yield LINE, 1 << 10, partial(_write, between=[None])
    yield MANY, 5 * megabytes, partial(_write, between=[_row(BAITS["words"].text(int(megabytes * 1e6)))] * 5)
    for name in (*BAITS, *ROWS, EACH):
        for size in (megabytes / STEP, megabytes):
            yield name, size, partial(_write, between=_rows(name, int(size * 1e6)))


def _rows(name: str, size: int) -> Iterator[str]:
    """Lines of a bait, of so many bytes together; made when they are written."""
    if name == EACH:
        share = size // len({**BAITS, **ROWS})
        for one in (*BAITS, *ROWS):
            yield from _rows(one, share)
    else:
        yield _row(BAITS[name].text(size)) if name in BAITS else ROWS[name](size)


def run(verb: str, bait: str, megabytes: float, words: dict[str, str]) -> Run:
    """One verb as a process of its own, with the packages loaded before it begins: a copy of this one."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        arguments = ["hornbook", "filter", *VERBS[verb].format(**words).split()]
        status, used = _forked(partial(_command, arguments, said.fileno()))
        said.seek(0)
        spent = used.ru_utime + used.ru_stime
        return Run(verb, bait, megabytes, os.waitstatus_to_exitcode(status), spent, used.ru_maxrss // 1024, said.read())


def _command(arguments: list[str], said: int) -> None:
    for stream in (1, 2):
        os.dup2(said, stream)
    sys.argv = arguments
    hornbook()


def _forked(work: Callable[[], None]) -> tuple[int, resource.struct_rusage]:
    """Work in a copy of this process: its status and what it used. This one has not begun to work with threads."""
    if child := os.fork():
        _, status, used = os.wait4(child, 0)
        return status, used
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S))
        work()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def faults(done: Sequence[Run]) -> list[str]:
    """What did not pass, one line each."""
    alone = [f"{run.verb}, {run.bait}, {run.megabytes:g} MB: {run.fault}" for run in done if run.fault]
    slow = [f"{verb}, {bait}: {ratio:.1f} times as long for {STEP} times the text"
            for (verb, bait), ratio in ratios(done).items() if ratio > SLACK * STEP]  # fmt: skip
    return [*alone, *slow]


def ratios(done: Sequence[Run]) -> dict[tuple[str, str], float]:
    """For each verb and bait how many times as long the longer text took, without what the verb takes for good rows."""
    start = {run.verb: run.seconds for run in done if not run.megabytes}
    times = {(item.verb, item.bait, round(item.megabytes, 3)): item.seconds - start.get(item.verb, 0) for item in done}
    found: dict[tuple[str, str], float] = {}
    for (verb, bait, size), seconds in times.items():
        shorter = times.get((verb, bait, round(size / STEP, 3)))
        if shorter is not None and size:
            found[verb, bait] = max(found.get((verb, bait), 0), seconds / max(shorter, LEAST_S))
    return found


def recorded(out: Path) -> list[Run]:
    """The runs of a file, the last one of each kind."""
    latest: dict[tuple[object, ...], Run] = {}
    for line in out.read_text("utf-8").splitlines():
        found = Run(**json.loads(line))
        latest[found.verb, found.bait, found.megabytes] = found
    return list(latest.values())


def table(done: Sequence[Run]) -> str:
    """Markdown, a row for each verb: the worst of all baits, and which one it was."""
    lines = ["| verb | longest | ratio of times | most memory | line of 1 GB |", "| --- | --- | --- | --- | --- |"]
    found = ratios(done)
    for verb in VERBS:
        own = [item for item in done if item.verb == verb]
        baited = [item for item in own if item.megabytes and item.bait != LINE]
        if not baited:
            continue
        slow, large = max(baited, key=lambda item: item.seconds), max(baited, key=lambda item: item.mib)
        worst = max((ratio, bait) for (name, bait), ratio in found.items() if name == verb)
        line = next((f"{item.seconds:.1f} s, {item.mib:,} MiB" for item in own if item.bait == LINE), "")
        cells = [f"{slow.seconds:.1f} s ({slow.bait})", f"{worst[0]:.1f} ({worst[1]})", f"{large.mib:,} MiB ({large.bait})", line]  # fmt: skip
        lines.append(f"| {verb} | {' | '.join(cells)} |")
    return "\n".join(lines)


def written(page: str, figures: str) -> str:
    """The page with another table between its two marks."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{figures}\n\n{END}{rest.partition(END)[2]}"


def _row(text: str) -> str:
    return json.dumps(
        {"text": text, "source": "The river rises in the hills.", "label": "yes", "part": "0"}, ensure_ascii=False
    )


def _write(path: Path, between: Iterable[str | None]) -> None:
    """Good rows before and after the given ones; None is a gigabyte of NUL bytes, a hole that takes no room on disk."""
    with path.open("wb") as file:
        for number in range(AROUND):
            file.write(good_row(number).encode() + b"\n")
        for row in between:
            file.seek(1 << 30, 1) if row is None else file.write(row.encode())
            file.write(b"\n")
        for number in range(AROUND, 2 * AROUND):
            file.write(good_row(number).encode() + b"\n")


if __name__ == "__main__":
    main()
