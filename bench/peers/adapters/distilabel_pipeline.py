"""distilabel: rows, a `TextGeneration` task over its `OpenAILLM`, a batch as large as the window."""

from __future__ import annotations

import sys

from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration
from job import Job


def main(job: Job) -> None:
    """Run the pipeline without its cache, so that no round finds what another wrote."""
    rows = [{"name": row["id"], "instruction": row["prompt"]} for row in job.rows]
    llm = OpenAILLM(
        model=job.model, base_url=job.url, api_key="none", timeout=600,
        generation_kwargs={"max_new_tokens": job.max_tokens, "temperature": job.temperature, "top_p": job.top_p,
                           "extra_body": {"seed": job.seed, "max_tokens": job.max_tokens}},
    )  # fmt: skip
    with Pipeline(name="bench", cache_dir=job.folder) as pipeline:
        load = LoadDataFromDicts(data=rows, batch_size=job.window)
        load >> TextGeneration(llm=llm, input_batch_size=job.window)
    found = pipeline.run(use_cache=False)["default"]["train"]
    job.write((row["name"], row["generation"] or "") for row in found)


if __name__ == "__main__":
    main(Job.read(sys.argv[1]))
