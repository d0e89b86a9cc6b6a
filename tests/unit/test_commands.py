"""The list of commands: what it says of each, and what it costs to show it."""

import asyncio
import inspect
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.cli.commands import COMMANDS, function_of
from bot.domain.guild import GuildSettings
from bot.store import guilds, managers
from bot.store.database import open_database

BROUGHT_ALONG = ("alembic", "asyncpg", "pydantic", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm")
"""What SQLAlchemy, migrations or Typer would bring along, and a SQLite database that is up to date does not need."""
HEAVY = ("alembic", "discord", "msgspec", "resvg_py", "rich", "sqlalchemy")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_the_first_sentence_of_its_help(name: str) -> None:
    assert (inspect.getdoc(function_of(name)) or "").startswith(COMMANDS[name].summary)
    assert COMMANDS[name].summary.endswith(".")


def loaded(*commands: tuple[str, ...], without: tuple[str, ...]) -> tuple[str, list[str]]:
    """What the commands print, run one after the other in a process, and which of these modules they loaded."""
    code = f"""
import sys
from bot.cli.main import exit_status
for command in {commands}:
    assert exit_status(command) == 0, command
print(*[name for name in {without} if name in sys.modules], file=sys.stderr)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return found.stdout, found.stderr.splitlines()[-1].split()


def test_the_list_is_shown_without_importing_what_commands_need() -> None:
    shown, heavy = loaded(("--help",), without=HEAVY)
    assert "import    Put exports of DiscordChatExporter on record." in shown
    assert heavy == []


def test_a_configuration_is_written_without_a_database_library(tmp_path: Path) -> None:
    assert (
        loaded(("init", "--config", str(tmp_path / "config.yaml")), without=("discord", "rich", "sqlalchemy"))[1] == []
    )


def test_commands_about_the_record_import_nothing_for_discord_or_for_drawing(tmp_path: Path) -> None:
    async def fill() -> None:
        database = await open_database(address, write=True)
        async with database.writing() as connection:
            await guilds.save(connection, GuildSettings(guild_id=1, zone=ZoneInfo("UTC")))
            await managers.add(connection, 1, [11])
        await database.close()

    address = f"sqlite:///{tmp_path / 'spade.db'}"
    asyncio.run(fill())
    record = ("--guild", "1", "--database", address)
    commands = (
        ("digest", *record, "--week", "2026-03-02", "--json"),
        ("nudges", *record, "--manager", "11", "--at", "2026-03-02T09:00Z", "--json"),
        ("export", *record, "--to", str(tmp_path / "tables")),
        ("privacy", *record, "--person", "5"),
        ("backup", "--database", address),
        ("check", "--help"),
    )
    unneeded = (
        "aiohttp",
        "alembic",
        "apscheduler",
        "discord",
        "jinja2",
        "mako",
        "matplotlib",
        "rich",
        *BROUGHT_ALONG,
    )
    assert loaded(*commands, without=unneeded)[1] == []


def test_the_bot_imports_nothing_of_the_sandbox_of_files_or_for_drawing() -> None:
    unneeded = ("babel", "bot.exports", "bot.sandbox", "ijson", "jinja2", "resvg_py", "rich", *BROUGHT_ALONG)
    assert loaded(("run", "--help"), without=unneeded)[1] == []


def test_a_command_is_loaded_without_garbage_collections_and_kept_out_of_later_ones() -> None:
    code = """
import gc
from bot.cli.commands import function_of
collected = []
gc.callbacks.append(lambda phase, _: collected.append(phase))
function_of("init")
print(len(collected), gc.isenabled(), gc.get_freeze_count() > 10_000)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "0 True True\n"
