"""Who is compared: for each arm its environment, its versions, and the script that asks in its own way."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENVS = ROOT / "bench" / ".venvs"
ADAPTERS = Path(__file__).parent / "adapters"
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "OPENAI_API_KEY": "none",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
}
"""Nobody calls home, nobody downloads, and nobody starts a thread for each core."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment under `bench/.venvs/`."""

    name: str
    pins: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return VENVS / self.name

    @property
    def python(self) -> Path:
        """Its interpreter; Hornbook's own is the one that runs this."""
        return self.folder / "bin" / "python" if self.pins else Path(sys.executable)


@dataclass(frozen=True)
class Arm:
    """One way to ask. `shown` are the packages whose versions belong in the result."""

    name: str
    what: str
    environment: Environment
    script: str
    shown: tuple[str, ...]
    options: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()

    def command(self, job: Path) -> list[str]:
        """The command line for a job."""
        return [str(self.environment.python), str(ADAPTERS / self.script), str(job), *self.options]

    def variables_of(self) -> dict[str, str]:
        """What its process finds in the environment, besides what is there."""
        return {**QUIET, **{name: value.format(venv=self.environment.folder) for name, value in self.variables}}


HERE = Environment("hornbook", ())
BARE = Environment(
    "bare", ("openai[aiohttp]==3.54.0", "aiohttp==3.14.5", "orjson==3.13.0", "uvloop==0.23.0", "httptools==0.9.0")
)
# Its extra `inference` brings torch, vllm and sglang, which an endpoint does not need; the rest of it is named here.
DATATROVE = Environment(
    "datatrove",
    ("datatrove[io]==0.10.1", "openai==3.54.0", "aiofiles", "aiosqlite", "httpx", "pandas", "pyyaml", "typer"),
)
DISTILABEL = Environment("distilabel", ("distilabel[openai]==1.5.3", "openai==3.54.0", "datasets==5.2.0", "requests"))
CURATOR = Environment("curator", ("bespokelabs-curator==0.1.31",))
DESIGNER = Environment("data-designer", ("data-designer==0.9.7",))
ENVIRONMENTS = (BARE, DATATROVE, DISTILABEL, CURATOR, DESIGNER)

OURS = ("ray", "openai", "aiohttp", "pydantic")
ARMS = {
    arm.name: arm
    for arm in (
        Arm("hornbook", "Hornbook as a run asks on one machine, each reply durable", HERE, "hornbook_crew.py", OURS),
        Arm("hornbook-ray", "Hornbook as on a cluster: an actor on a local Ray, each reply durable", HERE, "hornbook_crew.py", OURS, ("--askers", "1")),
        Arm("hornbook-loop", "Hornbook's asking loop and journal alone, in one process", HERE, "hornbook_loop.py", OURS),
        Arm("datatrove", "datatrove `InferenceRunner` on an endpoint", DATATROVE, "datatrove_runner.py", ("datatrove", "openai")),
        Arm("datatrove-resume", "datatrove `InferenceRunner` with checkpoints, 500 rows a chunk", DATATROVE, "datatrove_runner.py", ("datatrove", "openai"),
            ("--checkpoints",)),
        Arm("distilabel", "distilabel `Pipeline`, `TextGeneration`", DISTILABEL, "distilabel_pipeline.py",
            ("distilabel", "openai", "datasets")),
        Arm("curator", "Bespoke Curator `LLM`, backend openai", CURATOR, "curator_llm.py",
            ("bespokelabs-curator", "openai", "litellm", "aiohttp"),
            variables=(("TELEMETRY_ENABLED", "false"), ("CURATOR_VIEWER", "0"), ("LITELLM_LOCAL_MODEL_COST_MAP", "True"),
                       ("TIKTOKEN_CACHE_DIR", "{venv}/lib/python3.11/site-packages/litellm/litellm_core_utils/tokenizers"))),
        Arm("data-designer", "NeMo Data Designer, one LLM text column", DESIGNER, "data_designer_column.py",
            ("data-designer", "data-designer-engine"), variables=(("NEMO_TELEMETRY_ENABLED", "false"),)),
        Arm("bare-openai", "bare `openai` client on its aiohttp transport, `gather`", BARE, "bare_openai.py", ("openai", "aiohttp")),
        Arm("plain-aiohttp", "aiohttp and orjson on uvloop: the bound", BARE, "plain_aiohttp.py", ("aiohttp", "orjson", "uvloop")),
    )
}  # fmt: skip
