"""Discord's ids, which are also times and positions in a channel.

Source: Discord's reference, "Snowflakes": the bits above the lowest 22 are milliseconds since 2015-01-01 UTC.
"""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
HIGHEST_ID = 2**63 - 1
"""The highest id that a database can hold, and Discord will not reach in a lifetime."""
_MILLISECOND = timedelta(milliseconds=1)


def moment_of(snowflake: int) -> datetime:
    """The moment in UTC at which an id was made, to the millisecond."""
    return EPOCH + _MILLISECOND * (snowflake >> 22)


def earlier_by(snowflake: int, time: timedelta) -> int:
    """The lowest id that can have been made so long before an id, or later."""
    return max(0, (snowflake >> 22) - time // _MILLISECOND) << 22


def first_id_at(moment: datetime) -> int:
    """The lowest id that can be made at `moment` or later; 0 before Discord's epoch."""
    milliseconds = -((EPOCH - moment) // _MILLISECOND)
    return max(0, milliseconds) << 22
