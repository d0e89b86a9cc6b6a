"""What imports put on record, table by table, so that two records can be compared."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.clock import SystemClock
from bot.domain.rules import Rules
from bot.exports.archive import Archive
from bot.services.record.imports import Imported, Importer
from bot.store import guilds, tables
from bot.store.database import Database
from tests.support.rows import rows

COMPARED = (
    tables.activity,
    tables.member,
    tables.touch,
    tables.waiting,
    tables.waiting_for,
    tables.span,
    tables.imported_channel,
    tables.imported_message,
)

Rows = dict[str, list[tuple[object, ...]]]


async def on_record(database: Database) -> Rows:
    """All rows of the record, in order; activity day by day."""
    found: Rows = {name: sorted(told, key=repr) for name, told in (await rows(database, *COMPARED)).items()}
    return found


async def import_paths(
    database: Database, paths: Iterable[Path], managers: Sequence[int], zone: str = "UTC"
) -> Imported | None:
    """Import some files as one command does; None if none of them can be used."""
    with Archive(paths) as archive:
        if archive.guild_id is None:
            return None
        return await Importer(database, Rules(), SystemClock()).run(archive, archive.guild_id, managers, ZoneInfo(zone))


async def record_of(
    database: Database, guild_id: int, commands: Iterable[Sequence[Path]], managers: Sequence[int]
) -> Rows:
    """The record that some commands make of nothing. The guild is purged before, and after."""
    async with database.writing() as connection:
        await guilds.purge(connection, guild_id)
    for paths in commands:
        await import_paths(database, paths, managers)
    found = await on_record(database)
    async with database.writing() as connection:
        await guilds.purge(connection, guild_id)
    return found


def differences(one: Rows, other: Rows) -> list[str]:
    """What two records do not have in common, a few rows of each table."""
    return [
        f"{name}: {sorted(set(mine) ^ set(other[name]), key=repr)[:4]}"
        for name, mine in one.items()
        if mine != other[name]
    ]
