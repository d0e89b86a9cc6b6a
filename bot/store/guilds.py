"""The settings of guilds, their excluded channels, and what Spade knows of its presence in them."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, delete, or_, select, update

from bot.domain.guild import GuildSettings
from bot.domain.zones import zone_named
from bot.store import due_times, tables
from bot.store.engine import AsyncConnection
from bot.store.error import UnknownZoneError
from bot.store.grouping import grouped
from bot.store.insertion import insert_into
from bot.store.prepared import Given, prepared
from bot.store.stored_zone import guild_zone, log_once


def _settings(row: Row[Any], zone: ZoneInfo | None = None) -> GuildSettings:
    return GuildSettings(
        guild_id=row.guild_id,
        zone=zone or guild_zone(row),
        digest_channel_id=row.digest_channel_id,
        digest_weekday=row.digest_weekday,
        digest_hour=row.digest_hour,
        digest_from_at=row.digest_from_at,
        show_verdict=row.show_verdict,
        language=row.language,
        keep_months=row.keep_months,
    )


async def settings_of(
    connection: AsyncConnection, guild_id: int, *, zone: ZoneInfo | None = None
) -> GuildSettings | None:
    """A guild's settings, with `zone` in place of the stored one if given; None if the guild is not on record.

    Raises UnknownZoneError.
    """
    row = (await connection.execute(*_by_id(guild_id))).first()
    return None if row is None else _settings(row, zone)


@prepared
def _by_id(guild_id: Given) -> Select[Any]:
    return select(tables.guild).where(tables.guild.c.guild_id == guild_id)


async def all_settings(connection: AsyncConnection, among: Collection[int] | None = None) -> tuple[GuildSettings, ...]:
    """The settings of every guild that Spade has not been removed from, or of those `among` some ids.

    A guild whose stored time zone is unknown is left out: nothing is due there until it has one. That is logged once.
    """
    query = select(tables.guild).where(tables.guild.c.removed_at.is_(None)).order_by(tables.guild.c.guild_id)
    if among is not None:
        query = query.where(tables.guild.c.guild_id.in_(sorted(among)))
    found = []
    for row in await connection.execute(query):
        try:
            found.append(_settings(row))
        except UnknownZoneError as error:
            log_once(str(error))
    return tuple(found)


FILES = (tables.imported_channel,)
"""The tables that this is read from."""


async def with_files(connection: AsyncConnection, guild_ids: Collection[int]) -> frozenset[int]:
    """Those of some guilds of which files were imported."""
    guild_id = tables.imported_channel.c.guild_id
    return frozenset(await connection.scalars(select(guild_id).distinct().where(guild_id.in_(guild_ids))))


async def languages(connection: AsyncConnection) -> dict[int, str]:
    """The language of every guild on record."""
    table = tables.guild.c
    return {row.guild_id: row.language for row in await connection.execute(select(table.guild_id, table.language))}


async def is_on_record(connection: AsyncConnection, guild_id: int) -> bool:
    """Whether a guild has settings on record, whatever they say."""
    table = tables.guild.c
    return await connection.scalar(select(table.guild_id).where(table.guild_id == guild_id)) is not None


ZONES = (tables.guild,)
"""The tables that time zones are read from."""


async def recording_zone(connection: AsyncConnection, guild_id: int) -> ZoneInfo:
    """The time zone by which a guild's activity is dated: UTC without settings, or while the stored one is unknown."""
    return (await recording_zones(connection, [guild_id]))[guild_id]


async def recording_zones(connection: AsyncConnection, guild_ids: Collection[int]) -> dict[int, ZoneInfo]:
    """The same for several guilds."""
    table = tables.guild.c
    found = await connection.execute(select(table.guild_id, table.time_zone).where(table.guild_id.in_(guild_ids)))
    stored = {row.guild_id: row.time_zone for row in found}
    return {guild_id: zone_named(stored.get(guild_id, "UTC")) or ZoneInfo("UTC") for guild_id in guild_ids}


async def save(connection: AsyncConnection, settings: GuildSettings) -> None:
    """Insert or replace a guild's settings."""
    values = {
        "time_zone": settings.zone.key,
        "digest_channel_id": settings.digest_channel_id,
        "digest_weekday": settings.digest_weekday,
        "digest_hour": settings.digest_hour,
        "digest_from_at": settings.digest_from_at,
        "show_verdict": settings.show_verdict,
        "language": settings.language,
        "keep_months": settings.keep_months,
        **due_times.OF_GUILD,
    }
    statement = insert_into(connection, tables.guild).values(guild_id=settings.guild_id, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["guild_id"], set_=values))
    await due_times.guilds_changed(connection, settings.guild_id)


async def watched_since(connection: AsyncConnection, guild_id: int) -> datetime | None:
    """Since when Spade has been in a guild; None if it never was, and the record was imported."""
    found: datetime | None = await connection.scalar(*_watched_since(guild_id))
    return found


@prepared
def _watched_since(guild_id: Given) -> Select[Any]:
    return select(tables.guild.c.watched_since).where(tables.guild.c.guild_id == guild_id)


async def watch(connection: AsyncConnection, guild_id: int, now: datetime) -> datetime:
    """Since when Spade has been in a guild; if it just joined, stores `now`, and default settings if there are none."""
    table = tables.guild.c
    found = (await connection.execute(select(table.watched_since).where(table.guild_id == guild_id))).first()
    if found is None:
        await save(connection, GuildSettings(guild_id, ZoneInfo("UTC")))
    if found is not None and found.watched_since is not None:
        since: datetime = found.watched_since
        return since
    await connection.execute(update(tables.guild).where(table.guild_id == guild_id).values(watched_since=now))
    return now


