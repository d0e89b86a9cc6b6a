"""Days, weeks and moments in words."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from bot.views.words import regional
from bot.views.words.sentence import listing, say, spoken


def weekday_name(weekday: int) -> str:
    """The name of a day of the week, 0 being Monday."""
    return regional.day_name(weekday, spoken())


def month_name(month: int) -> str:
    """The name of a month, 1 being January."""
    return regional.month_name(month, spoken())


def weekdays_label(weekdays: Collection[int]) -> str:
    """Days of the week as a list: "every day", "Monday to Friday", "Monday and Thursday"."""
    chosen = sorted(set(weekdays))
    if not chosen:
        return say("no day")
    if len(chosen) == 7:
        return say("every day")
    if len(chosen) > 2 and chosen[-1] - chosen[0] == len(chosen) - 1:
        return say("{first} to {last}", first=weekday_name(chosen[0]), last=weekday_name(chosen[-1]))
    return listing([weekday_name(weekday) for weekday in chosen])


def day_label(day: date) -> str:
    """A day in full: "Monday 9 March"."""
    return say("{weekday} {day} {month}", weekday=weekday_name(day.weekday()), day=day.day, month=month_name(day.month))


def full_day(day: date) -> str:
    """A day with its year: "9 March 2026"."""
    return say("{day} {month} {year}", day=day.day, month=month_name(day.month), year=day.year)


def short_day(day: date) -> str:
    """A day, short: "9 Mar"."""
    return say("{day} {month}", day=day.day, month=regional.short_month(day.month, spoken()))


def month_label(month: date) -> str:
    """A month, short: "Mar 2026"."""
    return say("{month} {year}", month=regional.short_month(month.month, spoken()), year=month.year)


def week_label(monday: date) -> str:
    """A week by its first and last day and the year."""
    sunday = monday + timedelta(days=6)
    facts = {
        "first_day": monday.day,
        "first_month": month_name(monday.month),
        "first_year": monday.year,
        "last_day": sunday.day,
        "last_month": month_name(sunday.month),
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
