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
