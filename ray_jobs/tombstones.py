"""What was taken down stays away: the orders of `hornbook forget`, by id and without any text.

An order is committed before anything is removed, so that a forgetting that was killed is known and can be completed,
and so that a forgotten slot is never asked again and a forgotten seed never rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import orjson

from corpus.errors import IncompleteError
from corpus.store import Store
from generator.plan import Slot
from prompts.seeds import Seed

FOLDER, DONE = "forgotten", ".done"


@dataclass(frozen=True, slots=True)
class Order:
    """Documents (ids), slots (ids) and request keys to forget; `seeds` keep the plan of all other slots as it was."""

    documents: tuple[str, ...]
    slots: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    seeds: tuple[tuple[str, str, str], ...] = ()  # id, language, source

    def to_bytes(self) -> bytes:
        """As it is committed."""
        return orjson.dumps(asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Order:
        """As it was committed."""
        found = orjson.loads(data)
        return cls(
            tuple(found["documents"]), tuple(found["slots"]), tuple(found["requests"]),
            tuple((name, language, source) for name, language, source in found["seeds"]),
        )  # fmt: skip


def orders(folder: Store) -> dict[str, Order]:
    """Every order of a run by its name, done or not."""
    place = folder.child(FOLDER)
    return {name: Order.from_bytes(place.read(name)) for name in place.names() if name.endswith(".json")}


def open_orders(folder: Store) -> dict[str, Order]:
    """Orders that are not carried out to their end."""
    place = folder.child(FOLDER)
    return {name: order for name, order in orders(folder).items() if not place.exists(name + DONE)}


def check_whole(folder: Store) -> None:
    """Raises `IncompleteError` while a takedown is not finished: nobody may use or publish a run half forgotten."""
    if open_orders(folder):
        raise IncompleteError(
            f"{folder.url}: a takedown was begun and not finished", hint="`hornbook forget RECIPE` completes it"
        )


def forgotten_slots(folder: Store, slots: Iterable[Slot] = ()) -> frozenset[str]:
    """Ids of slots that are never asked again: those that orders name, and those that rewrite a forgotten document."""
    found = orders(folder).values()
    named = {slot for order in found for slot in order.slots}
    gone = {document for order in found for document in order.documents}
    return frozenset(named | {slot.id for slot in slots if gone.intersection(slot.seed_ids)})


def forgotten_documents(folder: Store) -> frozenset[str]:
    """Ids of documents that are never read again."""
    return frozenset(document for order in orders(folder).values() for document in order.documents)


def forgotten_seeds(folder: Store) -> list[Seed]:
    """Seeds that were taken down, without their text: the plan counts them, and no slot of theirs is asked."""
    found = {seed for order in orders(folder).values() for seed in order.seeds}
    return [Seed(name, "", language, "", source) for name, language, source in sorted(found)]
