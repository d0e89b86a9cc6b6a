"""What jobs have still to read of the history, channel by channel. The caller provides the transaction.

Channels that are excluded are left as they are, and stay out of every answer: they are read once they count again.
"""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Delete, Select, delete, exists, func, insert, or_, select, update

from bot.domain.history_job import JobKind, LeftOut, Unread
from bot.domain.span import Span, common, merged, unrecorded
from bot.store import spans, tables
from bot.store.engine import AsyncConnection
from bot.store.insertion import insert_into
from bot.store.people import is_counted
from bot.store.prepared import Given, prepared

_job = tables.history_job.c
_channel = tables.history_job_channel.c
_stretch = tables.history_job_stretch.c


def _counted(guild_id: int) -> ColumnElement[bool]:
    excluded = select(tables.excluded_channel.c.channel_id).where(tables.excluded_channel.c.guild_id == guild_id)
    return is_counted(_channel.channel_id, guild_id) & or_(
        _channel.parent_id.is_(None), _channel.parent_id.not_in(excluded)
    )


async def add_record(connection: AsyncConnection, guild_id: int, job_id: int) -> int:
    """Let a job have to read all that is on record; returns in how many channels that is. Excluded ones are among them.

    Where messages were imported, that is from the first to the last of a channel, up to where its record ends: what is
    behind that has still to be fetched anyway, and its messages must not seem to be. What is recorded later is not
    added.
    """
    span, message, channel = tables.span.c, tables.imported_message.c, tables.imported_channel.c
    told = select(span.channel_id, span.parent_id, span.first_id, span.last_id).where(span.guild_id == guild_id)
    imported = (
        select(
            message.channel_id, func.max(channel.parent_id), func.min(message.message_id), func.max(message.message_id)
        )
        .join_from(tables.imported_message, tables.imported_channel, channel.channel_id == message.channel_id)
        .where(message.guild_id == guild_id, channel.gone.is_(False))
        .group_by(message.channel_id)
    )
    ends = await spans.ends(connection, guild_id)
    found = [(*row[:2], Span(*row[2:])) for row in await connection.execute(told)]
    for channel_id, parent_id, first_id, last_id in await connection.execute(imported):
        if first_id <= ends[channel_id]:
            found.append((channel_id, parent_id, Span(first_id, min(last_id, ends[channel_id]))))
    parents, stretches = dict[int, int | None](), dict[int, list[Span]]()
    for channel_id, parent_id, stretch in found:
        parents[channel_id] = parents.get(channel_id) or parent_id
        stretches.setdefault(channel_id, []).append(stretch)
    if not parents:
        return 0
    job = {"job_id": job_id, "guild_id": guild_id}
    await connection.execute(
        insert_into(connection, tables.history_job_channel).on_conflict_do_nothing(),
        [
            {**job, "channel_id": channel_id, "parent_id": parent_id, "archive": False}
            for channel_id, parent_id in parents.items()
        ],
    )
    await connection.execute(
        insert_into(connection, tables.history_job_stretch).on_conflict_do_nothing(),
        [
            {**job, "channel_id": channel_id, "first_id": part.first_id, "last_id": part.last_id}
            for channel_id, some in stretches.items()
            for part in merged(some)  # files may tell what Discord told as well: cut apart, the two would be one row
        ],
    )
    return len(parents)


async def add(connection: AsyncConnection, guild_id: int, job_id: int, found: Iterable[Unread]) -> int:
    """Let a job have to read these channels, too; returns how many that are.

    Those that it has to read already stay as they are.
    """
    query = select(_channel.channel_id).where(_channel.guild_id == guild_id, _channel.job_id == job_id)
    known = frozenset(await connection.scalars(query))
    new: dict[int, Unread] = {}
    for one in found:
        if (one.stretches or one.archive) and one.channel_id not in known:
            new.setdefault(one.channel_id, one)
    channels = [
        {**_key(guild_id, job_id, one.channel_id), "parent_id": one.parent_id, "archive": one.archive}
        for one in new.values()
    ]
    stretches = [
        {**_key(guild_id, job_id, one.channel_id), "first_id": part.first_id, "last_id": part.last_id}
        for one in new.values()
        for part in one.stretches
    ]
    if channels:
        await connection.execute(insert(tables.history_job_channel), channels)
    if stretches:
        await connection.execute(insert(tables.history_job_stretch), stretches)
    return len(new)


