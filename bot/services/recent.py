"""A mapping of bounded size."""

from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Keeps the entries that were used last, `limit` at most. For what can be found out again, or is no longer needed.

    An entry is used when it is set and when it is read.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __setitem__(self, key: Key, value: Value) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        while len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def items(self) -> tuple[tuple[Key, Value], ...]:
        """All entries, the one that was used last at the end."""
        return tuple(self._entries.items())

    def oldest(self) -> tuple[Key, Value] | None:
        """The entry that was not used for longest; None if there is none."""
        return next(iter(self._entries.items()), None)

    def values(self) -> tuple[Value, ...]:
        """All values, the one that was used last at the end."""
        return tuple(self._entries.values())

    def get(self, key: Key) -> Value | None:
        """The value of a key; None if there is none."""
        if key in self._entries:
            self._entries.move_to_end(key)
        return self._entries.get(key)

    def pop(self, key: Key) -> Value | None:
        """Forget a key and return its value; None if there was none."""
        return self._entries.pop(key, None)
