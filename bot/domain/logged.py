"""Contact that a manager enters by command: its time and its position among messages (docs/rules.md#logged)."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.snowflake import first_id_at

LONGEST_AGO = timedelta(days=366)
_OWN_BITS = (1 << 22) - 1


class WhenProblem(StrEnum):
    """Why a contact cannot be logged for a day."""

    UNREADABLE = "unreadable"
    FUTURE = "future"
    FAR = "far"
    OBJECTED = "objected"
    """The manager or the member must not be recorded then."""


def moment_of_day(text: str, zone: ZoneInfo, now: datetime) -> datetime | WhenProblem:
    """The moment of a day such as 2026-03-02, optionally with a time. Without one: noon, or `now` if it is today."""
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
    """The id of a logged touch: the command's own, or for a past contact an id made for that moment.

    So it ends the waiting of messages written before the contact and of none written after it.
    """
    return interaction_id if touched_at >= now else first_id_at(touched_at) | (interaction_id & _OWN_BITS)
