"""Verdicts on exercises while the teacher writes: run beside the asking, kept in a journal, never asked for twice.

A verdict is stored by the id of its document, so that a resumed run and a replay know it and run no code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict
from typing import Any, Protocol

from corpus.document import Document
from corpus.errors import SetupError, StateError
from corpus.ids import digest
from generator.assertions import Unfit, translated
from generator.exercise import Kind
from generator.jail import Program
from generator.verify_code import Run, Verdict, verify_text
from prompts.library import Library

Kinds = Mapping[tuple[str, str], Kind]
"""By (language, form): forms that hold an exercise, and where its tests stand."""
PAIR = "pair:"  # begins the id of a verdict on code and tests that are no document yet
UNVERIFIED = Verdict("", "there is no jail on this machine", unverified=True)
"""Of a text whose code was not run, where the recipe allows that."""


class Verification(Protocol):
    """What the book asks of verdicts."""

    verdicts: dict[str, Verdict]
    """All that were found, by id of the document, or by `PAIR` and a digest of code and tests."""

    def wants(self, document: Document) -> bool:
        """Whether a document holds an exercise."""
        ...

    def known(self, document: Document) -> Verdict | None:
        """The verdict where there is one already."""
        ...

    def submit(self, document: Document) -> None:
        """Begin to find the verdict."""
        ...

    def take(self, *, wait: bool) -> Iterable[tuple[str, Verdict]]:
        """(document id, verdict) of those submitted and done since; with `wait` at least one, if any is out."""
        ...


def exercise_kinds(library: Library, languages: Iterable[str]) -> Kinds:
    """The forms of a library that say that they hold an exercise."""
    return {
        (language, form.id): form.exercise
        for language in languages
        for form in library.of(language).forms.values()
        if form.exercise
    }


class Stored:
    """Verdicts that were found once, and no way to find more: no code is run."""

    def __init__(self, kinds: Kinds, verdicts: Mapping[str, Verdict]) -> None:
        self._kinds, self.verdicts = kinds, dict(verdicts)

    def wants(self, document: Document) -> bool:
        """See `Verification`."""
        return (document.language, document.form) in self._kinds

    def known(self, document: Document) -> Verdict | None:
        """See `Verification`."""
        return self._found(document.id)

    def submit(self, document: Document) -> None:
        """Raises `StateError`: what is not stored is not known."""
        raise StateError(f"no verdict is stored for the exercise {document.id}")

    def take(self, *, wait: bool) -> list[tuple[str, Verdict]]:
        """See `Verification`."""
        return []

    def run_tests(self, code: str, tests: str) -> tuple[bool, str]:
        """What running showed then."""
        if (verdict := self.verdicts.get(_pair(code, tests))) is None:
            raise StateError("a verdict on code and tests is not stored")
        return not verdict.reason, verdict.detail

    def _found(self, name: str) -> Verdict | None:
        return self.verdicts.get(name)


class Verifying(Stored):
    """Finds verdicts in threads, each of which waits for a jail. What is stored is not run again."""

    def __init__(
        self, kinds: Kinds, verdicts: Mapping[str, Verdict], run: Run | None, parallel: int,
        keep: Callable[[dict[str, Any]], object] = lambda record: None,
    ) -> None:  # fmt: skip
        """`run` is None without a jail: then everything is marked unverified. `keep` gets each verdict's record."""
        super().__init__(kinds, verdicts)
        self._run, self._keep = run, keep
        self._pool = ThreadPoolExecutor(parallel, "verify")
        self._out: dict[Future[Verdict], str] = {}

    def known(self, document: Document) -> Verdict | None:
        """See `Verification`."""
        return self._noted(document.id, UNVERIFIED) if self._run is None else self._found(document.id)

    def submit(self, document: Document) -> None:
        """See `Verification`."""
        assert self._run is not None
        kind = self._kinds[document.language, document.form]
        self._out[self._pool.submit(verify_text, document.text, kind, self._run)] = document.id

    def take(self, *, wait: bool) -> list[tuple[str, Verdict]]:
        """See `Verification`. Raises `SetupError` where a jail could not be set up any more."""
        return list(self._done(wait))

    def _done(self, waiting: bool) -> Iterator[tuple[str, Verdict]]:
        if not self._out:
            return
        done = wait(self._out, None if waiting else 0, return_when=FIRST_COMPLETED).done
        for future in sorted(done, key=self._out.__getitem__):
            name = self._out.pop(future)
            yield name, self._noted(name, future.result())

    def run_tests(self, code: str, tests: str) -> tuple[bool, str]:
        """Whether code passes tests, and what was seen. Raises `SetupError` without a jail."""
        name = _pair(code, tests)
        if name not in self.verdicts:
            self._noted(name, self._once(code, tests))
        return super().run_tests(code, tests)

    def _once(self, code: str, tests: str) -> Verdict:
        if self._run is None:
            raise SetupError("the operators of this recipe run code, and there is no jail", hint="hornbook doctor")
        try:
            source, names = translated(tests, code)
        except Unfit as fault:
            return Verdict("code.unsupported", str(fault))
        ended = self._run(Program(code, source, names), None)
        passed = ended.kind == "passed" and ended.passed > 0
        return Verdict("" if passed else "code.fails", ended.detail, 1)

    def _noted(self, name: str, verdict: Verdict) -> Verdict:
        self.verdicts[name] = verdict
        self._keep({"id": name, **asdict(verdict)})
        return verdict

    def close(self) -> None:
        """Give up what is still out."""
        self._pool.shutdown(cancel_futures=True)


def verdict_of(record: Mapping[str, Any]) -> tuple[str, Verdict]:
    """(id, verdict) of a record that was kept."""
    return record["id"], Verdict(**{name: value for name, value in record.items() if name != "id"})


def _pair(code: str, tests: str) -> str:
    return PAIR + digest(code, tests)
