"""Contact that a manager enters by hand: when it was, and where that places it among messages (R3)."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.snowflake import first_id_at

LONGEST_AGO = timedelta(days=366)
_OWN_BITS = (1 << 22) - 1


class WhenProblem(StrEnum):
    """Why a day is not one a contact can be logged for."""

    UNREADABLE = "unreadable"
    FUTURE = "future"
    FAR = "far"


def moment_of_day(text: str, zone: ZoneInfo, now: datetime) -> datetime | WhenProblem:
    """The moment meant by a day, as 2026-03-02, perhaps with a time: noon of a past day, the present moment today."""
    words = text.strip().replace("T", " ")
    try:
        day_text, _, time_text = words.partition(" ")
        day = date.fromisoformat(day_text)
        at = time.fromisoformat(time_text.strip()) if time_text else None
    except ValueError:
        return WhenProblem.UNREADABLE
    if at is not None and at.tzinfo is not None:
        return WhenProblem.UNREADABLE
    today = now.astimezone(zone).date()
    if at is None and day == today:
        return now
    try:
        moment = datetime.combine(day, at or time(12), zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return WhenProblem.FAR
    if moment > now:
        return WhenProblem.FUTURE
    return moment if now - moment <= LONGEST_AGO else WhenProblem.FAR


def position_of(interaction_id: int, touched_at: datetime, now: datetime) -> int:
    """The id a logged touch gets: the command's own, or for a contact in the past one that lies where it happened.

    So it ends the waiting of what was written before the contact, and of nothing that was written after it.
    """
    return interaction_id if touched_at >= now else first_id_at(touched_at) | (interaction_id & _OWN_BITS)
