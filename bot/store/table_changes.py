"""Which tables the writing connection has changed, so that what was read of the others can be held."""

import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, SelectBase, UpdateBase, event
from sqlalchemy import Table as Table  # noqa: PLC0414 - re-exported for those who hold what they read

from bot.store import tables

_CHANGES_NOTHING = ("SELECT", "BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")
_TABLE_OF_TEXT = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM) (\w+) ")


def _with_dependants(table: Table) -> frozenset[str]:
    """A table and those whose rows are deleted together with its rows."""
    return frozenset({table.name}).union(
        *(
            _with_dependants(other)
            for other in table.metadata.tables.values()
            if any(one.ondelete and one.referred_table is table for one in other.foreign_key_constraints)
        )
    )


class TableChanges:
    """Numbers the transactions of an engine with one connection, and keeps which was the last to change each table.

    A transaction that is rolled back counts as well. A statement that does not tell its table counts for all of them.
    """

    def __init__(self, engine: Engine) -> None:
        self._ended = 0
        self._of: dict[str, int] = {}
        self._dependants = {table.name: _with_dependants(table) for table in tables.metadata.tables.values()}
        self._meanwhile: set[str] | None = set()  # None: any table
        event.listen(engine, "before_cursor_execute", self._note)

    @property
    def ended(self) -> int:
        """How many transactions have ended."""
        return self._ended

    def of(self, changed: Iterable[Table]) -> int:
        """The number of the last transaction that has ended and may have changed one of these tables; 0 for none."""
        return max((self._of.get(table.name, 0) for table in changed), default=0)

    def end(self) -> None:
        """The transaction that was begun last has ended, or may have."""
        self._ended += 1
        self._of.update(dict.fromkeys(self._dependants if self._meanwhile is None else self._meanwhile, self._ended))
        self._meanwhile = set()

    def _note(
        self,
        _connection: object,
        _cursor: object,
        statement: str,
        _parameters: object,
        context: Any,  # noqa: ANN401 - SQLAlchemy's, of the dialect
        _many: bool,  # noqa: FBT001 - as SQLAlchemy calls it
    ) -> None:
        if self._meanwhile is None or statement.startswith(_CHANGES_NOTHING):
            return
        asked = context.compiled.statement if context.compiled is not None else None
        if isinstance(asked, SelectBase):
            return
        if isinstance(asked, UpdateBase):
            name = asked.table.name if isinstance(asked.table, Table) else None
        else:
            found = _TABLE_OF_TEXT.match(statement)
            name = None if found is None else found[1]
        if name in self._dependants:
            self._meanwhile |= self._dependants[name]
        else:
            self._meanwhile = None
