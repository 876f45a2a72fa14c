"""Real functions of the standard library as exercises: their source, and values recorded by calling them."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import random
import re
from collections.abc import Iterator

from tests.fakes.exercises import Function

MODULES = (
    "bisect", "calendar", "cmd", "collections", "colorsys", "copy", "difflib", "email.utils", "fnmatch", "fractions",
    "functools", "glob", "heapq", "html", "keyword", "locale", "mimetypes", "netrc", "nturl2path", "ntpath", "numbers",
    "operator", "pipes", "posixpath", "pprint", "quopri", "random", "reprlib", "shlex", "statistics", "string", "stringprep",
    "textwrap", "token", "tokenize", "types", "urllib.parse", "base64", "binascii", "gettext", "imghdr", "json.decoder",
    "sre_parse", "stat", "uu", "wave", "xml.sax.saxutils", "zipfile", "graphlib", "imaplib", "http.cookies", "ipaddress",
    "email.quoprimime", "email.base64mime", "email.header", "encodings.punycode", "encodings.idna", "genericpath", "opcode",
    "turtle", "lib2to3.fixer_util", "distutils.util", "distutils.version", "optparse", "argparse", "cgi", "smtplib",
)  # fmt: skip
TEXTS = ("''", "'a'", "'Level'", "'one two three'", "'a/b.txt'", "'x=1&y=2'", "'3,1,2'", "'  pad'", "'10.0.0.1'")
NUMBERS = ("0", "1", "-3", "7", "12", "100", "0.5")
LISTS = ("[]", "[3, 1, 2]", "['b', 'a']", "[1, 1, 2]", "[0.5, 2.5]")
POOL = (*TEXTS, *NUMBERS, *LISTS)
TRIED, WANTED = 120, 3  # calls tried for a function, and values that an exercise needs
ADDRESS = re.compile(r"id=\d{6,}|0x[0-9a-f]{6,}")  # of an object: the same here, another one in the jail
FORBIDDEN = {
    "os",
    "sys",
    "time",
    "open",
    "socket",
    "random",
    "locale",
    "warnings",
    "_sys",
    "_os",
    "self",
    "input",
    "exec",
}


def functions(most: int, seed: int = 7) -> list[Function]:
    """Up to `most` functions that stand alone, each with values that differ, and are the same when called again."""
    found: dict[str, Function] = {}
    for name, source in _sources():
        if len(found) < most and name not in found and (made := _recorded(name, source, seed)):
            found[name] = made
    return list(found.values())


def _sources() -> Iterator[tuple[str, str]]:
    """Functions of modules, with those of their module that they call; a method without `self` counts too."""
    for module_name in MODULES:
        try:
            module = importlib.import_module(module_name)
            tree = ast.parse(inspect.getsource(module))
        except (ImportError, OSError, TypeError, SyntaxError):
            continue
        own = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        plain = {
            target.id: node for node in tree.body if isinstance(node, ast.Assign) for target in node.targets
            if isinstance(target, ast.Name)
        }  # fmt: skip
        imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom)) and _is_pure(node)]
        for name, node in own.items():
            if text := _alone(name, node, {**plain, **own}, imports):
                public = name.strip("_")  # tests may use no underscored name
                yield public, re.sub(rf"\b{name}\b", public, text)


def _is_pure(node: ast.Import | ast.ImportFrom) -> bool:
    names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    return all(
        name in {"re", "math", "string", "itertools", "operator", "collections", "functools", "bisect"}
        for name in names
    )


def _alone(name: str, node: ast.FunctionDef, known: dict[str, ast.stmt], imports: list[ast.stmt]) -> str:
    """The source of a function with everything of its module that it needs; empty where that is not a little."""
    needed: dict[str, ast.stmt] = {}
    open_: list[ast.stmt] = [node]
    while open_:
        current = open_.pop()
        used = {item.id for item in ast.walk(current) if isinstance(item, ast.Name)}
        if used & FORBIDDEN or (isinstance(current, ast.FunctionDef) and current.decorator_list):
            return ""
        for other in sorted(used & known.keys() - needed.keys() - {name}):
            needed[other] = known[other]
            open_.append(known[other])
    if len(needed) > 6 or name.startswith("__") or not node.args.args:
        return ""
    order = sorted({id(item): item for item in (*needed.values(), node)}.values(), key=lambda item: item.lineno)
    return "\n".join(ast.unparse(item) for item in (*imports, *order)) + "\n"


def _recorded(name: str, source: str, seed: int) -> Function | None:
    """The function with three calls whose values are plain, differ, and come again."""
    space: dict[str, object] = {"__name__": "solution"}
    try:
        exec(compile(source, name, "exec"), space)
        target = space[name]
        least = sum(1 for item in inspect.signature(target).parameters.values() if item.default is item.empty)  # type: ignore[arg-type]
    except Exception:
        return None
    draw, values = random.Random(f"{seed} {name}"), {}
    calls = list(itertools.product(POOL, repeat=least)) if least <= 3 else []
    for given in draw.sample(calls, min(TRIED, len(calls))):
        call = ", ".join(given)
        value, again = _value(target, call), _value(target, call)
        # A value that is one of the arguments tells a function from doing nothing, and from nothing else.
        if value and value == again and value not in values.values() and value not in map(_plain, given):
            values[call] = value
    return Function(name, source, tuple(list(values)[:WANTED])) if len(values) >= WANTED else None


def _plain(argument: str) -> str:
    return repr(ast.literal_eval(argument))


def _value(target: object, call: str) -> str:
    """The value as text, empty where there is none that a test can hold."""
    try:
        given = ast.literal_eval(f"[{call}]")
        before = repr(given)
        value = target(*given)  # type: ignore[operator]
        text = repr(value)
        same = ast.literal_eval(text) == value and repr(given) == before and value is not None
    except (Exception, SystemExit):
        return ""
    return text if same and len(text) < 300 and not ADDRESS.search(text) else ""
