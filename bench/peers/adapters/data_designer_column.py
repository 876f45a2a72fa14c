"""NeMo Data Designer: the prompts as a seed dataset, and one LLM text column over it."""

from __future__ import annotations

import sys
from pathlib import Path

import data_designer.config as dd
import pandas as pd
from data_designer.interface import DataDesigner
from job import Job


def main(job: Job) -> None:
    """Make the dataset; the health check that would send a prompt of its own is off."""
    rows = job.rows
    seed = Path(job.folder) / "seed.parquet"
    pd.DataFrame(rows).to_parquet(seed)
    provider = dd.ModelProvider(name="bench", endpoint=job.url, provider_type="openai", api_key="none",
                                extra_body={"seed": job.seed})  # fmt: skip
    model = dd.ModelConfig(
        alias="writer", model=job.model, provider="bench", skip_health_check=True,
        inference_parameters=dd.ChatCompletionInferenceParams(
            temperature=job.temperature, top_p=job.top_p, max_tokens=job.max_tokens, max_parallel_requests=job.window, timeout=600
        ),
    )  # fmt: skip
    builder = dd.DataDesignerConfigBuilder(model_configs=[model])
    builder.with_seed_dataset(dd.LocalFileSeedSource(path=str(seed)))
    builder.add_column(dd.LLMTextColumnConfig(name="text", prompt="{{ prompt }}", model_alias="writer"))
    designer = DataDesigner(artifact_path=Path(job.folder) / "artifacts", model_providers=[provider])
    made = designer.create(builder, num_records=len(rows), dataset_name="bench").load_dataset()
    job.write(zip(made["id"], made["text"].fillna(""), strict=True))


if __name__ == "__main__":
    main(Job.read(sys.argv[1]))
