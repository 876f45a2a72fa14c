"""Soft labels of a real teacher, against what it sent: `python -m bench.soft_labels --documents 100 -k 20`.

Starts the embedded teacher behind vLLM, records every body on its way through, runs the generate stage, and compares what
was stored with what was sent, entry by entry. Prints JSON: calls, documents, entries compared and unequal, spans that
decode to their text, documents without labels by reason, and bytes a token in each form.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from corpus.manifest import Manifest, load_manifest, table_of
from corpus.soft_labels import read_labels
from corpus.store import open_store
from corpus.tokens import FileCounter, load_counter
from generator.local import SERVED_NAME, ensure_embedded_teacher
from generator.server import VllmServer
from generator.teacher_config import ServerConfig
from generator.teachers.direct import Direct
from ray_jobs.cluster import cache_folder
from ray_jobs.drive import run
from ray_jobs.recipe import Recipe
from ray_jobs.talk import Talk

TOKEN = len("token_id:")


def record_bodies() -> list[Any]:
    """The choice of every chat completion from here on, as it came."""
    bodies: list[Any] = []
    post = Direct.post

    async def recorded(self: Direct, path: str, body: Any, more_bytes: int = 0) -> Any:
        answer = await post(self, path, body, more_bytes)
        bodies.append(orjson.loads(orjson.dumps(answer["choices"][0])))
        return answer

    Direct.post = recorded  # type: ignore[method-assign]
    return bodies


def compare(folder: Path, bodies: list[Any], tokenizer: FileCounter) -> dict[str, Any]:
    """What was stored against what was sent."""
    store = open_store(folder / "generate")
    manifest = load_manifest(store)
    assert manifest is not None
    documents = table_of(store, manifest, "documents")
    texts = dict(zip(documents["id"].to_pylist(), documents["text"].to_pylist(), strict=True))
    sent = {tuple(choice["token_ids"]): choice["logprobs"]["content"] for choice in bodies}
    found = {"labelled": 0, "entries": 0, "unequal": 0, "spans_that_decode": 0, "not_found": 0}
    for row in read_labels(store, manifest):
        ids = row.labels.token_ids.tolist()
        found["labelled"] += 1
        found["spans_that_decode"] += tokenizer.decode(ids).encode() == texts[row.id].encode()
        told = next((c for t, c in sent.items() if list(t[row.start : row.start + len(ids)]) == ids), None)
        if told is None:
            found["not_found"] += 1
            continue
        for place, position in enumerate(told[row.start : row.start + len(ids)]):
            theirs = {int(item["token"][TOKEN:]): np.float16(item["logprob"]) for item in position["top_logprobs"]}
            mine = dict(zip(row.labels.top_ids[place].tolist(), row.labels.top_logprobs[place], strict=True))
            found["entries"] += len(theirs)
            found["unequal"] += mine != theirs
    return {**found, "documents": len(texts), **_told(manifest, len(bodies))}


def _told(manifest: Manifest, calls: int) -> dict[str, Any]:
    fact = manifest.facts["soft_labels"]
    dropped = manifest.facts.get("soft_labels.dropped", {}).get("values", {})
    figures = dict(zip(fact["columns"], fact["rows"][0], strict=True))
    return {"calls": calls, "attempts": manifest.totals["attempts"], "dropped": dropped, **figures}


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--documents", type=int, default=100)
    options.add_argument("-k", type=int, default=20)
    chosen = options.parse_args()
    folder = ensure_embedded_teacher(cache_folder())
    counter = load_counter(str(folder / "tokenizer.json"))
    assert isinstance(counter, FileCounter)
    with tempfile.TemporaryDirectory() as temporary:
        log = Path(temporary) / "vllm.log"
        with VllmServer(str(folder), SERVED_NAME, ServerConfig(), log, top_logprobs=chosen.k) as server:
            recipe = Recipe.model_validate({
                "name": "soft", "store": f"{temporary}/runs", "run": {"workers": 0},
                "teacher": {"model": SERVED_NAME, "endpoints": [server.start().wait_ready()], "tokenizer": str(folder),
                            "top_logprobs": chosen.k},
                "generate": {"documents": chosen.documents, "max_tokens": 160, "attempts": 1, "min_words": 20},
            })  # fmt: skip
            bodies, begun = record_bodies(), time.monotonic()
            run(recipe, until="generate", talk=Talk(quiet=True))
            seconds = round(time.monotonic() - begun, 1)
        found = compare(Path(temporary) / "runs" / recipe.label, bodies, counter)
    print(orjson.dumps({**found, "seconds": seconds}, option=orjson.OPT_INDENT_2).decode())


if __name__ == "__main__":
    main()
