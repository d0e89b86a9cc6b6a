"""Weeks in figures from what is on record, the same on SQLite and PostgreSQL."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.cli.main import exit_status
from bot.domain.calendar import period_of_days
from bot.domain.figures import Figures
from bot.domain.guild import GuildSettings
from bot.domain.report import WeekReport
from bot.domain.rules import Rules
from bot.domain.span import Span
from bot.services.digest.report import Reporter
from bot.services.record.recorder import Recorder
from bot.store import forgetting, guilds, ignoring, managers, spans
from bot.store.database import Database
from tests.support.messages import (
    ANNA,
    BEN,
    CHANNEL,
    GUILD,
    MIA,
    NOAH,
    OLE,
    PIA,
    at,
    channel,
    moment,
    said,
    thread,
    whole,
)
from tests.support.no_context import NoContext

pytestmark = pytest.mark.usefixtures("sqlite_without_threads")

MONDAY = date(2026, 3, 2)
WEEK = 7 * 24 * 60
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "mesh"
MESH, MESH_MANAGERS = 1343720936119996449, (195860800208736343, 1008123520288059042)


@pytest.fixture
async def reporter(database: Database) -> Reporter:
    """A week at a guild with two managers: Anna meets Mia twice and Noah, Ben meets Mia; Pia waits for Anna."""
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
        await managers.add(connection, GUILD, [ANNA, BEN])
    messages = [
        said(-WEEK, MIA),
        said(-WEEK + 1, BEN, to=(-WEEK, MIA)),
        said(0, MIA),
        said(2, ANNA, to=(0, MIA)),
        said(100, NOAH),
        said(104, ANNA, to=(100, NOAH)),
        said(200, MIA),
        said(206, ANNA, to=(200, MIA)),
        said(207, BEN, mentions=[MIA]),
        said(300, PIA, mentions=[ANNA]),
        said(400, OLE),
    ]
    await Recorder(database, Rules()).record(whole(channel(), *messages), NoContext())
    return Reporter(database, Rules())


async def week(reporter: Reporter, monday: date = MONDAY) -> WeekReport:
    report = await reporter.week(GUILD, monday)
    assert report is not None
    return report


async def test_a_week_worked_out_by_hand(reporter: Reporter) -> None:
    """Active: Mia, Noah, Ole, Pia. C: Anna-Mia twice, Anna-Noah, Ben-Mia = 4. Reached 2 of 4; Mia was met before."""
    report = await week(reporter)
    team = report.team
    assert (team.active_members, team.personal_replies, team.conversations, team.members_reached) == (4, 4, 4, 2)
    assert (team.coverage, team.coverage_ever, team.first_time, team.waiting) == (0.5, 0.5, 1, 1)
    assert (team.reply_minutes.median, team.spread, team.verdict_weeks) == (4.0, None, None)
    assert report.complete
    assert [manager_id for manager_id, _ in report.managers] == [ANNA, BEN]
    anna, ben = (figures for _, figures in report.managers)
    assert (anna.conversations, anna.first_time, anna.waiting) == (3, 2, 1)  # Anna never met Mia before
    assert (ben.conversations, ben.first_time, ben.waiting, ben.coverage_ever) == (1, 0, 0, 0.5)


async def test_a_guild_without_settings_has_no_weeks(reporter: Reporter) -> None:
    assert await reporter.week(99, MONDAY) is None


async def test_only_a_monday_is_a_week(reporter: Reporter) -> None:
    with pytest.raises(ValueError, match="not a Monday"):
        await reporter.week(GUILD, MONDAY + timedelta(days=1))


async def test_weeks_are_the_guilds(database: Database, reporter: Reporter) -> None:
    """In Kiritimati, 14 hours ahead, minute 0 is 02:00 on Tuesday; touches are counted by time, activity by the day
    it was recorded under."""
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("Pacific/Kiritimati")))
    assert (await week(reporter)).team.personal_replies == 4
    messages = [said(WEEK - 13 * 60, MIA), said(WEEK - 13 * 60 + 1, ANNA, mentions=[MIA])]  # Sunday 23:00 UTC
    await Recorder(database, Rules()).record(whole(channel(9), *messages), NoContext())
    assert (await week(reporter)).team.personal_replies == 4
    assert (await week(reporter, MONDAY + timedelta(weeks=1))).team.personal_replies == 1
    assert (await week(reporter, MONDAY + timedelta(weeks=1))).team.active_members == 1


async def test_managers_are_those_of_today_for_all_times(database: Database, reporter: Reporter) -> None:
    async with database.writing() as connection:
        await managers.remove(connection, GUILD, [BEN])
    report = await week(reporter)
    assert (report.team.conversations, report.team.active_members, len(report.managers)) == (3, 5, 1)  # Ben is a member
    assert report.team.first_time == 2
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [BEN, NOAH])
    report = await week(reporter)
    assert (report.team.conversations, report.team.active_members) == (3, 3)  # Noah is none any more


async def test_the_ignored_and_those_who_opted_out_are_left_out(database: Database, reporter: Reporter) -> None:
    async with database.writing() as connection:
        await ignoring.add(connection, GUILD, [PIA])
        await forgetting.set_opted_out(connection, GUILD, MIA, moment(1000))
    team = (await week(reporter)).team
    assert (team.active_members, team.conversations, team.waiting) == (2, 1, 0)
    async with database.writing() as connection:
        await forgetting.forget_opt_out(connection, GUILD, MIA)
    assert (await week(reporter)).team.conversations == 4


MINUTE_OF_START = -12 * 60  # the week begins twelve hours before the noon of minute 0


@pytest.mark.parametrize(
    ("first", "last", "complete"),
    [
        (MINUTE_OF_START - 100, MINUTE_OF_START - 1 / 60_000, True),
        (MINUTE_OF_START - 100, MINUTE_OF_START, False),
        (50, 60, False),
        (MINUTE_OF_START + WEEK - 1 / 60_000, WEEK, False),
        (MINUTE_OF_START + WEEK, WEEK + 100, True),
        (-2 * WEEK, 2 * WEEK, False),
    ],
)
async def test_a_week_is_complete_unless_a_known_gap_overlaps_it(
    database: Database, reporter: Reporter, first: float, last: float, complete: bool
) -> None:
    async with database.writing() as connection:
        await spans.add_known_gap(connection, GUILD, CHANNEL, Span(at(first), at(last)), "closed")
    assert (await week(reporter)).complete is complete
    assert (await week(reporter)).document()["complete"] is complete


async def test_a_gap_in_an_excluded_channel_or_its_thread_is_none(database: Database, reporter: Reporter) -> None:
    async with database.writing() as connection:
        await spans.add(connection, thread(MIA, 33, parent_id=22), Span(33, 34))
        for channel_id in (22, 33):
            await spans.add_known_gap(connection, GUILD, channel_id, Span(at(0), at(1)), "closed")
    assert not (await week(reporter)).complete
    async with database.writing() as connection:
        await guilds.set_excluded_channels(connection, GUILD, [22])
    assert (await week(reporter)).complete


async def test_a_conversation_that_began_before_the_week_is_not_the_weeks(database: Database) -> None:
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
        await managers.add(connection, GUILD, [ANNA])
    start = MINUTE_OF_START
    messages = [said(start - 90, ANNA, mentions=[MIA]), said(start - 30, ANNA, mentions=[MIA])]
    messages.append(said(start + 30, ANNA, mentions=[MIA]))  # sixty minutes after the one before: the same talk
    await Recorder(database, Rules()).record(whole(channel(), *messages), NoContext())
    reporter = Reporter(database, Rules())
    assert (await week(reporter)).team.conversations == 0
    assert (await week(reporter, MONDAY - timedelta(weeks=1))).team.conversations == 1


async def test_any_stretch_of_days_has_figures_and_knows_where_the_record_begins(
    database: Database, reporter: Reporter
) -> None:
    async with database.reading() as connection:
        settings = await guilds.settings_of(connection, GUILD)
    assert settings is not None
    two_weeks = period_of_days(MONDAY - timedelta(weeks=1), MONDAY + timedelta(days=6), settings.zone)
    report = await reporter.figures(settings, two_weeks)
    assert (report.team.conversations, report.team.first_time, report.complete) == (5, 2, True)
    assert report.record_from_on == MONDAY - timedelta(weeks=1)
    assert report.managers.keys() == {ANNA, BEN}
    assert isinstance(report.managers[ANNA], Figures)


# The command line on both databases.


@pytest.mark.skipif(not SHARED.exists(), reason="the larger samples of ../shared are not here")
def test_import_and_digest_say_the_same_on_both_databases(
    tmp_path: Path, new_postgres: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    """`spade import` and `spade digest --json` of a real record, to the last character."""
    found: list[list[str]] = []
    arguments = [str(SHARED), *(word for manager in MESH_MANAGERS for word in ("--manager", str(manager)))]
    for address in (f"sqlite:///{tmp_path / 'spade.db'}", new_postgres()):
        said_here = []
        for command in (
            ["import", *arguments, "--time-zone", "America/Santiago", "--json"],
            ["import", *arguments, "--json"],
            *(
                [
                    "digest",
                    "--guild",
                    str(MESH),
                    "--week",
                    str(date(2025, 3, 3) + timedelta(weeks=8 * number)),
                    "--json",
                ]
                for number in range(6)
            ),
        ):
            assert exit_status([*command, "--database", address]) == 0
            said_here.append(capsys.readouterr().out)
        found.append(said_here)
    assert found[0] == found[1]
    assert json.loads(found[0][0])["skipped_known"] == 0
    assert json.loads(found[0][1])["skipped_known"] == json.loads(found[0][0])["messages"] > 1000
    assert sum(json.loads(text)["team"]["conversations"] for text in found[0][2:]) > 10
