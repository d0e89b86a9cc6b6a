"""`spade backfill`: reads history from before the bot joined, from the command line."""

import asyncio
from datetime import date
from typing import Annotated

import typer
from rich.console import Console

from bot.app import open_app
from bot.bot_token import bot_token
from bot.cli.failure import Failure
from bot.cli.options import ConfigOption, DatabaseOption, GuildOption, require_day_of_discord, settings_of
from bot.cli.run import DiscordUrlOption, connected, point
from bot.clock import SystemClock
from bot.config import Settings
from bot.services.record.job_progress import JobProgress
from bot.views.guild.backfill import backfill_progress

_LOOK_EVERY_SECONDS = 0.5


def backfill(
    guild: GuildOption,
    since: Annotated[str, typer.Option(metavar="DATE", help="The first day to read: 2026-01-31.")],
    config: ConfigOption = None,
    database: DatabaseOption = None,
    discord_url: DiscordUrlOption = None,
) -> None:
    """Read history from before the bot came.

    The bot itself must not be running. What is on record already is skipped. Nothing is sent to anybody. Channels that
    cannot be read are named; the bot reads them once it can.
    """
    settings = settings_of(config, database)
    try:
        day = date.fromisoformat(since)
    except ValueError:
        raise Failure(f"{since!r} is not a date: write it as 2026-01-31", status=2) from None
    require_day_of_discord(day, since)
    token = bot_token()
    point(discord_url)
    ended = asyncio.run(_run(settings, token, guild, day))
    print(backfill_progress(ended))
    if not ended.finished:
        raise typer.Exit(1)


async def _run(settings: Settings, token: str, guild_id: int, first_on: date) -> JobProgress:
    async with connected(open_app(settings, SystemClock()), token) as app:
        if app.bot.get_guild(guild_id) is None:
            raise Failure(f"Spade is not in the server {guild_id}: invite it first, or check the id")
        job = await app.reader.backfill_from(guild_id, first_on)
        with Console(stderr=True).status("") as status:
            losing = asyncio.create_task(app.database.lost())
            while (progress := app.reader.progress(guild_id)[0]).running:
                if losing.done():
                    raise losing.result()
                status.update(backfill_progress(progress))
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
            losing.cancel()
        return await app.reader.wait(job)
