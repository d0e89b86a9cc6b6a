"""What is taken into a spreadsheet, on SQLite and PostgreSQL."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.clock import DrivenClock
from bot.domain.guild import GuildSettings
from bot.domain.rules import Rules
from bot.services.digest.report import Reporter
from bot.services.guild.export import WEEKS, CsvExport
from bot.services.guild_reader import GuildReader
from bot.services.record.recorder import Recorder
from bot.store import guilds, managers, written_days
from bot.store.database import Database
from tests.support.messages import ANNA, GUILD, MIA, NOAH, channel, moment, said, whole
from tests.support.no_context import NoContext
from tests.support.outgoing import Outgoing, at_once

pytestmark = pytest.mark.usefixtures("sqlite_without_threads")

THIS_MONDAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("first_on", "weeks"),
    [
        (THIS_MONDAY, 1),
        (THIS_MONDAY + timedelta(days=1), 1),
        (THIS_MONDAY - timedelta(days=1), 2),
        (THIS_MONDAY - timedelta(weeks=9), 10),
        (THIS_MONDAY - timedelta(weeks=WEEKS - 1), WEEKS),
        (THIS_MONDAY - timedelta(weeks=WEEKS), WEEKS),
    ],
)
async def test_every_week_of_the_record_is_exported_up_to_two_years(
    database: Database, first_on: date, weeks: int
) -> None:
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
        for day in {first_on, THIS_MONDAY}:
            await written_days.add(connection, [(GUILD, MIA, day, 1)])
    facts = await CsvExport(
        GuildReader(database, DrivenClock(moment(60)), at_once), Outgoing(), Reporter(database, Rules()), Rules()
    ).of(GUILD)
    assert facts is not None
    expected = [THIS_MONDAY - timedelta(weeks=number) for number in range(weeks)]
    assert [week.week_on for week in facts.weeks] == sorted(expected)


async def test_each_message_that_waits_is_counted_for_its_member(database: Database) -> None:
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
        await managers.add(connection, GUILD, [ANNA])
    messages = (said(0, MIA, mentions=[ANNA]), said(1, MIA, mentions=[ANNA]), said(2, NOAH, mentions=[ANNA]))
    await Recorder(database, Rules()).record(whole(channel(), *messages), NoContext())
    reader = GuildReader(database, DrivenClock(moment(60)), at_once)
    facts = await CsvExport(reader, Outgoing(), Reporter(database, Rules()), Rules()).of(GUILD)
    assert facts is not None
    assert facts.waiting == {MIA: 2, NOAH: 1}