async def archives_from(connection: AsyncConnection, guild_id: int, newest_at: datetime) -> datetime:
    """How far back the archived threads of a watched guild have to be searched.

    That is `newest_at`, the newest time on record, which is stored. If the search is interrupted before
    `archives_read`, the next one goes back to the stored time, even if the record has newer messages by then.
    """
    table = tables.guild.c
    found = (await connection.execute(select(table.archives_from).where(table.guild_id == guild_id))).scalar_one()
    if found is not None:
        noted: datetime = found
        return min(noted, newest_at)
    await connection.execute(update(tables.guild).where(table.guild_id == guild_id).values(archives_from=newest_at))
    return newest_at


async def archives_read(connection: AsyncConnection, guild_id: int) -> None:
    """Mark a guild's archived threads as searched and recorded."""
    table = tables.guild
    await connection.execute(update(table).where(table.c.guild_id == guild_id).values(archives_from=None))


EXCLUSIONS = (tables.excluded_channel,)
"""The tables that excluded channels are read from."""


async def excluded_channels(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The channels whose messages are not counted, nor those of their threads."""
    return (await all_excluded_channels(connection, [guild_id]))[guild_id]


async def all_excluded_channels(connection: AsyncConnection, guild_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """The same for several guilds."""
    table = tables.excluded_channel.c
    return grouped(
        await connection.execute(select(table.guild_id, table.channel_id).where(table.guild_id.in_(guild_ids))),
        guild_ids,
    )


async def set_excluded_channels(connection: AsyncConnection, guild_id: int, channel_ids: Iterable[int]) -> None:
    """Replace the list of excluded channels."""
    table = tables.excluded_channel
    await connection.execute(delete(table).where(table.c.guild_id == guild_id))
    rows = [{"guild_id": guild_id, "channel_id": channel_id} for channel_id in sorted(set(channel_ids))]
    if rows:
        await connection.execute(insert_into(connection, table), rows)


async def mark_removed(connection: AsyncConnection, guild_id: int, at: datetime) -> None:
    """Store when Spade was removed from a guild; an earlier time stays."""
    table = tables.guild
    await connection.execute(
        update(table).where(table.c.guild_id == guild_id, table.c.removed_at.is_(None)).values(removed_at=at)
    )


async def mark_present(connection: AsyncConnection, guild_ids: Collection[int]) -> None:
    """Mark Spade as present in these guilds."""
    table = tables.guild
    back = await connection.scalars(
        select(table.c.guild_id).where(table.c.guild_id.in_(sorted(guild_ids)), table.c.removed_at.is_not(None))
    )
    if found := sorted(back):
        present = update(table).where(table.c.guild_id.in_(found)).values(removed_at=None, **due_times.OF_GUILD)
        await connection.execute(present)
        await due_times.guilds_changed(connection, *found)


async def mark_absent(connection: AsyncConnection, but_from: Collection[int], now: datetime) -> None:
    """Mark Spade as removed from all guilds on record that it had joined, but from these.

    An earlier time stays; one that is still to come is from a wrong clock.
    """
    table = tables.guild
    await connection.execute(
        update(table)
        .where(
            table.c.guild_id.not_in(sorted(but_from)),
            or_(table.c.removed_at.is_(None), table.c.removed_at > now),
            table.c.watched_since.is_not(None),
        )
        .values(removed_at=now)
    )


async def removed_before(connection: AsyncConnection, moment: datetime) -> tuple[int, ...]:
    """The guilds from which Spade was removed before `moment`."""
    table = tables.guild.c
    # Sorted here: asked for in order, SQLite would read the whole table.
    return tuple(sorted(await connection.scalars(select(table.guild_id).where(table.removed_at < moment))))


async def purge(connection: AsyncConnection, guild_id: int) -> None:
    """Delete everything of a guild: the record, all settings, and who opted out; not who was erased."""
    await forget(connection, guild_id)
    for table in (
        tables.member,
        tables.snooze,
        tables.hand_over,
        tables.history_job,
        tables.excluded_channel,
        tables.ignored,
        tables.manager_role,
        tables.manager,
        tables.guild,
        tables.fact_change,  # the others are counted there
    ):
        await connection.execute(delete(table).where(table.c.guild_id == guild_id))


async def forget(connection: AsyncConnection, guild_id: int, *, sent_since: datetime | None = None) -> None:
    """Delete the record of a guild; its settings, its managers and who opted out stay.

    So do the deliveries claimed from `sent_since` on, if given, without whom they named: they tell what was sent for
    the days and weeks that are still due.
    """
    waiting_ids = select(tables.waiting.c.message_id).where(tables.waiting.c.guild_id == guild_id)
    await connection.execute(delete(tables.waiting_for).where(tables.waiting_for.c.message_id.in_(waiting_ids)))
    for table in (
        tables.activity,
        tables.touch,
        tables.waiting,
        tables.span,
        tables.known_gap,
        tables.history_job_channel,
        tables.imported_message,
        tables.imported_channel,
        tables.nudge_member,
        tables.digest,
        tables.summary,
    ):
        await connection.execute(delete(table).where(table.c.guild_id == guild_id))
    sent = delete(tables.delivery).where(tables.delivery.c.guild_id == guild_id)
    await connection.execute(sent if sent_since is None else sent.where(tables.delivery.c.claimed_at < sent_since))
    await connection.execute(
        delete(tables.member).where(tables.member.c.guild_id == guild_id, tables.member.c.opted_out_at.is_(None))
    )
