"""The periods that `/coverage` can be asked about."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.calendar import Period, local_day, monday_of, period_of_days


class PeriodChoice(StrEnum):
    """A choice of period, as people name it. Each ends with today or with the last whole week."""

    LAST_WEEK = "last_week"
    THIS_WEEK = "this_week"
    FOUR_WEEKS = "four_weeks"
    TWELVE_WEEKS = "twelve_weeks"


_WEEKS = {PeriodChoice.LAST_WEEK: 1, PeriodChoice.FOUR_WEEKS: 4, PeriodChoice.TWELVE_WEEKS: 12}


def period_meant(choice: PeriodChoice, zone: ZoneInfo, now: datetime) -> Period:
    """The whole local days of a choice."""
    today = local_day(now, zone)
    monday = monday_of(today)
    if choice is PeriodChoice.THIS_WEEK:
        return period_of_days(monday, today, zone)
    return period_of_days(monday - timedelta(weeks=_WEEKS[choice]), monday - timedelta(days=1), zone)


def last_week_of(period: Period) -> date:
    """The Monday of the last week that a period touches."""
    return monday_of(period.last_on)
