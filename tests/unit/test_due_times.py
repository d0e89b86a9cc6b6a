"""A due time is never too late: until it comes, the rules name nothing that they do not name now."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.calendar import local_day, repeated_end
from bot.domain.digest import due_digest, due_personal_digest, next_digest_at, next_personal_digest_at
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.nudge_time import due_nudge, next_nudge_at
from bot.domain.retention import first_day_kept, next_purge_at
from tests.simulate.wall import changes

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Santiago",  # midnight is skipped
    "America/Havana",  # midnight comes twice
    "America/St_Johns",  # until 2011 clocks were set back from 00:01 to 23:01 of the day before
    "America/Nuuk",
    "Pacific/Apia",  # a day is skipped in 2011
    "Pacific/Kiritimati",
    "Australia/Lord_Howe",
)
STEP = timedelta(minutes=20)
FAR = timedelta(days=7)
"""A due time may come for nothing if it is as far ahead: during a pause, for example."""


@cache
def turns(name: str) -> list[datetime]:
    """When a zone's clocks are changed, and a moment without."""
    first, last = datetime(2006, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    return [*changes(ZoneInfo(name), first, last), datetime(2026, 3, 4, tzinfo=UTC)]


hours = st.sampled_from((0, 1, 9, 22, 23)) | st.integers(0, 23)


@st.composite
def cases(draw: st.DrawFn) -> tuple[GuildSettings, ManagerSettings, datetime]:
    name = draw(st.sampled_from(ZONES))
    turn = draw(st.sampled_from(turns(name)))
    now = turn + draw(
        st.timedeltas(timedelta(days=-3), timedelta(days=3)) | st.timedeltas(timedelta(hours=-26), timedelta(hours=2))
    )
    zone = ZoneInfo(name)
    moments = st.timedeltas(timedelta(days=-20), timedelta(days=20)).map(lambda apart: now + apart)
    guild = GuildSettings(
        1,
        zone,
        digest_channel_id=draw(st.sampled_from((None, 5, 5, 5))),
        digest_weekday=draw(st.integers(0, 6)),
        digest_hour=draw(hours),
        digest_from_at=draw(st.none() | moments),
        keep_months=draw(st.sampled_from((None, 3))),
    )
    manager = ManagerSettings(
        1,
        2,
        enrolled_at=draw(st.none() | moments | moments | moments),
        zone=draw(st.sampled_from((None, *map(ZoneInfo, ZONES)))),
        nudge_hour=draw(hours),
        nudge_weekdays=draw(st.frozensets(st.integers(0, 6))),
        paused_until_on=draw(st.none() | st.integers(-3, 15).map(lambda days: now.date() + timedelta(days=days))),
        refused_at=draw(st.sampled_from((None, None, None, now))),
    )
    return guild, manager, now


def check(rule: Callable[[datetime], date | None], now: datetime, next_at: datetime | None) -> None:
    """The rule names nothing new before the due time; then it does."""
    due, end = rule(now), next_at or now + timedelta(days=20)
    moment = now
    while moment < end:
        assert rule(moment) in {None, due}, moment
        moment += STEP
    if next_at is not None:
        assert next_at > now
        assert rule(next_at - timedelta(microseconds=1)) in {None, due}
        assert rule(next_at) not in {None, due} or next_at - now >= FAR


@given(cases())
@settings(max_examples=40, deadline=None)
def test_nothing_comes_due_before_its_due_time(case: tuple[GuildSettings, ManagerSettings, datetime]) -> None:
    guild, manager, now = case

    def week(moment: datetime) -> date | None:
        due = due_digest(guild, moment)
        return None if due is None else due.week_on

    def own_week(moment: datetime) -> date | None:
        due = due_personal_digest(guild, manager, moment)
        return None if due is None else due.week_on

    check(lambda moment: due_nudge(manager, guild.zone, moment), now, next_nudge_at(manager, guild.zone, now))
    check(week, now, next_digest_at(guild, now))
    check(own_week, now, next_personal_digest_at(guild, manager, now))


@given(cases())
@settings(max_examples=40, deadline=None)
def test_a_guild_is_purged_when_its_next_day_begins(case: tuple[GuildSettings, ManagerSettings, datetime]) -> None:
    guild, _, now = case
    kept, next_at = first_day_kept(guild, now), next_purge_at(guild, now)
    if kept is None or next_at is None:
        assert (kept, next_at) == (None, None)
        return
    moment, today = now, local_day(now, guild.zone)
    while moment < next_at:
        assert local_day(moment, guild.zone) <= today
        moment += STEP
    assert next_at > now
    assert local_day(next_at, guild.zone) > today


GUILD = GuildSettings(1, ZoneInfo("UTC"), digest_channel_id=5, digest_from_at=datetime(2026, 1, 1, tzinfo=UTC))
ANN = ManagerSettings(1, 2, enrolled_at=datetime(2026, 1, 1, tzinfo=UTC))
NOW = datetime(2026, 3, 6, 12, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize("changes", [{"enrolled_at": None}, {"refused_at": NOW}, {"nudge_weekdays": frozenset()}])
def test_nothing_is_ever_due_for_whom_nothing_is_sent(changes: dict[str, object]) -> None:
    manager = replace(ANN, **changes)
    assert next_nudge_at(manager, GUILD.zone, NOW) is None
    assert (next_personal_digest_at(GUILD, manager, NOW) is None) is ("nudge_weekdays" not in changes)


def test_due_times_are_the_next_chosen_hours() -> None:
    assert next_nudge_at(ANN, GUILD.zone, NOW) == datetime(2026, 3, 9, 9, tzinfo=UTC)
    assert next_nudge_at(replace(ANN, paused_until_on=date(2026, 3, 11)), GUILD.zone, NOW) == datetime(
        2026, 3, 11, 9, tzinfo=UTC
    )
    assert next_digest_at(GUILD, NOW) == datetime(2026, 3, 9, 9, tzinfo=UTC)
    assert next_personal_digest_at(GUILD, replace(ANN, nudge_hour=7), NOW) == datetime(2026, 3, 10, 7, tzinfo=UTC)
    assert next_digest_at(replace(GUILD, digest_channel_id=None), NOW) is None
    assert next_purge_at(replace(GUILD, keep_months=3), NOW) == datetime(2026, 3, 7, tzinfo=UTC)


def test_the_end_of_a_date_comes_again_where_clocks_are_set_back_over_midnight() -> None:
    st_johns = ZoneInfo("America/St_Johns")
    again, over = repeated_end(date(2010, 11, 6), st_johns)
    assert (again, over) == (datetime(2010, 11, 7, 2, 31, tzinfo=UTC), datetime(2010, 11, 7, 3, 30, tzinfo=UTC))
    assert local_day(again - timedelta(seconds=1), st_johns) == date(2010, 11, 7)
    assert [local_day(moment, st_johns) for moment in (again, over)] == [date(2010, 11, 6), date(2010, 11, 7)]
    assert repeated_end(date(2010, 11, 7), st_johns) == ()
    assert repeated_end(date(2026, 3, 29), ZoneInfo("Europe/Berlin")) == ()


def test_what_begins_at_a_midnight_that_comes_twice_is_not_passed_over() -> None:
    """On a Sunday in 2010, St. John's went from 00:01 back to 23:01 on Saturday."""
    st_johns = ZoneInfo("America/St_Johns")
    again, over = repeated_end(date(2010, 11, 6), st_johns)
    on_saturday_again = again + timedelta(minutes=5)
    ann = replace(
        ANN,
        enrolled_at=again - timedelta(days=30),
        zone=st_johns,
        nudge_hour=0,
        nudge_weekdays=frozenset(range(7)),
        paused_until_on=date(2010, 11, 7),
    )
    assert next_nudge_at(ann, GUILD.zone, on_saturday_again) == over
    guild = replace(GUILD, zone=st_johns, digest_weekday=5, digest_hour=12, keep_months=3)
    assert next_personal_digest_at(guild, ann, on_saturday_again) == over
    assert next_purge_at(guild, on_saturday_again) == datetime(2010, 11, 8, 3, 30, tzinfo=UTC)
    # Seen on the Sunday that began too early, what was left undone on Saturday is due once more.
    weekend = replace(ann, nudge_weekdays=frozenset({5}), paused_until_on=None)
    assert next_nudge_at(weekend, GUILD.zone, again - timedelta(seconds=30)) == again
