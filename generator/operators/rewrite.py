"""Rewrite and augment: a passage becomes an exercise, the exercise a discussion, the discussion a reasoned solution.

phi-4 (2412.08905, section 2.2): useful passages are turned into exercises, discussions or structured reasoning tasks
by workflows of several steps.
"""

from __future__ import annotations

from generator.operators.config import RewriteConfig
from generator.operators.play import Draft, Play, Setting, fence, tell


def rewrite(draft: Draft, config: RewriteConfig, setting: Setting) -> Play:
    """The draft is the passage; the document holds the exercise, the discussion where it is wanted, and the solution."""
    exercise = yield from tell("rewrite_exercise", {"text": fence(draft.text)})
    discussion = yield from tell("rewrite_discussion", {"text": fence(draft.text), "exercise": fence(exercise)})
    told = {"exercise": fence(exercise), "discussion": fence(discussion)}
    solution = yield from tell("rewrite_solution", {**told, "rubric": list(setting.library.rubric("reasoning"))})
    values = {"exercise": exercise, "discussion": discussion, "solution": solution}
    name = "rewrite_with_discussion" if config.discussion else "rewrite"
    return draft.become(setting.page(name, values), "rewrite:exercise:discussion:solution")
