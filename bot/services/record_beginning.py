"""From when on what is said in a guild belongs on record."""

from datetime import datetime

from bot.domain.calendar import day_start, local_day
from bot.domain.guild import GuildSettings
from bot.store import activity, guilds
from bot.store.database import Connection


async def record_from(connection: Connection, settings: GuildSettings) -> datetime | None:
    """Since Spade came, or since the first day it has from before: imported, or read from history. None for neither."""
    watched_since = await guilds.watched_since(connection, settings.guild_id)
    begins_on = await activity.first_day(connection, settings.guild_id)
    if begins_on is None or (watched_since is not None and begins_on >= local_day(watched_since, settings.zone)):
        return watched_since
    return day_start(begins_on, settings.zone)


async def watched_from(connection: Connection, guild_id: int, now: datetime) -> datetime:
    """The same for a guild that is in sight; `now` is noted as the moment in which Spade came, if it just did."""
    since = await guilds.watch(connection, guild_id, now)
    settings = await guilds.settings_of(connection, guild_id)
    return (await record_from(connection, settings) if settings is not None else None) or since
