"""Verified code in a run: the jail is proven before a token is spent, and each verdict outlives the run."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

import pyarrow as pa

from corpus.errors import SetupError
from corpus.journal import JournalWriter, read_journal
from corpus.manifest import Manifest, table_of
from corpus.store import Store
from generator.jail import HINT, Jail
from generator.jail_proof import prove
from generator.verification import PAIR, Kinds, Stored, Verifying, exercise_kinds, verdict_of
from generator.verify_code import Verdict
from ray_jobs.planning import Plan
from ray_jobs.talk import Talk

VERDICTS = "verdicts"
SCHEMA = pa.schema(
    [("id", pa.string()), ("reason", pa.string()), ("detail", pa.string()), ("programs", pa.int32()),
     ("mutant", pa.string()), ("unverified", pa.bool_())]
)  # fmt: skip


def kinds_of(plan: Plan) -> Kinds:
    """Forms whose texts are run; none where the recipe verifies nothing."""
    config = plan.recipe.generate
    if config is None or config.verify == "none":
        return {}
    return exercise_kinds(plan.library, config.languages)


def stored(plan: Plan, verdicts: Mapping[str, Verdict]) -> Stored | None:
    """The verdicts of a finished run; None where none were asked for."""
    return Stored(kinds_of(plan), verdicts) if plan.recipe.generate and plan.recipe.generate.verify != "none" else None


@contextmanager
def verifying(plan: Plan, store: Store, talk: Talk) -> Iterator[Verifying | None]:
    """The verification of a run; None where the recipe wants none. Raises `SetupError` where it wants a jail in vain."""
    if not plan.recipe.generate or plan.recipe.generate.verify == "none":
        yield None
        return
    jail = proven_jail(talk, needed=plan.recipe.generate.verify == "code")
    folder = store.child(VERDICTS)
    before = dict(verdict_of(record) for record in read_journal(folder))
    journal = JournalWriter(folder, f"v{uuid.uuid4().hex[:12]}")

    def keep(record: dict[str, object]) -> None:
        journal.append(record)
        journal.sync()

    made = Verifying(kinds_of(plan), before, jail.run if jail else None, jail.parallel if jail else 1, keep)
    try:
        yield made
    finally:
        made.close()
        journal.close()
        if jail:
            jail.close()


def proven_jail(talk: Talk, *, needed: bool) -> Jail | None:
    """A jail that passes every probe; None where there is none and none is needed."""
    try:
        return _proven()
    except SetupError as error:
        if needed:
            raise
        talk.say(f"generate   code is not run and marked unverified: {error}")
        return None


def _proven() -> Jail:
    jail = Jail()
    try:
        open_ = [proof for proof in prove(jail) if not proof.good]
    except SetupError:
        jail.close()
        raise
    if open_:
        jail.close()
        raise SetupError(f"the jail does not hold: {open_[0].what} ({open_[0].seen[:200]})", hint=HINT)
    return jail


def verdicts_table(found: Mapping[str, Verdict], judged: Collection[str]) -> pa.Table:
    """Verdicts as they are published with the replies, by id; of documents only those of `judged`."""
    rows = [
        {"id": name, "reason": item.reason, "detail": item.detail, "programs": item.programs, "mutant": item.mutant,
         "unverified": item.unverified}
        for name, item in sorted(found.items())
        if name in judged or name.startswith(PAIR)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def published(store: Store, manifest: Manifest) -> dict[str, Verdict]:
    """The verdicts that a finished `generate` holds."""
    if not manifest.of(VERDICTS):
        return {}
    return dict(verdict_of(row) for row in table_of(store, manifest, VERDICTS).to_pylist())
