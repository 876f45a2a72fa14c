"""Small wrong versions of a solution, by which tests are judged: tests that none of them fails say nothing."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

MOST = 24  # tried one after the other until one is noticed: good tests notice one of the first
FEW = 3
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """A wrong version: what was changed, and the whole source."""

    kind: str
    source: str


def stub(names: Sequence[str]) -> str:
    """Functions of these names that do nothing."""
    return "\n\n".join(f"def {name}(*args, **kwargs):\n    return None" for name in names) + "\n"


def mutants(solution: str) -> list[Mutant]:
    """Up to `MOST` mutants that differ from the solution, the kinds by turns; the same for the same source.

    Only where hardly anything else can be changed is a returned value wrapped, which almost every test notices.
    """
    tree = ast.parse(solution)
    found = [list(_of_kind(tree, kind, change)) for kind, change in KINDS.items()]
    chosen = [item for row in range(MOST) for kind in found if row < len(kind) for item in (kind[row],)]
    if len(chosen) < FEW:
        chosen += _of_kind(tree, "return", _wrap)
    plain = ast.unparse(tree)
    different = {item.source: item for item in chosen if item.source != plain}
    return list(different.values())[:MOST]


Change = Callable[[ast.AST], bool]
"""Changes a node in place, and says whether it did."""


def _of_kind(tree: ast.Module, kind: str, change: Change) -> Iterator[Mutant]:
    places = [place for place, node in enumerate(_inner(tree)) if change(copy.deepcopy(node))]
    for place in _spread(places):
        other = copy.deepcopy(tree)
        change(list(_inner(other))[place])
        yield Mutant(kind, ast.unparse(ast.fix_missing_locations(other)))


def _spread(places: Sequence[int]) -> list[int]:
    """At most `MOST`, over the whole function: tests may never reach its beginning, where odd arguments are turned away."""
    count = min(MOST, len(places))
    return [places[len(places) * number // count] for number in range(count)]


def _inner(tree: ast.Module) -> Iterator[ast.AST]:
    """Nodes inside of functions, docstrings left out."""
    for function in tree.body:
        if isinstance(function, (ast.FunctionDef, ast.ClassDef)):
            for node in function.body:
                if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                    yield from ast.walk(node)


def _compare(node: ast.AST) -> bool:
    if not isinstance(node, ast.Compare) or type(node.ops[0]) not in SWAPS:
        return False
    node.ops[0] = SWAPS[type(node.ops[0])]()  # type: ignore[call-overload]
    return True


def _arithmetic(node: ast.AST) -> bool:
    if not isinstance(node, (ast.BinOp, ast.AugAssign)) or type(node.op) not in SWAPS:
        return False
    node.op = SWAPS[type(node.op)]()  # type: ignore[assignment]
    return True


def _logic(node: ast.AST) -> bool:
    if isinstance(node, ast.BoolOp):
        node.op = SWAPS[type(node.op)]()  # type: ignore[assignment]
        return True
    if isinstance(node, (ast.If, ast.IfExp)):
        node.test = ast.UnaryOp(ast.Not(), node.test)
        return True
    return False


def _constant(node: ast.AST) -> bool:
    if not isinstance(node, ast.Constant) or node.value is None or node.value is Ellipsis:
        return False
    if isinstance(node.value, bool):
        node.value = not node.value
    elif isinstance(node.value, (int, float)):
        node.value = node.value + 1
    elif isinstance(node.value, str):
        node.value = node.value + "x"
    else:
        return False
    return True


def _deletion(node: ast.AST) -> bool:
    """A statement that changes something is not done."""
    body = getattr(node, "body", None)
    if not isinstance(node, (ast.For, ast.If, ast.With, ast.While)) or not isinstance(body, list):
        return False
    for place, inner in enumerate(body):
        if isinstance(inner, (ast.AugAssign, ast.Expr)) and not isinstance(node, ast.While):
            body[place] = ast.Pass()
            return True
    return False


def _wrap(node: ast.AST) -> bool:
    if not isinstance(node, ast.Return) or node.value is None:
        return False
    node.value = ast.List([node.value], ast.Load())
    return True


KINDS: dict[str, Change] = {
    "compare": _compare, "arithmetic": _arithmetic, "logic": _logic, "constant": _constant, "deletion": _deletion,
}  # fmt: skip
