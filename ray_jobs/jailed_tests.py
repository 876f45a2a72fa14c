"""The tests of instruction reversal, run in the jail."""

from __future__ import annotations

import weakref

from generator.assertions import Unfit, translated
from generator.jail import Jail, Program


class JailedTests:
    """Runs code against tests; the jail is opened by the first pair that needs it, and closed with this object.

    Raises `SetupError` where there is no jail: nothing is run then, and no pair is called faithful without its tests.
    """

    def __init__(self) -> None:
        self._jail: Jail | None = None

    def __call__(self, code: str, tests: str) -> tuple[bool, str]:
        """Whether the code passes all of the tests, at least one of which has to reach it; and what was seen."""
        try:
            asked, names = translated(tests, code)
        except Unfit as fault:
            return False, str(fault)
        if not names:
            return False, "the tests use nothing of the code"
        ended = self._open().run(Program(code, asked, names))
        passed = ended.kind == "passed" and ended.passed > 0 and ended.calls > 0
        return passed, ended.detail or ended.kind

    def _open(self) -> Jail:
        if self._jail is None:
            self._jail = Jail(parallel=1)
            weakref.finalize(self, self._jail.close)
        return self._jail
