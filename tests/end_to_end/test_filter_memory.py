"""The memory of the filter stage hardly grows with the documents: it holds a few shards, not the run."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.conftest import WORDS

ALONE = """
import resource, sys
from ray_jobs.drive import run
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk

run(resolve(sys.argv[1], ["version=1"], {}).recipe, talk=Talk(quiet=True), until=sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak(folder: Path, tokenizer: Path, documents: int) -> int:
    """MiB that the filter stage takes alone, in one process; a tenth of the documents are near copies."""
    draw = random.Random(7)
    folder.mkdir()
    with (folder / "web.jsonl").open("w", encoding="utf-8") as file:
        for number in range(documents):
            if number % 10 < 9:
                text = " ".join(" ".join(draw.choices(WORDS, k=12)).capitalize() + "." for _ in range(14))
            file.write(json.dumps({"text": text if number % 10 < 9 else text + " Once more."}) + "\n")
    recipe = folder / "many.yaml"
    recipe.write_text(
        f"""\
name: many
store: {folder}/runs
teacher: {{tokenizer: {tokenizer}}}
sources: {{web: {{kind: files, paths: ["{folder}/web.jsonl"]}}}}
filters: {{quality: 0, languages: [], language_confidence: 0}}
run: {{workers: 0}}
""",
        "utf-8",
    )
    made = [subprocess.run([sys.executable, "-c", ALONE, str(recipe), until], capture_output=True, text=True, check=True)
            for until in ("score", "filter")]  # fmt: skip
    return int(made[-1].stdout)


@pytest.mark.soak
def test_four_times_the_documents_take_hardly_more_memory(tmp_path: Path, tokenizer: Path) -> None:
    small = peak(tmp_path / "small", tokenizer, 20_000)
    large = peak(tmp_path / "large", tokenizer, 80_000)
    print(f"{small} MiB for 20,000 documents, {large} MiB for 80,000")
    assert large < small + 80