def _key(guild_id: int, job_id: int, channel_id: int) -> dict[str, int]:
    return {"job_id": job_id, "channel_id": channel_id, "guild_id": guild_id}


async def of_job(connection: AsyncConnection, guild_id: int, job_id: int) -> tuple[Unread, ...]:
    """What a job has still to read, by channel id."""
    query = (
        select(_channel.channel_id, _channel.parent_id, _channel.archive, _channel.left_out)
        .where(_channel.guild_id == guild_id, _channel.job_id == job_id, _counted(guild_id))
        .order_by(_channel.channel_id)
    )
    found = (await connection.execute(query)).all()
    stretches: dict[int, list[Span]] = {}
    parts = (
        select(_stretch.channel_id, _stretch.first_id, _stretch.last_id)
        .where(_stretch.job_id == job_id)
        .order_by(_stretch.channel_id, _stretch.first_id)
    )
    for row in await connection.execute(parts):
        stretches.setdefault(row.channel_id, []).append(Span(row.first_id, row.last_id))
    return tuple(
        Unread(
            row.channel_id,
            row.parent_id,
            tuple(stretches.get(row.channel_id, ())),
            row.archive,
            None if row.left_out is None else LeftOut(row.left_out),
        )
        for row in found
    )


async def stretches_of(connection: AsyncConnection, job_ids: Collection[int], channel_id: int) -> tuple[Span, ...]:
    """What one or more jobs have still to read of a channel's messages, together."""
    query = _stretches_of(sorted(job_ids), channel_id)
    return merged(Span(row.first_id, row.last_id) for row in await connection.execute(*query))


@prepared
def _stretches_of(job_ids: Given, channel_id: Given) -> Select[Any]:
    return select(_stretch.first_id, _stretch.last_id).where(
        _stretch.job_id.in_(job_ids), _stretch.channel_id == channel_id
    )


async def read(
    connection: AsyncConnection, job_ids: Collection[int], channel_id: int, span: Span, still: Collection[Span] = ()
) -> None:
    """A span of a channel was read for jobs, but for the parts that are `still` to be read."""
    query = _stretches_meeting(sorted(job_ids), channel_id, span.first_id, span.last_id)
    for row in (await connection.execute(*query)).all():
        key = _key(row.guild_id, row.job_id, channel_id)
        whole = Span(row.first_id, row.last_id)
        left = merged((*unrecorded(whole, [span]), *common([whole], common([span], still))))
        await connection.execute(*_without_stretch(row.job_id, channel_id, row.first_id))
        if left:
            rows = [{**key, "first_id": part.first_id, "last_id": part.last_id} for part in left]
            await connection.execute(insert(tables.history_job_stretch), rows)
    await _drop_read(connection, job_ids, channel_id)


@prepared
def _stretches_meeting(job_ids: Given, channel_id: Given, first_id: Given, last_id: Given) -> Select[Any]:
    return select(_stretch.job_id, _stretch.first_id, _stretch.last_id, _stretch.guild_id).where(
        _stretch.job_id.in_(job_ids),
        _stretch.channel_id == channel_id,
        _stretch.first_id <= last_id,
        _stretch.last_id >= first_id,
    )


@prepared
def _without_stretch(job_id: Given, channel_id: Given, first_id: Given) -> Delete:
    return delete(tables.history_job_stretch).where(
        _stretch.job_id == job_id, _stretch.channel_id == channel_id, _stretch.first_id == first_id
    )


async def read_for_managers(
    connection: AsyncConnection,
    guild_id: int,
    manager_ids: Collection[int],
    channel_id: int,
    span: Span,
    still: Collection[Span],
) -> None:
    """The same for the jobs that read again for these managers."""
    query = select(_job.job_id).where(
        _job.guild_id == guild_id,
        _job.kind == JobKind.READ_AGAIN.value,
        _job.manager_id.in_(sorted(manager_ids)),
        _job.finished_at.is_(None),
        _job.cancelled_at.is_(None),
    )
    await read(connection, list(await connection.scalars(query)), channel_id, span, still)


