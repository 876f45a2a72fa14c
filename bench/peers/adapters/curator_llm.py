"""Bespoke Curator's `LLM` on its backend `openai`, its rate limits set out of the way."""

from __future__ import annotations

import os
import sys

from bespokelabs import curator
from job import Job

NO_LIMIT = 100_000_000  # requests and tokens a minute; without it Curator holds itself to 200 requests a minute


class Write(curator.LLM):
    """One row, one prompt, one text."""

    def prompt(self, row: dict) -> str:
        """The row's own prompt."""
        return row["prompt"]

    def parse(self, row: dict, response: str) -> dict:
        """The row's id and what came back."""
        return {"id": row["id"], "text": response}


def main(job: Job) -> None:
    """Ask for all rows. A reply that reached `max_tokens` is a reply here, which Curator would ask for again."""
    os.environ["CURATOR_CACHE_DIR"] = job.folder
    llm = Write(
        model_name=job.model, backend="openai",
        generation_params={"max_tokens": job.max_tokens, "temperature": job.temperature, "top_p": job.top_p, "seed": job.seed},
        backend_params={"base_url": job.url, "api_key": "none", "max_concurrent_requests": job.window,
                        "max_requests_per_minute": NO_LIMIT, "max_tokens_per_minute": NO_LIMIT,
                        "invalid_finish_reasons": ["content_filter"]},
    )  # fmt: skip
    found = llm(job.rows, working_dir=job.folder)
    rows = getattr(found, "dataset", found)
    job.write((row["id"], row["text"] or "") for row in rows)


if __name__ == "__main__":
    main(Job.read(sys.argv[1]))
