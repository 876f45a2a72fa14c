"""teacher serve, label."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Serve a teacher, or have it label text.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Serve a teacher, or have it label text."""


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def serve(context: typer.Context,
          model: Annotated[str, typer.Argument(help="`embedded`, a folder, or a model's name.")] = "embedded",
          port: Annotated[int, typer.Option(help="Port on 127.0.0.1; a free one when 0.")] = 8000,
          replicas: Annotated[int, typer.Option(min=0, help="Servers placed by Ray, one for each GPU group.")] = 0,
          register: Annotated[str, typer.Option(help="File or URL that runs name as teacher.registry.")] = "",
          address: Annotated[str, typer.Option(help="Ray cluster to place them on; a local one if not given.")] = "",
          api_key_env: Annotated[str, typer.Option(help="Variable with the key that the replicas ask for.")] = "",
          ) -> None:  # fmt: skip
    """Serve a model with vLLM, here or by Ray on a cluster.

    Flags that are not ours go to vLLM as they are.

    Example: hornbook teacher serve embedded --port 8000 --max-num-seqs 32
    Example: hornbook teacher serve org/large --replicas 4 --register /shared/runs/large.json --tensor-parallel-size 2
    """
    from ray_jobs.serving import serve_replicas_until_stopped, serve_until_stopped

    if replicas or register:
        serve_replicas_until_stopped(
            model, replicas or 1, tuple(context.args), address=address, register=register, api_key_env=api_key_env
        )
    else:
        serve_until_stopped(model, port, tuple(context.args))


@app.command()
def label(files: Annotated[list[str], typer.Argument(help="JSONL (gz, zst), Parquet, text, or a Hugging Face dataset name.")],
          out: Annotated[Path, typer.Option(help="Parquet file to write.")],
          model: Annotated[str, typer.Option(help="`embedded`, a folder with weights, or the endpoint's name of it.")] = "embedded",
          top: Annotated[int, typer.Option(min=1, max=1000, help="Log-probabilities a token.")] = 20,
          draws: Annotated[int, typer.Option(min=0, max=1000, help="Draw so many tokens instead of taking the likeliest.")] = 0,
          endpoint: Annotated[str, typer.Option(help="Base URL of a vLLM that serves the model; in this process if not given.")] = "",
          tokenizer: Annotated[str, typer.Option(help="Folder of the endpoint's tokenizer, or `embedded`.")] = "",
          window: Annotated[int, typer.Option(min=8, help="Tokens that the endpoint reads at once.")] = 2048,
          api_key_env: Annotated[str, typer.Option(help="Variable with the endpoint's key.")] = "",
          text_field: Annotated[str, typer.Option("--text-field", help="Column that holds the text.")] = "text",
          ) -> None:  # fmt: skip
    """What a teacher would have said next, at every token of a text.

    Its likeliest tokens with their log-probabilities, for distillation. One row a document, as a run with
    teacher.top_logprobs keeps them; the teacher sees the text alone, no prompt. With --draws it is tokens drawn from
    the whole distribution, which teach without bias (student.distil.targets: sampled).

    Example: hornbook teacher label textbooks.parquet --model /models/qwen3-8b --top 20 --out labels.parquet
    Example: hornbook teacher label pages.jsonl --endpoint http://127.0.0.1:8000/v1 --model NAME --tokenizer FOLDER --out labels.parquet
    """
    from ray_jobs.label_files import label_files

    key = os.environ.get(api_key_env, "") if api_key_env else ""
    said = label_files(files, out, model, top, url=endpoint, tokenizer=tokenizer, window=window, api_key=key,
                       field=text_field, draws=draws)  # fmt: skip
    print("\n".join(said), file=sys.stderr)
