"""Multi-turn dialogue: the teacher plays a learner and a tutor in turns, each speaking from what was said before.

phi-4 (2412.08905, section 2.2 and appendix D): snippets of text and code become conversations of several turns. Each
side is asked separately, so that the learner does not know what the tutor will say.
"""

from __future__ import annotations

from generator.operators.config import DialogueConfig
from generator.operators.play import Draft, Dropped, Play, Setting, fence, tell

SIDES = ("learner", "tutor")


def dialogue(draft: Draft, config: DialogueConfig, setting: Setting) -> Play:
    """The draft is what they talk about. `turns` counts both sides; the learner begins and the tutor ends."""
    said: list[str] = []
    for number in range(config.turns):
        side = SIDES[number % 2]
        left = (config.turns - number - 1) // 2
        values = {"text": fence(draft.text), "history": fence(_script(said, setting)) if said else "",
                  "last": "yes" if left == 0 else ""}  # fmt: skip
        line = _spoken((yield from tell(f"dialogue_{side}", values)), setting)
        if line in said:
            raise Dropped("loop", f"turn {number + 1} says what was said before")
        said.append(line)
    return draft.become(_script(said, setting), f"dialogue:{config.turns}")


def _script(said: list[str], setting: Setting) -> str:
    return "\n\n".join(setting.page(SIDES[number % 2], {"line": line}) for number, line in enumerate(said))


def _spoken(line: str, setting: Setting) -> str:
    """What was said, without the name of the one who says it."""
    for side in SIDES:
        line = line.removeprefix(setting.page(side, {"line": ""}).strip()).strip()
    if not line:
        raise Dropped("empty", "a turn without words")
    return line
