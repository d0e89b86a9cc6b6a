"""`spade export`: the record as tables, from the command line."""

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.failure import unwritable
from bot.cli.options import ConfigOption, DatabaseOption, GuildOption, guild_on_record, settings_of
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
) -> None:
    """Write the team's relationships and weekly figures as CSV files.

    They hold ids and no names: names are never stored. `/export` in Discord adds them.
    """
    settings = settings_of(config, database)
    facts = asyncio.run(_facts(settings, guild))
    for name, table in (("relationships.csv", relationships_csv(facts)), ("weeks.csv", weeks_csv(facts.weeks))):
        file = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file.write_bytes(table.encode("utf-8-sig"))
        except OSError as error:
            raise unwritable(file, error) from error
        print(f"Wrote {file}.")


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
