"""Jobs that read history; stored as rows, so that they continue after a restart."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Update, delete, exists, func, insert, select, update

from bot.domain.history_job import HistoryJob, JobKind, Unread
from bot.domain.snowflake import EPOCH
from bot.store import tables, unread
from bot.store.engine import AsyncConnection
from bot.store.people import manager_ids
from bot.store.prepared import Given, prepared

_job = tables.history_job.c


def _read(row: Row[Any]) -> HistoryJob:
    return HistoryJob(
        job_id=row.job_id,
        guild_id=row.guild_id,
        kind=JobKind(row.kind),
        since=row.since,
        manager_id=row.manager_id,
        requested_at=row.requested_at,
        finished_at=row.finished_at,
        cancelled_at=row.cancelled_at,
        messages=row.messages,
        listed=row.listed,
        channels=row.channels,
    )


def _open() -> ColumnElement[bool]:
    return _job.finished_at.is_(None) & _job.cancelled_at.is_(None)


async def add(
    connection: AsyncConnection,
    guild_id: int,
    kind: JobKind,
    since: datetime,
    at: datetime,
    manager_id: int | None = None,
) -> HistoryJob:
    """Store a new job. What it has to read is not on its list yet."""
    newest = (await connection.execute(select(func.max(_job.job_id)))).scalar_one() or 0
    job = HistoryJob(newest + 1, guild_id, kind, since, manager_id, at)
    await connection.execute(
        insert(tables.history_job).values(
            job_id=job.job_id,
            guild_id=guild_id,
            kind=kind.value,
            since=since,
            manager_id=manager_id,
            requested_at=at,
            messages=0,
        )
    )
    return job


async def add_reading_again(connection: AsyncConnection, guild_id: int, manager_id: int, at: datetime) -> None:
    """Store a job that reads again for a new manager all that is on record; none if there is nothing."""
    job = await add(connection, guild_id, JobKind.READ_AGAIN, EPOCH, at, manager_id)
    channels = await unread.add_record(connection, guild_id, job.job_id)
    if channels:
        await _listed(connection, job.job_id, channels)
    else:
        await connection.execute(delete(tables.history_job).where(_job.job_id == job.job_id))


async def add_list(
    connection: AsyncConnection, guild_id: int, job_id: int, found: Collection[Unread], channels: int
) -> None:
    """Store what a backfill has to read, which was found in so many channels and threads."""
    await unread.add(connection, guild_id, job_id, found)
    await _listed(connection, job_id, channels)


async def add_channels(connection: AsyncConnection, job_id: int, channels: int) -> None:
    """A backfill has found so many channels and threads more to read."""
    await _listed(connection, job_id, channels)


async def _listed(connection: AsyncConnection, job_id: int, channels: int) -> None:
    values = {"listed": True, "channels": _job.channels + channels}
    await connection.execute(update(tables.history_job).where(_job.job_id == job_id).values(values))


async def list_anew(connection: AsyncConnection, guild_id: int) -> None:
    """Let a guild's backfills find anew what they have to read, because the record was forgotten."""
    await connection.execute(
        update(tables.history_job)
        .where(_job.guild_id == guild_id, _job.kind == JobKind.BACKFILL.value, _open())
        .values(listed=False, channels=0)
    )


async def unfinished(connection: AsyncConnection, guild_id: int) -> tuple[HistoryJob, ...]:
    """The jobs of a guild that are neither finished nor cancelled, oldest first."""
    query = select(tables.history_job).where(_job.guild_id == guild_id, _open()).order_by(_job.job_id)
    return tuple(_read(row) for row in await connection.execute(query))


async def untried(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The ids of those jobs that have not listed, or not tried, all that they have to read."""
    query = select(_job.job_id).where(_job.guild_id == guild_id, _open(), _job.listed.is_(False))
    listed = await unread.untried(connection, guild_id)
    return frozenset(await connection.scalars(query)) | listed


async def guilds_with_unfinished(connection: AsyncConnection) -> tuple[int, ...]:
    """The guilds that have any such job."""
    query = select(_job.guild_id).where(_open()).distinct().order_by(_job.guild_id)
    return tuple(await connection.scalars(query))


async def by_id(connection: AsyncConnection, job_id: int) -> HistoryJob | None:
    """A job by its id; None if there is none."""
    row = (await connection.execute(select(tables.history_job).where(_job.job_id == job_id))).first()
    return None if row is None else _read(row)


async def note_messages(connection: AsyncConnection, job_id: int, messages: int) -> None:
    """Set how many messages a job has read so far."""
    await connection.execute(*_with_messages(job_id, messages))


@prepared
def _with_messages(job_id: Given, messages: Given) -> Update:
    return update(tables.history_job).where(_job.job_id == job_id).values(messages=messages)


async def finish(connection: AsyncConnection, job_ids: Collection[int], at: datetime) -> None:
    """Mark those of some jobs as finished that have nothing to read any more, not even in excluded channels."""
    more = exists().where(tables.history_job_channel.c.job_id == _job.job_id)
    await connection.execute(
        update(tables.history_job)
        .where(_job.job_id.in_(sorted(job_ids)), _open(), _job.listed.is_(True), ~more)
        .values(finished_at=at)
    )


async def cancel(connection: AsyncConnection, guild_id: int, at: datetime) -> int:
    """Cancel a guild's backfills; returns how many there were. What they recorded stays."""
    return await _cancel(connection, (_job.guild_id == guild_id) & (_job.kind == JobKind.BACKFILL.value), at)


async def cancel_for_others(connection: AsyncConnection, guild_id: int, at: datetime) -> None:
    """Cancel the jobs that read again for people who are no managers any more."""
    again = (_job.guild_id == guild_id) & (_job.kind == JobKind.READ_AGAIN.value)
    await _cancel(connection, again & _job.manager_id.not_in(manager_ids(guild_id)), at)


async def _cancel(connection: AsyncConnection, which: ColumnElement[bool], at: datetime) -> int:
    ended = select(_job.job_id).where(which, _open())
    channel = tables.history_job_channel
    await connection.execute(delete(channel).where(channel.c.job_id.in_(ended)))
    result = await connection.execute(update(tables.history_job).where(which, _open()).values(cancelled_at=at))
    return int(result.rowcount)
