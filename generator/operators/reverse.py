"""Instruction reversal: from code to the instruction that it answers, and back, to see that the instruction says it all.

phi-4 (2412.08905, section 2.2): instructions are made from existing code, and a pair is kept only where code that is
written anew from the instruction is highly faithful to the original.
"""

from __future__ import annotations

import ast
import re

from generator.operators.config import ReverseConfig
from generator.operators.fidelity import difference, likeness, parsed
from generator.operators.play import Draft, Dropped, Play, Setting, fence, tell

BLOCK = re.compile(r"^```[ \t]*(?:python|py)?[ \t]*\n(.*?)^```[ \t]*$", re.S | re.M | re.I)
TOLD_SHARE = 0.2  # of the code's longer lines standing in the instruction: then it is no instruction but the code
TELLING = 12  # characters of a line that does not stand in two texts by chance


def reverse(draft: Draft, config: ReverseConfig, setting: Setting) -> Play:
    """The draft holds code, in its first fenced block or as a whole, and perhaps tests in a later block."""
    code, tests = taken_apart(draft.text)
    tree = parsed(code)
    if tree is None or not (names := defined(tree)):
        raise Dropped("no_code", "no Python that defines a function or a class")
    instruction = yield from tell("reverse_instruction", {"code": fence(code), "names": names})
    if (share := told_share(code, instruction)) > TOLD_SHARE:
        raise Dropped("code_in_instruction", f"{share:.2f} of the code's lines stand in it")
    answer = yield from tell("reverse_code", {"instruction": fence(instruction), "names": names})
    again = taken_apart(answer)[0]
    step = faithful(code, again, tests, config, setting)
    kept = code if config.keep == "original" else again
    values = {"instruction": instruction, "code": kept.strip(), "tests": tests.strip()}
    page = setting.page("reverse_with_tests" if tests.strip() else "reverse", values)
    return draft.become(page, step, quotes=bool(draft.seed))


def taken_apart(text: str) -> tuple[str, str]:
    """Code and tests of a text: its first fenced block, and the first later one that asserts; else the text itself."""
    blocks = [found.group(1) for found in BLOCK.finditer(text)]
    if not blocks:
        return text, ""
    return blocks[0], next((block for block in blocks[1:] if "assert" in block), "")


def defined(tree: ast.Module) -> list[str]:
    """Names of the functions and classes at the top of a program."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node.name for node in tree.body if isinstance(node, kinds)]


def told_share(code: str, instruction: str) -> float:
    """Share of the code's longer lines that stand in the instruction."""
    lines = [line.strip() for line in code.split("\n") if len(line.strip()) >= TELLING]
    return sum(line in instruction for line in lines) / len(lines) if lines else 0.0


def faithful(code: str, again: str, tests: str, config: ReverseConfig, setting: Setting) -> str:
    """What proves that the two programs do the same, for the lineage. Drops a pair that nothing proves."""
    first, second = parsed(code), parsed(again)
    if first is None or second is None:
        raise Dropped("no_code", "what was written from the instruction is not Python")
    if tests.strip() and setting.run_tests is not None:
        passed, seen = setting.run_tests(again, tests)
        if not passed:
            raise Dropped("not_faithful", f"the original's tests: {seen}")
        return "reverse:tests"
    share = likeness(first, second)
    if share < config.likeness:
        raise Dropped("not_faithful", f"the syntax trees are {share:.2f} alike, wanted are {config.likeness:.2f}")
    if different := difference(first, second):
        raise Dropped("not_faithful", f"constants, operators and calls differ: {different}")
    return f"reverse:likeness={share:.2f}"
