"""Statements that were compiled once, for every database that a test opens."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache

_MOST = 2000
_COMPILED: LRUCache[Any, Any] = LRUCache(_MOST)


class SharedCache:
    """What an engine asks for compiled statements. Engines of one driver and one version of the server share them.

    SQLAlchemy keeps them by the engine's own dialect, so that each new database would compile all its statements anew:
    a third of what many a test does.
    """

    def get(self, key: tuple[Any, ...]) -> Any:
        """The compiled statement, or None."""
        return _COMPILED.get(_shared(key))

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        _COMPILED[_shared(key)] = compiled


def _shared(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *statement = key
    return (type(dialect), getattr(dialect, "server_version_info", None), *statement)


def share_compiled_statements() -> None:
    """Have all engines that are made from now on in this process share what they compile."""
    begin = Engine.__init__

    def begin_with_shared(self: Engine, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        self._compiled_cache = SharedCache()

    Engine.__init__ = begin_with_shared
