"""The guild that a command is about, as it is on record."""

from bot.cli.failure import Failure
from bot.domain.guild import GuildSettings
from bot.store import guilds
from bot.store.database import Database


async def guild_on_record(database: Database, guild_id: int) -> GuildSettings:
    """The settings of a guild; Failure if it is not on record, UnknownZoneError."""
    async with database.reading() as connection:
        settings = await guilds.settings_of(connection, guild_id)
    if settings is None:
        raise _not_on_record(guild_id)
    return settings


async def require_guild(database: Database, guild_id: int) -> None:
    """Raise Failure if a guild is not on record."""
    async with database.reading() as connection:
        if not await guilds.is_on_record(connection, guild_id):
            raise _not_on_record(guild_id)


def _not_on_record(guild_id: int) -> Failure:
    return Failure(f"the server {guild_id} is not on record: import its exports, or run /setup there")
