"""The managers of a guild, the manager roles, and the settings of each manager."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, select, true, tuple_, update

from bot.domain.guild import ManagerSettings
from bot.store import due_times, forgetting, tables
from bot.store.engine import AsyncConnection
from bot.store.grouping import grouped
from bot.store.insertion import insert_into
from bot.store.prepared import Given, prepared
from bot.store.stored_zone import own_zone

_manager = tables.manager.c


def _settings(row: Row[Any]) -> ManagerSettings:
    return ManagerSettings(
        guild_id=row.guild_id,
        manager_id=row.manager_id,
        enrolled_at=row.enrolled_at,
        zone=own_zone(row),
        nudge_hour=row.nudge_hour,
        nudge_weekdays=frozenset(int(day) for day in row.nudge_weekdays.split(",") if day),
        paused_until_on=row.paused_until_on,
        refused_at=row.refused_at,
    )


async def people(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The people on the manager list."""
    return (await all_people(connection, [guild_id]))[guild_id]


PEOPLE = (tables.manager,)
"""The tables that managers are read from."""


async def all_people(connection: AsyncConnection, guild_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """The same for several guilds."""
    return grouped(await connection.execute(*_people(list(guild_ids))), guild_ids)


@prepared
def _people(guild_ids: Given) -> Select[Any]:
    return select(_manager.guild_id, _manager.manager_id).where(_manager.guild_id.in_(guild_ids))


async def people_by_role(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The people on the list because of a role."""
    query = select(_manager.manager_id).where(_manager.guild_id == guild_id, _manager.by_role_id.is_not(None))
    return frozenset(await connection.scalars(query))


async def roles(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The roles whose bearers are put on the list."""
    table = tables.manager_role
    return frozenset(await connection.scalars(select(table.c.role_id).where(table.c.guild_id == guild_id)))


async def set_roles(connection: AsyncConnection, guild_id: int, role_ids: Iterable[int]) -> None:
    """Replace the manager roles. People on the list because of a removed role are taken off."""
    wanted = sorted(set(role_ids))
    table = tables.manager_role
    await connection.execute(delete(table).where(table.c.guild_id == guild_id))
    if wanted:
        rows = [{"guild_id": guild_id, "role_id": role_id} for role_id in wanted]
        await connection.execute(insert_into(connection, table), rows)
    await connection.execute(
        delete(tables.manager).where(
            _manager.guild_id == guild_id, _manager.by_role_id.is_not(None), _manager.by_role_id.not_in(wanted)
        )
    )


async def add(
    connection: AsyncConnection, guild_id: int, manager_ids: Iterable[int], *, by_role_id: int | None = None
) -> None:
    """Put people on the list, named or by a role.

    The settings of managers already on it do not change, and being named replaces a role. People who asked to be
    forgotten are skipped until they opt in again.
    """
    forgotten = await forgetting.forgotten(connection, guild_id)
    for manager_id in sorted(set(manager_ids)):
        if manager_id in forgotten:
            continue
        statement = insert_into(connection, tables.manager).values(
            guild_id=guild_id, manager_id=manager_id, by_role_id=by_role_id
        )
        if by_role_id is None:
            statement = statement.on_conflict_do_update(
                index_elements=["guild_id", "manager_id"], set_={"by_role_id": None}
            )
        else:
            statement = statement.on_conflict_do_nothing()
        await connection.execute(statement)


async def remove(connection: AsyncConnection, guild_id: int, manager_ids: Iterable[int]) -> None:
    """Take people off the list and delete their settings."""
    await connection.execute(
        delete(tables.manager).where(_manager.guild_id == guild_id, _manager.manager_id.in_(sorted(set(manager_ids))))
    )


async def settings_of(connection: AsyncConnection, guild_id: int, manager_id: int) -> ManagerSettings | None:
    """One manager's settings; None if that person is not a manager of the guild."""
    row = (await connection.execute(*_one(guild_id, manager_id))).first()
    return None if row is None else _settings(row)


@prepared
def _one(guild_id: Given, manager_id: Given) -> Select[Any]:
    return select(tables.manager).where(_manager.guild_id == guild_id, _manager.manager_id == manager_id)


async def all_settings(connection: AsyncConnection, guild_id: int) -> tuple[ManagerSettings, ...]:
    """The settings of every manager of a guild, by manager id."""
    return tuple(_settings(row) for row in await connection.execute(*_team(guild_id)))


@prepared
def _team(guild_id: Given) -> Select[Any]:
    return select(tables.manager).where(_manager.guild_id == guild_id).order_by(_manager.manager_id)


async def settings_among(
    connection: AsyncConnection, keys: Collection[tuple[int, int]]
) -> dict[tuple[int, int], ManagerSettings]:
    """The settings of those of the managers, given by guild and person, who are still on the list."""
    query = select(tables.manager).where(tuple_(_manager.guild_id, _manager.manager_id).in_(sorted(keys)))
    return {(row.guild_id, row.manager_id): _settings(row) for row in await connection.execute(query)}


async def save(connection: AsyncConnection, settings: ManagerSettings) -> None:
    """Replace the settings of a manager; does nothing if the person is not (or no longer) one."""
    await connection.execute(
        update(tables.manager)
        .where(_manager.guild_id == settings.guild_id, _manager.manager_id == settings.manager_id)
        .values(
            enrolled_at=settings.enrolled_at,
            time_zone=settings.zone.key if settings.zone else None,
            nudge_hour=settings.nudge_hour,
            nudge_weekdays=",".join(str(day) for day in sorted(settings.nudge_weekdays)),
            paused_until_on=settings.paused_until_on,
            refused_at=settings.refused_at,
            **due_times.OF_MANAGER,
        )
    )


async def mark_refused(connection: AsyncConnection, manager_id: int, at: datetime | None) -> None:
    """Store since when a manager's DMs are closed (None: open again), in every guild they manage."""
    changes = _manager.refused_at.is_not(None) if at is None else true()
    await connection.execute(
        update(tables.manager)
        .where(_manager.manager_id == manager_id, changes)
        .values(refused_at=at, **due_times.OF_MANAGER)
    )
