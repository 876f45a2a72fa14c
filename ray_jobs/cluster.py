"""Connects to Ray: a local one on loopback with a token, or the cluster that the user names.

Ray listens on every interface of the machine unless `RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0` is set before it starts
(measured: with it every socket is on 127.0.0.1), and whoever reaches its port can run code. So the local default
sets it, and sets token authentication explicitly with a token file of its own.
"""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path
from typing import Any

from corpus.errors import SetupError
from ray_jobs.code import code_hash
from ray_jobs.recipe import RunConfig

TOKEN_FILE = "ray-token"
# Threads are pinned to one in every worker: the libraries under us all default to one thread a core each.
WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def cache_folder() -> Path:
    """The user's cache: `$HORNBOOK_CACHE`, else `$XDG_CACHE_HOME/hornbook`, else `~/.cache/hornbook`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("HORNBOOK_CACHE") or Path(base) / "hornbook")


def loopback_environment() -> dict[str, str]:
    """What Ray must find in the environment so that it stays on this machine and asks for a token."""
    return {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_AUTH_MODE": os.environ.get("RAY_AUTH_MODE", "token"),
        "RAY_AUTH_TOKEN_PATH": os.environ.get("RAY_AUTH_TOKEN_PATH") or str(_token_file()),
        "RAY_USAGE_STATS_ENABLED": "0",
    }


def on_a_cluster(config: RunConfig) -> bool:
    """Whether this process is to join a Ray that somebody else started."""
    return bool(config.address or os.environ.get("RAY_ADDRESS"))


def askers_of(config: RunConfig) -> int:
    """How many actors ask the teacher; 0 where the run's own process does."""
    return config.askers or (2 if on_a_cluster(config) else 0)


def connect(config: RunConfig) -> Any:
    """Join or start Ray and return the module. Workers see this code, or the run stops with `StateError`."""
    if not on_a_cluster(config):
        os.environ.update(loopback_environment())
        # Workers made before anybody asks have no environment of ours and are never used; they only take time.
        os.environ.setdefault("RAY_prestart_worker_first_driver", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    if not ray.is_initialized():
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if on_a_cluster(config):
            options["address"] = config.address or os.environ["RAY_ADDRESS"]
        else:
            options.update(address="local", num_cpus=config.workers or os.cpu_count(), include_dashboard=False)
        _init(ray, options)
    return ray


def _init(ray: Any, options: dict[str, Any]) -> None:
    """Start or join. A busy machine may miss the 30 s that Ray gives its own processes to come up, so it is asked twice."""
    for last in (False, True):
        try:
            ray.init(runtime_env={"env_vars": WORKER_ENVIRONMENT}, **options)
            return
        except (ConnectionError, RuntimeError, OSError, ValueError) as error:
            raise SetupError(f"Ray did not start or answer: {error}", hint="hornbook doctor") from error
        except Exception as error:  # Ray's own type for a late node is a bare `Exception`
            if last:
                raise SetupError(
                    f"Ray did not start: {error}",
                    hint="the machine may be too busy: run again, or set run.workers to 0",
                ) from error


def worker_code_hash() -> str:
    """Run on a worker: the hash of the code that it sees."""
    return code_hash()


def _token_file() -> Path:
    path = cache_folder() / TOKEN_FILE
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
    return path
