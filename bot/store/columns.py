"""Column types with the same meaning on SQLite (STRICT tables) and PostgreSQL.

STRICT tables have no types for times, dates and booleans. Times are integers (milliseconds since 1970 UTC, the
precision of Discord's ids), dates are ISO text or, where there are many, numbers of days, and booleans are 0 and 1.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, ColumnOperators, Dialect, Integer, Text, TypeDecorator, literal

from bot.domain.snowflake import EPOCH

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNIX_DAY = _UNIX_EPOCH.toordinal()
_TIME_BITS = 22
"""How far to the left the time stands in an id; it counts milliseconds from Discord's epoch."""
_DISCORD_EPOCH = round(EPOCH.timestamp() * 1000)
_MILLISECOND = timedelta(milliseconds=1)

Id = BigInteger().with_variant(Integer(), "sqlite")
"""A Discord id, or a count that may grow."""


def made_at(snowflake: ColumnElement[int]) -> ColumnElement[int]:
    """When an id was made, as a Moment is stored: milliseconds since 1970."""
    return snowflake.bitwise_rshift(literal(_TIME_BITS, Integer())) + _DISCORD_EPOCH


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime with millisecond precision."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:  # noqa: ANN401 - SQLAlchemy's own signature
        """INTEGER on SQLite, BIGINT elsewhere."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To milliseconds, rounded down; TypeError if the datetime is naive."""
        return None if value is None else (value - _UNIX_EPOCH) // _MILLISECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002
        """From milliseconds."""
        return None if value is None else _UNIX_EPOCH + _MILLISECOND * int(value)


class Day(TypeDecorator[date]):
    """A local date as ISO text, which sorts as dates do."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To ISO text."""
        return None if value is None else value.isoformat()

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:  # noqa: ANN401, ARG002
        """From ISO text."""
        return None if value is None else date.fromisoformat(value)


class DayNumber(TypeDecorator[date]):
    """A local date as the number of days since 1970, a fraction of the text's size where there are millions of rows."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To a number of days."""
        return None if value is None else value.toordinal() - _UNIX_DAY

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:  # noqa: ANN401, ARG002
        """From a number of days."""
        return None if value is None else date.fromordinal(int(value) + _UNIX_DAY)


class _TruthComparator(TypeDecorator.Comparator[bool]):
    def is_(self, other: Any) -> ColumnOperators:  # noqa: ANN401 - SQLAlchemy's own signature
        """Compare with `=`: only SQLite has `IS` for numbers, and these columns are never NULL."""
        return self.expr == literal(other, Truth())


class Truth(TypeDecorator[bool]):
    """True or false as 1 or 0; ask with `is_`."""

    impl = Integer
    cache_ok = True
    comparator_factory = _TruthComparator

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> int | None:  # noqa: ARG002, FBT001
        """To 0 or 1."""
        return None if value is None else int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:  # noqa: ANN401, ARG002
        """From 0 or 1."""
        return None if value is None else bool(value)
