"""The small language of tests: what may stand in them, and how they become what the tester of the jail runs.

Tests come from the same hand as the solution, so they are not trusted either. They may compare, loop, define functions and
import a few pure modules; they may not touch underscored names, frames, attributes of code, classes or files. Whoever
cannot name the harness cannot forge its word.
"""

from __future__ import annotations

import ast

NODES = (
    ast.Module, ast.Expr, ast.Assert, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.For, ast.If, ast.Try, ast.ExceptHandler,
    ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Pass, ast.Break, ast.Continue, ast.Import, ast.ImportFrom,
    ast.alias, ast.Raise, ast.Delete, ast.Lambda, ast.comprehension, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.GeneratorExp, ast.Name, ast.Constant, ast.Call, ast.keyword, ast.Attribute, ast.Subscript, ast.Slice, ast.Starred,
    ast.List, ast.Tuple, ast.Set, ast.Dict, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.JoinedStr,
    ast.FormattedValue, ast.NamedExpr, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context,
)  # fmt: skip
MODULES = frozenset(
    ("bisect", "cmath", "collections", "copy", "datetime", "decimal", "fractions", "functools", "heapq", "itertools",
     "json", "math", "re", "statistics", "string")
)  # fmt: skip  # what `jail_guest.OPEN` opens
HIDDEN = ("_", "gi_", "cr_", "ag_", "f_", "tb_", "co_", "func_")  # attributes that lead from data to code
LIMIT = 64 << 10  # characters; the tests of an exercise are a hundredth of that


class Unfit(Exception):
    """Tests or a solution that cannot be judged here, and why in one line."""


def translated(tests: str, solution: str) -> tuple[str, tuple[str, ...]]:
    """The tests as the tester runs them, and the names of the solution that they use. Raises `Unfit`."""
    tree, theirs = parsed(tests, "the tests"), defined(parsed(solution, "the solution"))
    tree.body = [inner for node in tree.body for inner in (node.body if _is_main(node) else [node])]  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        _check(node)
    uncalled = _uncalled_tests(tree)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    own = defined(tree)
    tree = ast.fix_missing_locations(_Counted().visit(tree))
    source = "\n".join([ast.unparse(tree), *(f"{name}()" for name in uncalled)])
    return source, tuple(sorted(used & theirs - own))


def parsed(source: str, what: str) -> ast.Module:
    """The tree of a source. Raises `Unfit` where it is none."""
    if len(source) > LIMIT:
        raise Unfit(f"{what}: {len(source):,} characters")
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Unfit(f"{what}: {type(error).__name__}: {str(error)[:120]}") from None


def defined(tree: ast.Module) -> set[str]:
    """Names that a module binds at its top level."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.For)):
            names |= {
                item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
            }
    return names


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and not node.orelse and ast.unparse(node.test) in (
        "__name__ == '__main__'", "'__main__' == __name__",
    )  # fmt: skip


def _check(node: ast.AST) -> None:
    if not isinstance(node, NODES):
        raise Unfit(f"tests may hold no {type(node).__name__}")
    names = [getattr(node, field, None) for field in ("id", "name", "arg", "asname")]
    if any(isinstance(name, str) and name.startswith("_") and name != "_" for name in names):
        raise Unfit(f"tests may not use the name {next(name for name in names if name)[:40]}")
    if isinstance(node, ast.Attribute) and node.attr.startswith(HIDDEN):
        raise Unfit(f"tests may not use the attribute {node.attr[:40]}")
    if isinstance(node, ast.FunctionDef) and node.decorator_list:
        raise Unfit("tests may hold no decorators")
    if isinstance(node, ast.ExceptHandler) and node.type is None:
        raise Unfit("tests name the exceptions that they expect")
    if isinstance(node, ast.Import) and any(alias.name not in MODULES for alias in node.names):
        raise Unfit(f"tests may not import {node.names[0].name[:40]}")
    if isinstance(node, ast.ImportFrom) and (node.level or node.module not in MODULES or node.names[0].name == "*"):
        raise Unfit(f"tests may not import from {str(node.module)[:40]}")


def _uncalled_tests(tree: ast.Module) -> list[str]:
    """Functions `test_…` without arguments that nothing calls, as pytest would run them."""
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test")
        and node.name not in called
        and not node.args.args
    ]


class _Counted(ast.NodeTransformer):
    """Assertions become calls that count, and show what was compared."""

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        test, line = node.test, ast.Constant(node.lineno)
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
            call = ast.Call(ast.Name("_equal", ast.Load()), [test.left, test.comparators[0], line], [])
        else:
            call = ast.Call(ast.Name("_check", ast.Load()), [test, line], [])
        return ast.copy_location(ast.Expr(call), node)
