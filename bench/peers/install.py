"""Makes the environments of the compared tools, those that ask and those that filter: `python -m bench.peers.install [NAME…]`.

Each gets its own under `bench/.venvs/`, with pinned versions. One that cannot be installed is named with its reason,
and the rest go on; the reason is kept, so that the results can say it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.filter_peers.catalogue import ENVIRONMENTS as FILTERS
from bench.peers.catalogue import ENVIRONMENTS as ASKERS
from bench.peers.catalogue import Environment

READY, FAILED = "ready.json", "failed.txt"


def install(environment: Environment) -> str:
    """Make it unless it is there as pinned; "" or why not."""
    ready, failed = environment.folder / READY, environment.folder / FAILED
    wanted = json.dumps(environment.pins)
    if ready.exists() and ready.read_text() == wanted:
        return ""
    environment.folder.mkdir(parents=True, exist_ok=True)
    steps = (
        ("venv", "--quiet", "--allow-existing", "--python", sys.executable, str(environment.folder)),
        ("pip", "install", "--quiet", "--python", str(environment.python), *environment.pins),
    )
    for step in steps:
        done = subprocess.run([_uv(), *step], capture_output=True, text=True, env=_variables())
        if done.returncode:
            failed.write_text(done.stderr[-1000:])
            return done.stderr.strip()
    failed.unlink(missing_ok=True)
    ready.write_text(wanted)
    return ""


def why_not(environment: Environment) -> str:
    """Why an environment is not there; "" when it is."""
    if not environment.pins or (environment.folder / READY).exists():
        return ""
    failed = environment.folder / FAILED
    return failed.read_text() if failed.exists() else "not installed: python -m bench.peers.install"


def versions(environment: Environment, names: tuple[str, ...]) -> dict[str, str]:
    """Versions of packages in an environment."""
    code = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
    done = subprocess.run([str(environment.python), "-c", code, *names], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def _uv() -> str:
    """The one beside the interpreter that runs this, else whichever is found."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else "uv"


def _variables() -> dict[str, str]:
    """uv does not read pip's settings; where pip knows a folder of wheels, uv is told of it."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.find-links"], capture_output=True, text=True
    )
    links = asked.stdout.strip() or os.environ.get("PIP_FIND_LINKS", "")
    return {**os.environ, **({"UV_FIND_LINKS": links} if links else {})}


def main() -> None:
    """Install those named, or all."""
    for environment in (*ASKERS, *FILTERS):
        if not sys.argv[1:] or environment.name in sys.argv[1:]:
            why = install(environment)
            print(f"{environment.name:14} {'ready' if not why else 'NOT installed: ' + why}", flush=True)


if __name__ == "__main__":
    main()
