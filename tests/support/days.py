"""What people wrote day by day, as the table of activity has it: seven days to a row."""

from datetime import date
from typing import Any

from bot.domain.calendar import monday_of
from bot.store.tables import WEEKDAYS

DAYS = " UNION ALL ".join(
    f"SELECT guild_id, member_id, date((week_on + {number}) * 86400, 'unixepoch') AS day, {name} AS messages"
    f" FROM activity WHERE {name} <> 0"
    for number, name in enumerate(WEEKDAYS)
)
"""A query of a SQLite file for guild, member, day and messages."""


def a_day(guild_id: int, member_id: int, day: date, messages: int = 1) -> dict[str, Any]:
    """A row of activity for somebody who wrote on this day alone."""
    return {
        "guild_id": guild_id,
        "week_on": monday_of(day),
        "member_id": member_id,
        **dict.fromkeys(WEEKDAYS, 0),
        WEEKDAYS[day.weekday()]: messages,
    }
