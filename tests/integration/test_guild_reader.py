"""Reading one guild's record in one transaction."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from bot.clock import DrivenClock
from bot.domain.guild import GuildSettings
from bot.services.guild_reader import GuildReader
from bot.store import guilds
from bot.store.database import Database
from tests.support.messages import GUILD, moment

SETTINGS = GuildSettings(GUILD, ZoneInfo("Europe/Berlin"))


async def test_a_settled_snapshot_holds_what_was_received_before_it_and_a_plain_one_does_not_wait(
    database: Database,
) -> None:
    received = [SETTINGS]

    async def settle(_guild_id: int) -> None:
        async with database.writing() as connection:
            await guilds.save(connection, received.pop())

    clock = DrivenClock(moment(0))
    reader = GuildReader(database, clock, settle)
    async with reader.snapshot(GUILD) as guild:
        assert guild is None
    assert received == [SETTINGS]
    async with reader.settled(GUILD) as guild:
        assert guild is not None
        assert (guild.settings, guild.now) == (SETTINGS, moment(0))
        clock.set(moment(5))
        assert await guilds.settings_of(guild.connection, GUILD) == SETTINGS
    assert guild.now == moment(0)


async def test_a_snapshot_does_not_see_what_is_written_after_it_began(database: Database) -> None:
    async def settle(_guild_id: int) -> None:
        raise AssertionError("a snapshot does not settle")

    async with database.writing() as connection:
        await guilds.save(connection, SETTINGS)
    async with GuildReader(database, DrivenClock(moment(0)), settle).snapshot(GUILD) as guild:
        assert guild is not None
        async with database.writing() as connection:
            await guilds.save(connection, replace(SETTINGS, language="de"))
        assert await guilds.settings_of(guild.connection, GUILD) == SETTINGS
