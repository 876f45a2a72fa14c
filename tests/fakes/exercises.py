"""Exercises with tests, made of functions whose values are recorded, and what can be wrong with each."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from generator.exercise import Kind

TESTED = '''Write a function that doubles a number. It is given a number and returns twice as much.

```python
def double(number: int) -> int:
    """Twice the number."""
    return number * 2
```

```python
assert double(2) == 4
assert double(0) == 0
assert double(-3) == -6
```
'''
EXAMPLES = '''Complete the function.

```python
def double(number: int) -> int:
    """Twice the number.

    >>> double(2)
    4
    >>> double("a")
    'aa'
    """
    return number * 2
```

It adds nothing.
'''


@dataclass(frozen=True)
class Function:
    """A pure function with arguments to record its values for."""

    name: str
    source: str
    arguments: tuple[str, ...]

    def values(self) -> list[str]:
        """The value for each list of arguments, as Python text. Only for functions that are known here."""
        space: dict[str, list[object]] = {}
        exec(compile(self.source, self.name, "exec"), space)
        calls = ", ".join(f"{self.name}({given})" for given in self.arguments)
        exec(f"values = [{calls}]", space)
        return [repr(value) for value in space["values"]]


@dataclass(frozen=True)
class Planted:
    """A text, the defect put into it (none when empty), and the reasons that may be given for it."""

    name: str
    text: str
    defect: str
    expected: tuple[str, ...]
    kind: Kind = "tests"


GOOD = (
    Function(
        "running_total",
        "def running_total(items):\n    out, total = [], 0\n    for item in items:\n        total += item\n        out.append(total)\n    return out\n",
        ("[]", "[1, 2, 3]", "[-1, 1]"),
    ),
    Function(
        "is_palindrome",
        "def is_palindrome(text):\n    plain = [c.lower() for c in text if c.isalnum()]\n    return plain == plain[::-1]\n",
        ("''", "'Level'", "'lever'"),
    ),
    Function(
        "letter_counts",
        "def letter_counts(text):\n    counts = {}\n    for letter in text:\n        counts[letter] = counts.get(letter, 0) + 1\n    return counts\n",
        ("''", "'abca'"),
    ),
    Function(
        "greatest_divisor",
        "def greatest_divisor(a, b):\n    while b:\n        a, b = b, a % b\n    return a\n",
        ("12, 18", "7, 3", "0, 5"),
    ),
)


def text_of(function: Function, solution: str, tests: str) -> str:
    """The reply that a teacher would give."""
    task = f"Write the function `{function.name}`. It returns the value for its arguments and holds for empty input."
    return f"{task}\n\n```python\n{solution}```\n\n```python\n{tests}```\n"


def tests_of(function: Function) -> str:
    """Assertions of the recorded values."""
    pairs = zip(function.arguments, function.values(), strict=True)
    return "".join(f"assert {function.name}({given}) == {value}\n" for given, value in pairs)


def planted(functions: Sequence[Function]) -> list[Planted]:
    """Each function as it is, and with each defect."""
    return [item for function in functions for item in _variants(function)]


def _variants(function: Function) -> list[Planted]:
    name, good, tests = function.name, function.source, tests_of(function)
    wrong = good + f"\n_right = {name}\n\n\ndef {name}(*given):\n    return [_right(*given), 'wrong']\n"
    flaky = "import os\n\n" + good + (
        f"\n_right = {name}\n\n\ndef {name}(*given):\n"
        "    return 'flaky' if os.urandom(1)[0] > 40 else _right(*given)\n"
    )  # fmt: skip
    ordered = good + (  # right where a set of words has one order, which the seed of the hashes decides
        f"\n_right = {name}\n\n\ndef {name}(*given):\n"
        f"    return _right(*given) if list({{'red', 'green', 'blue'}})[0] == {FIRST!r} else 'flaky'\n"
    )  # fmt: skip
    vacuous = "".join(f"{name}({given})\nassert isinstance({given or 0!r}, str)\n" for given in function.arguments)
    return [
        Planted(name, text_of(function, good, tests), "", ("",)),
        Planted(name, text_of(function, wrong, tests), "wrong", ("code.fails",)),
        Planted(name, text_of(function, good, vacuous), "vacuous", ("code.vacuous_tests",)),
        Planted(name, text_of(function, flaky, tests), "flaky", ("code.flaky", "code.fails")),
        Planted(f"{name}.order", text_of(function, ordered, tests), "flaky", ("code.flaky",)),
        *(
            Planted(f"{name}.{kind}", text_of(function, body.format(name=name), tests), "forger", FORGED)
            for kind, body in FORGERS.items()
        ),
    ]


FIRST = "red"  # of the three colours with the seeds 0 and 1 of CPython's string hash; with 2 it is blue
FORGED = ("code.forged", "code.fails", "code.unsupported")
FORGERS = {
    "exit": "import os\n\n\ndef {name}(*given):\n    os._exit(0)\n",
    "quit": "def {name}(*given):\n    raise SystemExit(0)\n",
    "equal": textwrap.dedent(
        """\
        class Same:
            def __eq__(self, other):
                return True


        def {name}(*given):
            return Same()
        """
    ),
    "pipe": textwrap.dedent(
        """\
        import os

        for handle in range(3, 64):
            try:
                os.write(handle, b'\\x00\\x00\\x00\\x18["value", 1, [null, 1]]  ')
            except OSError:
                pass


        def {name}(*given):
            return 1.5
        """
    ),
}
assert all(ast.parse(body.format(name="f")) for body in FORGERS.values())
