"""The play of one attempt: the form's own text, then the recipe's operators on it, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from generator.operators.config import OperatorConfig
from generator.operators.deduce import deduce
from generator.operators.dialogue import dialogue
from generator.operators.play import WRITE, Draft, Play, Setting, read
from generator.operators.plurality import plurality
from generator.operators.reverse import reverse
from generator.operators.revise import revise
from generator.operators.rewrite import rewrite
from prompts.form import Form

OPERATORS: dict[str, Callable[[Draft, Any, Setting], Play]] = {
    "revise": revise,
    "reverse": reverse,
    "plurality": plurality,
    "deduce": deduce,
    "rewrite": rewrite,
    "dialogue": dialogue,
}


def operators_for(form: Form, operators: Sequence[OperatorConfig]) -> list[OperatorConfig]:
    """Those of the recipe that work on a form, in the recipe's order."""
    return [entry for entry in operators if entry.suits(form.id, form.needs)]


def play(setting: Setting, operators: Sequence[OperatorConfig], seed: str = "") -> Play:
    """Everything that is asked in an attempt. `seed` is the document that a form without a template begins with."""
    draft = (yield from write(setting)) if setting.form.template else Draft(seed, seed=seed)
    for entry in operators_for(setting.form, operators):
        draft = yield from OPERATORS[entry.name](draft, getattr(entry, entry.name), setting)
    return draft


def write(setting: Setting) -> Play:
    """The form's own text: the reply, or what the form makes of its fields where it declares a schema."""
    structure = setting.form.structure
    if structure is None:
        (answer,) = yield [WRITE]
        return Draft(answer.text)
    value = yield from read(WRITE, structure.shape)
    return Draft(structure.text(value), ("schema",))
