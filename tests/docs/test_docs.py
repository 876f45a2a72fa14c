"""What the documentation shows works: its examples are run, its recipes validated, its commands and links exist."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ray_jobs.code import FOLDERS
from ray_jobs.resolve import resolve

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])
FENCE = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.M | re.S)
NAMED = re.compile(rf"`((?:{'|'.join(FOLDERS)}|tests|recipes)/[\w./-]*)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


@dataclass(frozen=True)
class Block:
    """A fenced block; `label` is what stands beside the language: `run`, `file=PATH`, `recipe=PATH` or nothing."""

    language: str
    label: str
    text: str

    @property
    def path(self) -> str:
        """The path that the label names."""
        return self.label.partition("=")[2]


def blocks_of(page: Path) -> list[Block]:
    return [Block(*found) for found in FENCE.findall(page.read_text("utf-8"))]


def labelled(kind: str) -> list[Path]:
    return [page for page in PAGES if any(block.label.startswith(kind) for block in blocks_of(page))]


def place(tmp_path: Path, page: Path) -> Path:
    """A copy of the code with the page's files written and its changes made."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for block in blocks_of(page):
        if block.label.startswith(("file=", "recipe=")):
            path = tmp_path / block.path
            path.parent.mkdir(parents=True, exist_ok=True)
            changed = _patched(path.read_text("utf-8"), block.text) if block.language == "diff" else block.text
            path.write_text(changed, "utf-8")
    return tmp_path


def _patched(text: str, diff: str) -> str:
    """Each `+` line goes after the line of context above it, which must stand in the file exactly once."""
    lines, at = text.split("\n"), -1
    for change in diff.rstrip("\n").split("\n"):
        sign, line = change[0], change[1:]
        if sign == "+":
            lines.insert(at + 1, line)
            at += 1
        else:
            assert lines.count(line) == 1, f"the documentation speaks of a line that is not there: {line!r}"
            at = lines.index(line)
    return "\n".join(lines)


@pytest.mark.parametrize("page", labelled("run"), ids=lambda page: page.stem)
def test_every_python_example_runs(page: Path, tmp_path: Path) -> None:
    here = place(tmp_path, page)
    environment = {**os.environ, "PYTHONPATH": str(here)}
    for block in blocks_of(page):
        if block.label == "run":
            run = subprocess.run([sys.executable, "-c", block.text], cwd=here, env=environment, capture_output=True,
                                 text=True, timeout=120)  # fmt: skip
            assert run.returncode == 0, run.stderr
            assert run.stdout.strip()


@pytest.mark.parametrize("page", labelled("recipe="), ids=lambda page: page.stem)
def test_every_recipe_is_valid(page: Path, tmp_path: Path) -> None:
    for block in blocks_of(page):
        if block.label.startswith("recipe="):
            path = tmp_path / block.path
            path.write_text(block.text, "utf-8")
            assert resolve(str(path), environment={}).recipe.name


def commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in blocks_of(page):
            for line in block.text.splitlines() if block.language in ("sh", "console", "bash") else ():
                if line.removeprefix("$ ").startswith("hornbook "):
                    yield page.name, line.removeprefix("$ ")


@pytest.mark.parametrize(("page", "line"), list(commands()))
def test_every_command_exists_with_its_options(page: str, line: str) -> None:
    import typer.main

    from ray_jobs.cli.main import app

    command = typer.main.get_command(app)
    words = shlex.split(line.partition(" #")[0].partition(" > ")[0])[1:]
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"{page}: there is no `{words[0]}`"
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {
        "--help"
    }
    assert {word.partition("=")[0] for word in words if word.startswith("-")} <= known, f"{page}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_every_named_file_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    links = [link for link in LINK.findall(text) if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in links if not (page.parent / link).exists()] == []
    inline = NAMED.findall(FENCE.sub("", text))
    made = {block.path for block in blocks_of(page)}
    assert [name for name in inline if not (ROOT / name).exists() and name not in made] == []


def test_every_exit_code_of_the_code_is_in_the_table() -> None:
    from corpus.errors import HornbookError

    table = (ROOT / "docs/exit-codes-and-resume.md").read_text("utf-8")
    codes = {kind.exit_code for kind in (HornbookError, *HornbookError.__subclasses__())} | {0, 130}
    assert codes - {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.M)} == set()
