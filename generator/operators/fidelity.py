"""Whether two programs are the same one written twice, judged by their syntax trees where no tests can say.

Names, docstrings, comments, annotations and layout count for nothing. What is left is compared in two ways: the order
of all nodes, as a share, and the constants, operators and names that are called or read, which have to be the same:
one changed sign leaves the shape of a program as it was.
"""

from __future__ import annotations

import ast
from collections import Counter
from difflib import SequenceMatcher

LIMIT = 200_000  # characters of a program


def parsed(code: str) -> ast.Module | None:
    """The syntax tree of Python code; None when it is none. Nothing is run."""
    if len(code) > LIMIT:
        return None
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def likeness(first: ast.Module, second: ast.Module) -> float:
    """Share of the normalised nodes that two programs have in common, in order: 1 for the same program renamed."""
    ours, theirs = nodes_of(first), nodes_of(second)
    return SequenceMatcher(None, ours, theirs, autojunk=False).ratio()


def difference(first: ast.Module, second: ast.Module) -> str:
    """Constants, operators and foreign names that only one of two programs has; empty when there are none."""
    ours, theirs = facts_of(first), facts_of(second)
    gone, come = sorted((ours - theirs).elements()), sorted((theirs - ours).elements())
    return " ".join([*(f"-{item}" for item in gone), *(f"+{item}" for item in come)])[:200]


def nodes_of(tree: ast.Module) -> list[str]:
    """Kinds of nodes in reading order, names as numbers in the order of their first use."""
    return list(_Reader().read(tree))


def facts_of(tree: ast.Module) -> Counter[str]:
    """How often each constant, operator, attribute and name that the program does not bind itself is in it."""
    bound, facts = _bound(tree), Counter[str]()
    for node in _meant(tree):
        if isinstance(node, ast.Constant):
            facts[repr(node.value)] += 1
        elif isinstance(node, (ast.operator, ast.unaryop, ast.cmpop, ast.boolop)):
            facts[type(node).__name__] += 1
        elif isinstance(node, ast.Attribute):
            facts[f".{node.attr}"] += 1
        elif isinstance(node, ast.Name) and node.id not in bound:
            facts[node.id] += 1
    return facts


class _Reader:
    def __init__(self) -> None:
        self._names: dict[str, int] = {}

    def read(self, tree: ast.Module) -> list[str]:
        bound = _bound(tree)
        return [self._said(node, bound) for node in _meant(tree) if not isinstance(node, ast.expr_context)]

    def _said(self, node: ast.AST, bound: set[str]) -> str:
        kind, name = type(node).__name__, getattr(node, "id", None) or getattr(node, "arg", None)
        if isinstance(node, ast.Constant):
            return f"{kind} {node.value!r}"
        if isinstance(node, ast.Attribute):
            return f"{kind} {node.attr}"
        if isinstance(name, str):
            number = self._names.setdefault(name, len(self._names)) if name in bound else name
            return f"{kind} {number}"
        return kind


def _bound(tree: ast.Module) -> set[str]:
    """Names that the program gives: variables, parameters, functions and classes."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return names | {node.name for node in ast.walk(tree) if isinstance(node, defined)}


def _meant(node: ast.AST) -> list[ast.AST]:
    """All nodes below, in reading order, without docstrings and annotations."""
    found: list[ast.AST] = [node]
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_comment"):
            continue
        children = value if isinstance(value, list) else [value]
        if name == "body" and children and _is_docstring(children[0]):
            children = children[1:]
        for child in children:
            if isinstance(child, ast.AST):
                found += _meant(child)
    return found


def _is_docstring(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
