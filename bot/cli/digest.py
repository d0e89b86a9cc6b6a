"""`spade digest`: a week in figures, on the terminal, as JSON or as a picture."""

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.cli.failure import Failure
from bot.cli.options import ConfigOption, DatabaseOption, GuildOption, JsonOption, guild_on_record, settings_of
from bot.clock import SystemClock
from bot.config import Settings
from bot.domain.report import DigestDraft
from bot.services.report import Reporter
from bot.store.database import StoreError, open_database
from bot.views.digest import digest_picture
from bot.views.drafts import digest_facts
from bot.views.picture import draw_digest
from bot.views.terminal import digest_report


def digest(
    guild: GuildOption,
    week: Annotated[str, typer.Option(metavar="MONDAY", help="The week, by the date of its Monday: 2026-03-02.")],
    config: ConfigOption = None,
    database: DatabaseOption = None,
    *,
    as_json: JsonOption = False,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the picture there.")] = None,
) -> None:
    """Show the digest of a week: the team's figures and each manager's."""
    settings = settings_of(config, database)
    monday = _monday(week)
    if as_json and png is not None:
        raise Failure("--json and --png exclude each other: choose one", status=2)
    draft = asyncio.run(_draft(settings, guild, monday))
    if as_json:
        print(json.dumps(draft.report.document()))
    elif png is not None:
        picture = digest_picture(digest_facts(draft, settings.domain_rules()))
        if picture is None:
            raise Failure(f"the week of {monday} has no conversations to draw")
        try:
            png.write_bytes(draw_digest(picture))
        except OSError as error:
            raise Failure(f"the picture cannot be written to {png}: {error.strerror}") from error
    else:
        Console().print(digest_report(digest_facts(draft, settings.domain_rules())))


async def _draft(settings: Settings, guild_id: int, monday: date) -> DigestDraft:
    try:
        database = await open_database(settings.database, write=False)
    except StoreError as error:
        raise Failure(str(error)) from error
    try:
        guild = await guild_on_record(database, guild_id)
        reporter = Reporter(database, settings.domain_rules())
        return await reporter.draft(guild, monday, f"Server {guild_id}", SystemClock().now())
    finally:
        await database.close()


def _monday(text: str) -> date:
    try:
        monday = date.fromisoformat(text)
    except ValueError:
        raise Failure(f"{text!r} is no date: write the week's Monday as 2026-03-02", status=2) from None
    if monday.weekday() != 0:
        raise Failure(f"{text} is a {monday:%A}: a week is named by its Monday", status=2)
    return monday
