"""Reads the time zones on record, whose names can be unknown to this machine: files move, and zones are renamed."""

import logging
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from bot.domain.zones import zone_named
from bot.store.error import UnknownZoneError

log = logging.getLogger(__name__)


def guild_zone(row: Row[Any]) -> ZoneInfo:
    """The time zone of a row of `guild`; UnknownZoneError if there is none of that name."""
    zone = zone_named(row.time_zone)
    if zone is None:
        raise UnknownZoneError(row.guild_id, row.time_zone)
    return zone


def own_zone(row: Row[Any]) -> ZoneInfo | None:
    """The time zone of a row of `manager`; None, which stands for the guild's, without one or while it is unknown."""
    zone = zone_named(row.time_zone) if row.time_zone else None
    if row.time_zone and zone is None:
        log_once(
            f"The manager {row.manager_id} of the server {row.guild_id} has the time zone {row.time_zone!r} on record, "
            "which is none that Spade knows: the server's holds until they choose one with /nudges zone."
        )
    return zone


@lru_cache(maxsize=1000)
def log_once(sentence: str) -> None:
    """Log a sentence about a stored zone as a warning, unless it was logged lately: rows are read at every tick."""
    log.warning("%s", sentence)
