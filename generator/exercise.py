"""An exercise as it stands in a text: what is asked, a solution, and tests. Read strictly: what is doubtful is no exercise."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Literal

from generator.assertions import Unfit, parsed

Kind = Literal["tests", "examples"]
"""Where the tests of a form stand: in a second block, or as examples in the docstring of the first."""
FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```[ \t]*$", re.S | re.M)
PYTHON = ("python", "py", "python3")
FEWEST = 2  # assertions or examples: a single one holds for too many wrong solutions


@dataclass(frozen=True, slots=True)
class Exercise:
    """What is asked, in words; code that does it; code that asserts it, in plain Python."""

    statement: str
    solution: str
    tests: str


def read_exercise(text: str, kind: Kind) -> Exercise:
    """The exercise that a text holds. Raises `Unfit` with what keeps it from being one."""
    blocks = list(FENCE.finditer(text))
    wanted = 2 if kind == "tests" else 1
    if len(blocks) != wanted:
        raise Unfit(f"{len(blocks)} fenced blocks, expected {wanted}")
    if other := [block.group(1).strip() for block in blocks if block.group(1).strip().lower() not in PYTHON]:
        raise Unfit(f"a fenced block is marked {other[0][:20]!r}, not python")
    statement, solution = text[: blocks[0].start()].strip(), blocks[0].group(2)
    if not statement:
        raise Unfit("no task stands before the solution")
    tree = parsed(solution, "the solution")
    if not any(isinstance(node, ast.FunctionDef) for node in tree.body):
        raise Unfit("the solution defines no function")
    tests = blocks[1].group(2) if kind == "tests" else examples(tree)
    count = sum(isinstance(node, ast.Assert) for node in ast.walk(parsed(tests, "the tests")))
    if count < FEWEST:
        raise Unfit(f"{count} assertions, at least {FEWEST} are expected")
    return Exercise(statement, solution, tests)


def examples(tree: ast.Module) -> str:
    """The doctest examples of a module's functions as assertions. Raises `Unfit` for one that is no plain value."""
    from doctest import DocTestParser

    lines: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and (text := ast.get_docstring(node)):
            try:
                found = DocTestParser().get_examples(text)
            except ValueError as error:
                raise Unfit(f"an example: {str(error)[:120]}") from None
            lines += [_assertion(item.source.strip(), item.want.strip(), item.exc_msg) for item in found]
    return "\n".join(lines) + "\n"


def _assertion(source: str, want: str, raised: str | None) -> str:
    if raised:
        kind = raised.split(":")[0].strip()
        if not kind.isidentifier():
            raise Unfit(f"an example expects {kind[:40]!r}")
        body = "\n".join("    " + line for line in source.splitlines())
        return f"try:\n{body}\n    seen = False\nexcept {kind}:\n    seen = True\nassert seen"
    if not want:
        return source
    try:
        ast.parse(source, mode="eval")
        ast.literal_eval(want)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unfit(f"an example has no plain value: {want[:60]!r}") from None
    return f"assert ({source}) == ({want})"
