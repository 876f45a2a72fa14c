"""datatrove's `InferenceRunner` on an endpoint that is there already, its rows written by its own writer."""

from __future__ import annotations

import sys
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
from datatrove.pipeline.writers import JsonlWriter
from job import Job


def main(job: Job, *, checkpoints: bool) -> None:
    """Run the step on all rows; with `checkpoints` it could go on after a kill, which is off by default."""

    async def rollout(document: Document, generate):  # type: ignore[no-untyped-def]
        body = job.body(document.text)
        return await generate({name: value for name, value in body.items() if name != "model"})

    folder = Path(job.folder)
    runner = InferenceRunner(
        rollout_fn=rollout,
        config=InferenceConfig(
            server_type="endpoint", endpoint_url=job.url.removesuffix("/v1"), model_name_or_path=job.model, api_key="none",
            max_concurrent_generations=job.window, metric_interval=3600,
        ),
        output_writer=JsonlWriter(str(folder / "written"), "${rank}_chunk_${chunk_index}.jsonl", compression=None),
        checkpoints_local_dir=str(folder / "checkpoints") if checkpoints else None,
        records_per_chunk=500,
    )  # fmt: skip
    rows = (Document(text=row["prompt"], id=row["id"]) for row in job.rows)
    runner.run(rows, rank=0, world_size=1)
    # Its own files are what counts as written; `out` is where this benchmark looks.
    job.write(_found(folder / "written"))


def _found(folder: Path):  # type: ignore[no-untyped-def]
    import json

    for path in sorted(folder.rglob("*.jsonl")):
        for line in path.open(encoding="utf-8"):
            row = json.loads(line)
            result = row["metadata"]["rollout_results"][0]
            yield row["id"], result["text"]


if __name__ == "__main__":
    main(Job.read(sys.argv[1]), checkpoints="--checkpoints" in sys.argv)