async def forget_before(connection: AsyncConnection, job_ids: Collection[int], first_id: int) -> None:
    """Let jobs not have to read what is before a position."""
    begun = (_stretch.job_id.in_(sorted(job_ids)), _stretch.first_id <= first_id)
    key = (_stretch.job_id, _stretch.channel_id, _stretch.guild_id)
    last_id = func.max(_stretch.last_id)
    across = select(*key, last_id.label("last_id")).where(*begun).group_by(*key).having(last_id >= first_id)
    left = [
        {**_key(row.guild_id, row.job_id, row.channel_id), "first_id": first_id, "last_id": row.last_id}
        for row in await connection.execute(across)
    ]
    await connection.execute(delete(tables.history_job_stretch).where(*begun))
    if left:
        await connection.execute(insert(tables.history_job_stretch), left)
    await _drop_read(connection, job_ids)


async def has_no_messages(connection: AsyncConnection, job_ids: Collection[int], channel_id: int) -> None:
    """A channel turned out to have no messages of its own."""
    await connection.execute(
        delete(tables.history_job_stretch).where(
            _stretch.job_id.in_(sorted(job_ids)), _stretch.channel_id == channel_id
        )
    )
    await _drop_read(connection, job_ids, channel_id)


async def archive_found(connection: AsyncConnection, job_id: int, channel_id: int) -> None:
    """All archived threads of a channel are on the job's list."""
    await connection.execute(
        update(tables.history_job_channel)
        .where(_channel.job_id == job_id, _channel.channel_id == channel_id)
        .values(archive=False, left_out=None)
    )
    await _drop_read(connection, [job_id], channel_id)


async def _drop_read(connection: AsyncConnection, job_ids: Collection[int], channel_id: int | None = None) -> None:
    """Take a channel off the lists of jobs, or any channel, of which nothing is left to be read."""
    jobs = sorted(job_ids)
    await connection.execute(*(_without_read(jobs) if channel_id is None else _without_read_one(jobs, channel_id)))


@prepared
def _without_read(job_ids: Given) -> Delete:
    more = exists().where(_stretch.job_id == _channel.job_id, _stretch.channel_id == _channel.channel_id)
    return delete(tables.history_job_channel).where(_channel.job_id.in_(job_ids), _channel.archive.is_(False), ~more)


@prepared
def _without_read_one(job_ids: Given, channel_id: Given) -> Delete:
    more = exists().where(_stretch.job_id == _channel.job_id, _stretch.channel_id == _channel.channel_id)
    return delete(tables.history_job_channel).where(
        _channel.job_id.in_(job_ids), _channel.archive.is_(False), _channel.channel_id == channel_id, ~more
    )


async def leave_out(connection: AsyncConnection, job_ids: Collection[int], channel_id: int, reason: LeftOut) -> None:
    """Note why a channel could not be read."""
    await connection.execute(
        update(tables.history_job_channel)
        .where(_channel.job_id.in_(sorted(job_ids)), _channel.channel_id == channel_id)
        .values(left_out=reason.value)
    )


async def left_out(
    connection: AsyncConnection, guild_id: int, job_id: int | None = None
) -> dict[LeftOut, tuple[int, ...]]:
    """The channels that jobs of a guild, or one of them, tried to read and could not, by why."""
    query = (
        select(_channel.channel_id, _channel.left_out)
        .where(_channel.guild_id == guild_id, _channel.left_out.is_not(None), _counted(guild_id))
        .distinct()
        .order_by(_channel.channel_id)
    )
    if job_id is not None:
        query = query.where(_channel.job_id == job_id)
    found: dict[LeftOut, tuple[int, ...]] = {}
    for channel_id, reason in await connection.execute(query):
        found[LeftOut(reason)] = (*found.get(LeftOut(reason), ()), channel_id)
    return found


async def untried(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The ids of the jobs with something to read that was not tried yet."""
    query = select(_channel.job_id).where(
        _channel.guild_id == guild_id, _channel.left_out.is_(None), _counted(guild_id)
    )
    return frozenset(await connection.scalars(query.distinct()))


async def of_new_managers(connection: AsyncConnection, guild_id: int) -> tuple[Span, ...]:
    """What is on record and was not yet read again for all managers, in channels that are not excluded."""
    query = (
        select(_stretch.first_id, _stretch.last_id)
        .join(
            tables.history_job_channel,
            (_channel.job_id == _stretch.job_id) & (_channel.channel_id == _stretch.channel_id),
        )
        .join(tables.history_job, _job.job_id == _stretch.job_id)
        .where(_stretch.guild_id == guild_id, _job.kind == JobKind.READ_AGAIN.value, _counted(guild_id))
    )
    return tuple(Span(row.first_id, row.last_id) for row in await connection.execute(query))
