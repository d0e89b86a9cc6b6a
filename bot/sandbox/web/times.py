"""Times as the page shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_STYLES = {
    "t": "%H:%M",
    "T": "%H:%M:%S",
    "d": "%d/%m/%Y",
    "D": "%-d %B %Y",
    "f": "%-d %B %Y, %H:%M",
    "F": "%A, %-d %B %Y, %H:%M",
    "s": "%d/%m/%Y, %H:%M",
    "S": "%d/%m/%Y, %H:%M:%S",
}
_UNITS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)


def time_tag(seconds: int, style: str, now: datetime, zone: ZoneInfo) -> Markup | None:
    """A `<t:…>` as a time element; None if the time is out of range."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    except (ValueError, OverflowError, OSError):
        return None
    shown = relative(moment, now) if style == "R" else moment.strftime(_STYLES[style])
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.isoformat(), moment.strftime(_STYLES["F"]), shown
    )


def relative(moment: datetime, now: datetime) -> str:
    """The distance of a moment from now, in the largest unit that fits."""
    away = moment - now
    for unit, name in _UNITS:
        count = abs(away) // unit
        if count:
            amount = f"{count} {name}{'' if count == 1 else 's'}"
            return f"{amount} ago" if away < timedelta() else f"in {amount}"
    return "just now"


def short_time(moment: datetime) -> str:
    """The time of day."""
    return moment.strftime("%H:%M")


def full_time(moment: datetime) -> str:
    """Day and time in full."""
    return moment.strftime(_STYLES["F"])


def day_name(moment: datetime) -> str:
    """The day, for the line between messages of different days."""
    return moment.strftime("%A, %-d %B %Y")


def said_at(moment: datetime, now: datetime) -> str:
    """The time beside an author: short for today and yesterday."""
    days = (now.date() - moment.date()).days
    if days == 0:
        return f"Today at {short_time(moment)}"
    if days == 1:
        return f"Yesterday at {short_time(moment)}"
    return moment.strftime("%-d %b %Y, %H:%M")
