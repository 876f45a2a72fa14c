"""The law of imports: corpus ← prompts ← generator ← filters ← trainer ← ray_jobs, and heavy packages in their places."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = ("corpus", "prompts", "generator", "filters", "trainer", "ray_jobs")
# package → where it may be imported
HOMES = {
    "ray": ("ray_jobs/",),
    "typer": ("ray_jobs/",),
    "rich": ("ray_jobs/",),
    "openai": ("generator/teachers/",),
    "aiohttp": ("generator/teachers/",),
    "huggingface_hub": ("corpus/hub.py", "corpus/hub_models.py", "corpus/verify.py"),
    "datasets": ("corpus/readers/", "corpus/hub.py", "corpus/verify.py"),
    "torch": ("trainer/", "generator/local"),  # local.py, local_labels.py
    "transformers": ("trainer/", "generator/local"),
    "vllm": ("generator/vllm_main.py",),
}
FORBIDDEN_NAMES = {"utils", "common", "helpers", "core", "misc"}


def sources() -> list[Path]:
    return [path for folder in ORDER for path in sorted((ROOT / folder).rglob("*.py"))]


def imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or "", node.lineno


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_folder_imports_only_to_its_left(path: Path) -> None:
    own = ORDER.index(path.relative_to(ROOT).parts[0])
    wrong = [
        f"line {line}: {name}"
        for name, line in imports(path)
        if name.split(".")[0] in ORDER and ORDER.index(name.split(".")[0]) > own
    ]
    assert not wrong


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_heavy_packages_stay_in_their_homes(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    wrong = [
        f"line {line}: {name}"
        for name, line in imports(path)
        if (homes := HOMES.get(name.split(".")[0])) and not place.startswith(homes)
    ]
    assert not wrong


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert not [path for path in sources() if path.stem in FORBIDDEN_NAMES or path.parent.name in FORBIDDEN_NAMES]


def test_there_is_no_cycle_between_files() -> None:
    graph = {module(path): {name for name, _ in top_level(path)} for path in sources()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join([*trail[trail.index(name) :], name])
        if name in done or name not in graph:
            return
        for target in graph[name]:
            visit(target, (*trail, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def top_level(path: Path) -> Iterator[tuple[str, int]]:
    """Imports that run when the module is imported (those inside functions are lazy on purpose)."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ORDER:
            package = ROOT / node.module.replace(".", "/")
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner if (package / f"{alias.name}.py").is_file() else node.module), node.lineno


def test_help_needs_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from ray_jobs.cli import main\n"
        "heavy = {'torch', 'transformers', 'ray', 'vllm', 'datasets', 'polars', 'pyarrow', 'openai', 'fasttext'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stdout.strip() == "[]"
