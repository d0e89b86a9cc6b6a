"""The ignore list: people and roles that are never counted, nudged or waited for, such as staff."""

from collections.abc import Iterable

from sqlalchemy import delete, select

from bot.store import forgetting, tables
from bot.store.engine import AsyncConnection
from bot.store.insertion import insert_into

_ignored = tables.ignored.c


async def people(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The people on the list, named themselves or by a role."""
    query = select(_ignored.target_id).where(_ignored.guild_id == guild_id, _ignored.is_role.is_(False))
    return frozenset(await connection.scalars(query))


async def people_by_role(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The people on the list because of a role."""
    query = select(_ignored.target_id).where(
        _ignored.guild_id == guild_id, _ignored.is_role.is_(False), _ignored.by_role_id.is_not(None)
    )
    return frozenset(await connection.scalars(query))


async def roles(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
    """The roles whose bearers are put on the list."""
    query = select(_ignored.target_id).where(_ignored.guild_id == guild_id, _ignored.is_role.is_(True))
    return frozenset(await connection.scalars(query))


async def add(
    connection: AsyncConnection, guild_id: int, people_ids: Iterable[int], *, by_role_id: int | None = None
) -> None:
    """Put people on the list, named (which replaces a role) or by a role; skips people who asked to be forgotten."""
    forgotten = await forgetting.forgotten(connection, guild_id)
    for person_id in sorted(set(people_ids)):
        if person_id in forgotten:
            continue
        statement = insert_into(connection, tables.ignored).values(
            guild_id=guild_id, target_id=person_id, is_role=False, by_role_id=by_role_id
        )
        if by_role_id is None:
            statement = statement.on_conflict_do_update(
                index_elements=["guild_id", "target_id"], set_={"by_role_id": None}
            )
        else:
            statement = statement.on_conflict_do_nothing()
        await connection.execute(statement)


async def remove(connection: AsyncConnection, guild_id: int, people_ids: Iterable[int]) -> None:
    """Take people off the list."""
    ids = sorted(set(people_ids))
    await connection.execute(
        delete(tables.ignored).where(
            _ignored.guild_id == guild_id, _ignored.target_id.in_(ids), _ignored.is_role.is_(False)
        )
    )


async def add_roles(connection: AsyncConnection, guild_id: int, role_ids: Iterable[int]) -> None:
    """Put roles on the list; their bearers are added later, when Spade sees them."""
    for role_id in sorted(set(role_ids)):
        statement = insert_into(connection, tables.ignored).values(guild_id=guild_id, target_id=role_id, is_role=True)
        await connection.execute(statement.on_conflict_do_nothing(index_elements=["guild_id", "target_id"]))


async def remove_roles(connection: AsyncConnection, guild_id: int, role_ids: Iterable[int]) -> None:
    """Take roles off the list, with the people who are on it because of them."""
    ids = sorted(set(role_ids))
    await connection.execute(
        delete(tables.ignored).where(
            _ignored.guild_id == guild_id,
            (_ignored.target_id.in_(ids) & _ignored.is_role.is_(True)) | _ignored.by_role_id.in_(ids),
        )
    )
