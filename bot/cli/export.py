"""`spade export`: the record as tables, from the command line."""

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.failure import unwritable
from bot.cli.on_record import guild_on_record
from bot.cli.options import ConfigOption, DatabaseOption, GuildOption, settings_of
from bot.cli.output import ForceOption, OutputKind, Outputs
from bot.clock import SystemClock
from bot.config import Settings
from bot.services.digest.report import Reporter
from bot.services.guild.export import CsvExport, ExportFacts
from bot.services.guild_reader import GuildReader
from bot.store.database import open_database
from bot.views.guild.export import relationships_csv, weeks_csv


def export(
    guild: GuildOption,
    folder: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where the tables are written.")] = Path(),
    config: ConfigOption = None,
    database: DatabaseOption = None,
    *,
    force: ForceOption = False,
) -> None:
    """Write the team's relationships and weekly figures as CSV files.

    They hold ids and no names: names are never stored. `/export` in Discord adds them.
    """
    settings = settings_of(config, database)
    facts = asyncio.run(_facts(settings, guild))
    outputs = Outputs(settings, config, force=force)
    tables = [
        (folder / name, table.encode("utf-8-sig"))
        for name, table in (("relationships.csv", relationships_csv(facts)), ("weeks.csv", weeks_csv(facts.weeks)))
    ]
    for file, content in tables:  # all or none
        outputs.require(file, _table_like(content))
    for file, content in tables:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(file, error) from error
        outputs.write(file, content, _table_like(content))
        print(f"Wrote {file}.")


def _table_like(content: bytes) -> OutputKind:
    """Tables with the same columns, of this version or of one with fewer at the end."""
    columns, *_ = content.split(b"\r\n", 1)
    return OutputKind("a table of Spade's", b",".join(columns.split(b",")[:3]), b"", private=True)


async def _facts(settings: Settings, guild_id: int) -> ExportFacts:
    database = await open_database(settings.database, write=False)
    try:
        await guild_on_record(database, guild_id)
        rules, reader = settings.domain_rules(), GuildReader(database, SystemClock(), _nothing)
        facts = await CsvExport(reader, _Nameless(), Reporter(database, rules), rules).of(guild_id)
    finally:
        await database.close()
    assert facts is not None  # the guild is on record
    return facts


class _Nameless:
    """Knows no names: nothing asks Discord here."""

    async def names(self, guild_id: int, people: Collection[int]) -> Mapping[int, str]:  # noqa: ARG002 - a role
        """None."""
        return {}


async def _nothing(_guild_id: int) -> None:
    """Nothing is received here that would have to be recorded first."""
