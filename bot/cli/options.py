"""The options that several commands share."""

from datetime import date
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli.failure import Failure
from bot.config import Settings, load
from bot.config_error import ConfigError
from bot.database_url import database_url
from bot.domain import zones
from bot.domain.snowflake import HIGHEST_ID
from bot.log import start_log

_FIRST_DAY, _LAST_DAY = date(2015, 6, 1), date(2149, 12, 31)


def _checked_url(value: str | None) -> str | None:
    try:
        return None if value is None else database_url(value)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None


def checked_ids(value: int | list[int] | None) -> int | list[int] | None:
    """The value of an option that takes Discord ids, unchanged; BadParameter if a number cannot be one."""
    for number in value if isinstance(value, list) else [value]:
        if number is not None and not 0 < number <= HIGHEST_ID:
            raise typer.BadParameter(f"{number} is no id of Discord's")
    return value


ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The configuration; config.yaml is read if it is there."),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="The database, in place of the configured one: sqlite:///spade.db or postgresql://user@host/name.",
        callback=_checked_url,
    ),
]

GuildOption = Annotated[int, typer.Option("--guild", metavar="ID", help="The server's id.", callback=checked_ids)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def zone_named(name: str) -> ZoneInfo:
    """The time zone that an option names; Failure if there is none."""
    zone = zones.zone_named(name)
    if zone is None:
        raise Failure(f"there is no time zone {name!r}: write one like Europe/Berlin or UTC", status=2)
    return zone


def require_day_of_discord(day: date, text: str) -> None:
    """Raise Failure if a day, given as `text`, lies before Discord began or beyond the range of its ids."""
    if not _FIRST_DAY <= day <= _LAST_DAY:
        raise Failure(f"{text!r} is outside the years that Discord's ids can name: 2015 to 2150", status=2)


def settings_of(config: Path | None, database: str | None) -> Settings:
    """Load the settings of a command and configure the log accordingly.

    Raises:
        ConfigError: One sentence about what is wrong with them; `main` prints it.
    """
    settings = load(config, database=database)
    start_log(settings.log.level, settings.log.format)
    return settings
