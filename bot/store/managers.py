"""The managers of a guild, the roles that make managers, and what each manager has set."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.guild import ManagerSettings
from bot.store import forgetting, tables
from bot.store.insertion import insert_into

_manager = tables.manager.c


def _settings(row: Row[Any]) -> ManagerSettings:
    return ManagerSettings(
        guild_id=row.guild_id,
        manager_id=row.manager_id,
        enrolled_at=row.enrolled_at,
        zone=ZoneInfo(row.time_zone) if row.time_zone else None,
        nudge_hour=row.nudge_hour,
        nudge_weekdays=frozenset(int(day) for day in row.nudge_weekdays.split(",") if day),
        paused_until_on=row.paused_until_on,
        refused_at=row.refused_at,
    )


async def people(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """Who is on the manager list."""
    return frozenset(await connection.scalars(select(_manager.manager_id).where(_manager.guild_id == guild_id)))


async def people_by_role(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """Those of them who are there because of a role."""
    query = select(_manager.manager_id).where(_manager.guild_id == guild_id, _manager.by_role_id.is_not(None))
    return frozenset(await connection.scalars(query))


async def roles(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The roles that put whoever bears them on the list."""
    table = tables.manager_role
    return frozenset(await connection.scalars(select(table.c.role_id).where(table.c.guild_id == guild_id)))


async def set_roles(connection: AsyncConnection, guild_id: int, role_ids: Iterable[int]) -> None:
    """Replace the manager roles. Whoever is on the list by a role that is gone is taken off."""
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
    """Put people on the list; who is on it already stays as they are, but for a role giving way to a name.

    Whoever asked to be forgotten is not put on it before they opted in again.
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
    """Take people off the list, with what they had set."""
    await connection.execute(
        delete(tables.manager).where(_manager.guild_id == guild_id, _manager.manager_id.in_(sorted(set(manager_ids))))
    )


async def settings_of(connection: AsyncConnection, guild_id: int, manager_id: int) -> ManagerSettings | None:
    """One manager's settings; None when that person is no manager there."""
    query = select(tables.manager).where(_manager.guild_id == guild_id, _manager.manager_id == manager_id)
    row = (await connection.execute(query)).first()
    return None if row is None else _settings(row)


async def all_settings(connection: AsyncConnection, guild_id: int) -> tuple[ManagerSettings, ...]:
    """Every manager of a guild, in the order of their ids."""
    query = select(tables.manager).where(_manager.guild_id == guild_id).order_by(_manager.manager_id)
    return tuple(_settings(row) for row in await connection.execute(query))


async def save(connection: AsyncConnection, settings: ManagerSettings) -> None:
    """Replace what a manager has set; nothing happens when they are no manager (any more)."""
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
        )
    )


async def mark_refused(connection: AsyncConnection, manager_id: int, at: datetime | None) -> None:
    """Note that a person's DMs are closed (or, with None, open again), in every guild they manage."""
    await connection.execute(update(tables.manager).where(_manager.manager_id == manager_id).values(refused_at=at))
