"""A memory of a fixed size: what was used longest ago is dropped first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Bounded(Generic[Key, Value]):
    """Remembers at most `size` values."""

    def __init__(self, size: int) -> None:
        self._size, self._held = size, OrderedDict[Key, Value]()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The remembered value, else what `make` gives, remembered from now."""
        if key not in self._held:
            self._held[key] = make()
            if len(self._held) > self._size:
                self._held.popitem(last=False)
        self._held.move_to_end(key)
        return self._held[key]
