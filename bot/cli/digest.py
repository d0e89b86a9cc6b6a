"""`spade digest`: a week in figures, on the terminal, as JSON, as a picture or as a page."""

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.failure import Failure
from bot.cli.on_record import guild_on_record
from bot.cli.options import (
    ConfigOption,
    DatabaseOption,
    GuildOption,
    JsonOption,
    require_day_of_discord,
    settings_of,
)
from bot.cli.output import PAGE, PICTURE, ForceOption, Outputs
from bot.clock import SystemClock
from bot.config import Settings
from bot.domain.digest_draft import DigestDraft
from bot.services.digest.report import Reporter
from bot.store.database import open_database
from bot.views.words.sentence import speaking


def digest(
    guild: GuildOption,
    week: Annotated[str, typer.Option(metavar="MONDAY", help="The week, by the date of its Monday: 2026-03-02.")],
    config: ConfigOption = None,
    database: DatabaseOption = None,
    *,
    as_json: JsonOption = False,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the picture there.")] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the team's digest there, as one page to mail around.")
    ] = None,
    force: ForceOption = False,
) -> None:
    """Show a week's digest: the team's figures and each manager's.

    A week whose digest went out is shown as it said, with what is different on record now. --json has the week as it is
    on record now, and what the digest said under `posted`.
    """
    settings = settings_of(config, database)
    monday = _monday(week)
    chosen = [name for name, given in (("--json", as_json), ("--png", png), ("--html", html)) if given]
    if len(chosen) > 1:
        raise Failure(f"{' and '.join(chosen)} exclude each other: choose one", status=2)
    outputs = Outputs(settings, config, force=force)
    for path, kind in ((png, PICTURE), (html, PAGE)):
        if path is not None:
            outputs.require(path, kind)
    draft = asyncio.run(_draft(settings, guild, monday))
    with speaking(draft.week.guild.language):
        if as_json:
            print(json.dumps(draft.week.document()))
        elif png is not None:
            picture = _picture(draft)
            if picture is None:
                raise Failure(f"the week of {monday} has too few conversations to draw")
            outputs.write(png, picture, PICTURE)
        elif html is not None:
            outputs.write(html, _page(draft).encode(), PAGE)
        else:
            _print(draft)


# What is needed to show a digest in one way is imported for that one alone.


def _print(draft: DigestDraft) -> None:
    from rich.console import Console  # noqa: PLC0415 - see above

    from bot.views.digest.terminal import digest_report, managers_report  # noqa: PLC0415 - see above

    console = Console()
    console.print(digest_report(draft))
    console.print(managers_report(draft.week.report.managers, draft.rules))


def _page(draft: DigestDraft) -> str:
    from bot.views.digest.html import digest_page  # noqa: PLC0415 - see above

    return digest_page(draft, _picture(draft))


def _picture(draft: DigestDraft) -> bytes | None:
    from bot.views.digest.chart import digest_picture  # noqa: PLC0415 - see above

    picture = digest_picture(draft)
    if picture is None:
        return None
    from bot.drawing import rasterised  # noqa: PLC0415 - see above
    from bot.views.digest.canvas import draw_digest  # noqa: PLC0415 - see above

    return rasterised(draw_digest(picture))


async def _draft(settings: Settings, guild_id: int, monday: date) -> DigestDraft:
    database = await open_database(settings.database, write=False)
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
    require_day_of_discord(monday, text)
    if monday.weekday() != 0:
        raise Failure(f"{text} is a {monday:%A}: a week is named by its Monday", status=2)
    return monday
