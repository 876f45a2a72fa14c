"""teacher serve."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Serve a teacher.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Serve a teacher."""


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def serve(context: typer.Context,
          model: Annotated[str, typer.Argument(help="`embedded`, a folder, or a model's name.")] = "embedded",
          port: Annotated[int, typer.Option(help="Port on 127.0.0.1; a free one when 0.")] = 8000) -> None:  # fmt: skip
    """Serve a model with vLLM on this machine.

    Flags that are not ours go to vLLM as they are.

    Example: hornbook teacher serve embedded --port 8000 --max-num-seqs 32
    """
    from ray_jobs.serving import serve_until_stopped

    serve_until_stopped(model, port, tuple(context.args))
