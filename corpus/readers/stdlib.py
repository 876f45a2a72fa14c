"""Text that comes with Python itself: reference topics, docstrings and source of the standard library."""

from __future__ import annotations

import ast
import platform
import sysconfig
import tokenize
from collections.abc import Iterator
from pathlib import Path

from corpus.readers.packages import Page
from corpus.readers.pieces import modules, pages

PYTHON_LICENCE = "PSF-2.0"
# Tests and tables are no reading matter; what is installed beside the library is somebody else's.
_LEFT_OUT = {"test", "tests", "idlelib", "lib2to3", "turtledemo", "encodings", "site-packages", "dist-packages",
             "ensurepip", "pydoc_data", "__pycache__", "idle_test"}  # fmt: skip
SHORTEST_DOCSTRING = 120  # characters; shorter ones are a line that repeats a name


def python_docs() -> Iterator[Page]:
    """The language reference that `help()` prints, a topic a document or more."""
    from pydoc_data.topics import topics  # type: ignore[import-not-found]

    for topic, text in sorted(topics.items()):
        for piece, page in enumerate(pages(text)):
            yield Page("python-docs", PYTHON_LICENCE, f"{_python()}/topics/{topic}", piece, page)


def docstrings() -> Iterator[Page]:
    """Docstrings of each module, joined under their names and cut into pages. Nothing is imported."""
    for path, name, source in _sources():
        text = _documentation(source, name)
        for piece, page in enumerate(pages(text)):
            yield Page("docstrings", PYTHON_LICENCE, f"{_python()}/{path}#doc", piece, page)


def python_code() -> Iterator[Page]:
    """Source of each module, cut before top-level definitions."""
    for path, _, source in _sources():
        for piece, page in enumerate(modules(source)):
            yield Page("python-code", PYTHON_LICENCE, f"{_python()}/{path}", piece, page)


def _python() -> str:
    return f"python=={platform.python_version()}"


def _sources() -> Iterator[tuple[str, str, str]]:
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        inside = path.relative_to(root)
        if _LEFT_OUT.isdisjoint(inside.parts) and (source := _source(path)):
            yield inside.as_posix(), ".".join(inside.with_suffix("").parts).removesuffix(".__init__"), source


def _source(path: Path) -> str:
    """The module's text by its own coding line; nothing for a file that is not Python after all."""
    try:
        with tokenize.open(path) as file:
            return file.read()
    except (OSError, SyntaxError, UnicodeDecodeError):
        return ""


def _documentation(source: str, name: str) -> str:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ""
    return "\n\n".join(_documented(tree, name))


def _documented(node: ast.AST, name: str) -> Iterator[str]:
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        text = ast.get_docstring(node) or ""
        if len(text) >= SHORTEST_DOCSTRING:
            yield f"{name}\n\n{text}"
        for child in node.body:
            if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from _documented(child, f"{name}.{child.name}")
