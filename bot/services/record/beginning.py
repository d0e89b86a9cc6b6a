"""When a guild's record begins, and which members were in the guild before."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.calendar import day_start, local_day
from bot.domain.guild import GuildSettings
from bot.domain.nudge_decision import may_have_written_before
from bot.domain.rules import Rules
from bot.domain.snowflake import moment_of
from bot.store import activity, guilds
from bot.store.database import Connection


async def record_from(connection: Connection, settings: GuildSettings) -> datetime | None:
    """When the record begins: when Spade came, or with an earlier day that was imported or read from history.

    None if there is neither.
    """
    watched_since = await guilds.watched_since(connection, settings.guild_id)
    return await _from_before(connection, settings.guild_id, settings.zone, watched_since) or watched_since


async def watched_from(connection: Connection, guild_id: int, now: datetime) -> datetime:
    """The same for a guild that is visible. If it was not watched yet, `now` is stored as the time when Spade came."""
    watched_since = await guilds.watch(connection, guild_id, now)
    zone = await guilds.recording_zone(connection, guild_id)
    return await _from_before(connection, guild_id, zone, watched_since) or watched_since


async def old_hands(
    connection: Connection, settings: GuildSettings, joined_at: Mapping[int, datetime], rules: Rules
) -> frozenset[int]:
    """Those of some members who were in the guild before a young record begins, so that they are not newcomers.

    `joined_at` holds when each joined.
    """
    traces = await activity.traces(connection, settings.guild_id, joined_at)
    begins_at = await record_from(connection, settings)
    return frozenset(
        member_id
        for member_id, trace in traces.items()
        if may_have_written_before(joined_at[member_id], moment_of(trace.first_message_id), begins_at, rules)
    )


async def _from_before(
    connection: Connection, guild_id: int, zone: ZoneInfo, watched_since: datetime | None
) -> datetime | None:
    begins_on = await activity.first_day(connection, guild_id)
    if begins_on is None or (watched_since is not None and begins_on >= local_day(watched_since, zone)):
        return None
    return day_start(begins_on, zone)
