"""How near does a pilot come? Forecast against actual, tokens and time, over seeded runs.

`python -m bench.pilot --teacher fake` uses the deterministic fake teacher, whose lengths are log-normal and whose service
time grows with length and load; `--teacher embedded` the real one on vLLM. Each seed is a run of its own: a stratified
pilot at full concurrency, then the run, which takes the pilot's replies over. Seeds that are done are read from
`bench/out/pilot.jsonl`, so the bench may be stopped and started again; `--minutes` ends it before the next seed.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from generator.local import SERVED_NAME, ensure_embedded_teacher
from generator.server import VllmServer
from generator.teacher_config import ServerConfig
from ray_jobs.cluster import cache_folder
from ray_jobs.drive import run
from ray_jobs.pilot import run_pilot
from ray_jobs.recipe import Recipe
from ray_jobs.talk import Talk
from tests.fakes.fake_teacher import FakeTeacher

OUT = Path(__file__).parent / "out" / "pilot.jsonl"
TOKENS, TIME = 0.15, 0.25  # how near a forecast must be
FORMS = ("textbook_section", "worked_example", "questions_answers", "misconception", "story", "code_lesson")


@contextmanager
def teacher(name: str, seqs: int, token_s: float) -> Iterator[tuple[str, str]]:
    """(base URL, model) of a teacher that stands for all seeds."""
    if name == "fake":
        with FakeTeacher(token_s=token_s, spread=0.5) as fake:
            yield fake.url, FakeTeacher.model
        return
    folder = ensure_embedded_teacher(cache_folder())
    with (
        tempfile.TemporaryDirectory() as logs,
        VllmServer(str(folder), SERVED_NAME, ServerConfig(max_num_seqs=seqs), Path(logs) / "vllm.log") as server,
    ):
        yield server.start().wait_ready(), SERVED_NAME


def recipe_of(seed: int, store: str, url: str, model: str, options: argparse.Namespace) -> Recipe:
    """Short English prose, two attempts a slot."""
    tokenizer = ensure_embedded_teacher(cache_folder())
    return Recipe.model_validate({
        "name": "pilot", "seed": seed, "store": store, "run": {"workers": 0},
        "teacher": {"model": model, "endpoints": [url], "tokenizer": str(tokenizer), "concurrency": options.window},
        "generate": {"documents": options.documents, "attempts": 2, "words": [40, 70], "max_tokens": options.max_tokens,
                     "min_words": 40, "forms": FORMS},
        "filters": {"quality": 0, "language_confidence": 0, "languages": [], "profiles": {"synthetic": "synthetic"}},
    })  # fmt: skip


def measure(recipe: Recipe, pilot: int) -> dict[str, Any]:
    """Pilot, run, and the ledger's two columns."""
    found = run_pilot(recipe, pilot, Talk(quiet=True))
    manifest = run(recipe, until="generate", talk=Talk(quiet=True)).manifests["generate"]
    actual = {row[0]: row[3] for row in manifest.facts["ledger"]["rows"]}
    paid = found.tokens.value - found.rest_tokens.value
    assert found.seconds is not None
    seconds = actual["seconds of asking after the pilot"]
    return {
        "tokens": [found.tokens.value, actual["tokens"]], "rest": [found.rest_tokens.value, actual["tokens"] - paid],
        "rest_interval": [found.rest_tokens.low, found.rest_tokens.high], "seconds": [found.seconds.value, seconds],
        "seconds_interval": [found.seconds.low, found.seconds.high], "full_share": found.full_share,
    }  # fmt: skip


def error(pair: list[float]) -> float:
    """Of a forecast, relative to what it came to."""
    return pair[0] / pair[1] - 1


def told(rows: list[dict[str, Any]]) -> None:
    """The figures as a person reads them."""
    for row in rows:
        print(f"seed {row['seed']:>2}: tokens {error(row['tokens']):+.1%}, tokens not yet written {error(row['rest']):+.1%}, "
              f"time {error(row['seconds']):+.1%} ({row['seconds'][0]:.1f} s forecast, {row['seconds'][1]:.1f} s)")  # fmt: skip
    for name, limit in (("tokens", TOKENS), ("rest", TOKENS), ("seconds", TIME)):
        good = sum(abs(error(row[name])) <= limit for row in rows)
        print(f"{name:<8} within {limit:.0%} in {good} of {len(rows)} seeded runs")


def main() -> None:
    """Run the seeds that are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teacher", choices=["fake", "embedded"], default="fake")
    parser.add_argument("--first", type=int, default=1, help="seed to begin with")
    parser.add_argument("--seeds", type=int, default=10, help="seed to end with")
    parser.add_argument("--token-s", type=float, default=0.012, help="of the fake teacher, for a token")
    parser.add_argument("--documents", type=int, default=300)
    parser.add_argument("--pilot", type=int, default=64)
    parser.add_argument("--window", type=int, default=16)
    parser.add_argument("--max-tokens", type=int, default=400)
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    shape = [options.teacher, options.documents, options.pilot, options.window, options.max_tokens, options.token_s]
    OUT.parent.mkdir(exist_ok=True)
    done = [json.loads(line) for line in OUT.read_text().splitlines()] if OUT.exists() else []
    rows = [row for row in done if row["shape"] == shape]
    left = sorted(set(range(options.first, options.seeds + 1)) - {row["seed"] for row in rows})
    begun = time.monotonic()
    if left:
        with (
            teacher(options.teacher, options.window, options.token_s) as (url, model),
            tempfile.TemporaryDirectory() as store,
        ):
            for seed in left:
                if time.monotonic() - begun > options.minutes * 60:
                    break
                recipe = recipe_of(seed, f"{store}/{seed}", url, model, options)
                row = {"seed": seed, "shape": shape, **measure(recipe, options.pilot)}
                rows.append(row)
                with OUT.open("a") as file:
                    file.write(json.dumps(row) + "\n")
    told(sorted(rows, key=lambda row: row["seed"]))


if __name__ == "__main__":
    main()
