"""Days, weeks and moments in words."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from bot.views.sentence import listing, mark, say

_WEEKDAYS = (
    mark("Monday"),
    mark("Tuesday"),
    mark("Wednesday"),
    mark("Thursday"),
    mark("Friday"),
    mark("Saturday"),
    mark("Sunday"),
)
_MONTHS = (
    mark("January"),
    mark("February"),
    mark("March"),
    mark("April"),
    mark("May"),
    mark("June"),
    mark("July"),
    mark("August"),
    mark("September"),
    mark("October"),
    mark("November"),
    mark("December"),
)
_SHORT_MONTHS = (
    mark("Jan"),
    mark("Feb"),
    mark("Mar"),
    mark("Apr"),
    mark("May"),
    mark("Jun"),
    mark("Jul"),
    mark("Aug"),
    mark("Sep"),
    mark("Oct"),
    mark("Nov"),
    mark("Dec"),
)


def weekday_name(weekday: int) -> str:
    """The name of a day of the week, 0 being Monday."""
    return say(_WEEKDAYS[weekday])


def weekdays_label(weekdays: Collection[int]) -> str:
    """Days of the week in a row: "every day", "Monday to Friday", "Monday and Thursday"."""
    chosen = sorted(set(weekdays))
    if not chosen:
        return say("no day")
    if len(chosen) == 7:
        return say("every day")
    if len(chosen) > 2 and chosen[-1] - chosen[0] == len(chosen) - 1:
        return say("{first} to {last}", first=say(_WEEKDAYS[chosen[0]]), last=say(_WEEKDAYS[chosen[-1]]))
    return listing([say(_WEEKDAYS[weekday]) for weekday in chosen])


def day_label(day: date) -> str:
    """A day in full: "Monday 9 March"."""
    return say(
        "{weekday} {day} {month}", weekday=say(_WEEKDAYS[day.weekday()]), day=day.day, month=say(_MONTHS[day.month - 1])
    )


def short_day(day: date) -> str:
    """A day where there is little room: "9 Mar"."""
    return say("{day} {month}", day=day.day, month=say(_SHORT_MONTHS[day.month - 1]))


def week_label(monday: date) -> str:
    """The days of a week, by its first and last day and the year."""
    sunday = monday + timedelta(days=6)
    facts = {
        "first_day": monday.day,
        "first_month": say(_MONTHS[monday.month - 1]),
        "first_year": monday.year,
        "last_day": sunday.day,
        "last_month": say(_MONTHS[sunday.month - 1]),
        "last_year": sunday.year,
    }
    if monday.year != sunday.year:
        return say(
            "{first_day} {first_month} {first_year} to {last_day} {last_month} {last_year}",
            **facts,
        )
    if monday.month != sunday.month:
        return say("{first_day} {first_month} to {last_day} {last_month} {last_year}", **facts)
    return say("{first_day}–{last_day} {last_month} {last_year}", **facts)  # noqa: RUF001 - a range is set so


def discord_time(moment: datetime, style: str = "R") -> str:
    """A moment that every reader's Discord shows in their own words and zone; "R" is "2 hours ago"."""
    return f"<t:{int(moment.timestamp())}:{style}>"
