"""Jobs that read history; stored as rows, so that they continue after a restart."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.history_job import HistoryJob, JobKind
from bot.store import tables

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
    )


async def add(
    connection: AsyncConnection,
    guild_id: int,
    kind: JobKind,
    since: datetime,
    at: datetime,
    manager_id: int | None = None,
) -> HistoryJob:
    """Store a new job."""
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


async def unfinished(connection: AsyncConnection, guild_id: int) -> tuple[HistoryJob, ...]:
    """The jobs of a guild that are neither finished nor cancelled, oldest first."""
    query = (
        select(tables.history_job)
        .where(_job.guild_id == guild_id, _job.finished_at.is_(None), _job.cancelled_at.is_(None))
        .order_by(_job.job_id)
    )
    return tuple(_read(row) for row in await connection.execute(query))


async def by_id(connection: AsyncConnection, job_id: int) -> HistoryJob | None:
    """A job by its id; None if there is none."""
    row = (await connection.execute(select(tables.history_job).where(_job.job_id == job_id))).first()
    return None if row is None else _read(row)


async def note_messages(connection: AsyncConnection, job_id: int, messages: int) -> None:
    """Set how many messages a job has read so far."""
    await connection.execute(update(tables.history_job).where(_job.job_id == job_id).values(messages=messages))


async def finish(connection: AsyncConnection, job_id: int, at: datetime) -> None:
    """Mark a job as finished."""
    await connection.execute(update(tables.history_job).where(_job.job_id == job_id).values(finished_at=at))


async def cancel(connection: AsyncConnection, guild_id: int, at: datetime) -> int:
    """Cancel a guild's backfills; returns how many there were. What they recorded stays."""
    result = await connection.execute(
        update(tables.history_job)
        .where(
            _job.guild_id == guild_id,
            _job.kind == JobKind.BACKFILL.value,
            _job.finished_at.is_(None),
            _job.cancelled_at.is_(None),
        )
        .values(cancelled_at=at)
    )
    return int(result.rowcount)
