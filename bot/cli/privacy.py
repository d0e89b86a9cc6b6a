"""`spade privacy`: export and erasure by the host, for people who can no longer use `/privacy`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import typer

from bot.cli.confirmation import confirm
from bot.cli.on_record import require_guild
from bot.cli.options import ConfigOption, DatabaseOption, GuildOption, checked_ids, settings_of
from bot.clock import SystemClock
from bot.config import Settings
from bot.services.members.privacy import PrivacyService
from bot.services.members.roster import Roster
from bot.store.database import open_database


def privacy(
    guild: GuildOption,
    person: Annotated[int, typer.Option("--person", metavar="ID", help="Whom it is about.", callback=checked_ids)],
    config: ConfigOption = None,
    database: DatabaseOption = None,
    *,
    erase: Annotated[bool, typer.Option("--erase", help="Erase it, for good. The bot must not be running.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before --erase.")] = False,
) -> None:
    """Print all that is stored about a person as JSON, or erase it.

    It does what /privacy export and /privacy erase do, for somebody who has left the server and asks you.
    """
    settings = settings_of(config, database)
    if not erase:
        print(json.dumps(asyncio.run(_export(settings, guild, person)), indent=2))
        return
    if not yes:
        confirm(
            f"Erase everything about the person {person} from the record of the server {guild}? This cannot be undone.",
            "--erase asks before it erases",
        )
    rows = asyncio.run(_erase(settings, guild, person))
    print(f"Erased {rows} entries. Nothing about this person will be recorded on that server any more.")


async def _export(settings: Settings, guild_id: int, person_id: int) -> dict[str, Any]:
    async with _service(settings, guild_id, write=False) as service:
        return await service.export(guild_id, person_id)


async def _erase(settings: Settings, guild_id: int, person_id: int) -> int:
    async with _service(settings, guild_id, write=True) as service:
        rows = await service.erase(guild_id, person_id)
        await service.scrub()
        return rows


@asynccontextmanager
async def _service(settings: Settings, guild_id: int, *, write: bool) -> AsyncIterator[PrivacyService]:
    database, clock = await open_database(settings.database, write=write), SystemClock()
    try:
        await require_guild(database, guild_id)
        yield PrivacyService(database, Roster(database, clock), clock)
    finally:
        await database.close()
