"""The time zones of the tz database, and a search in their names.

They are those of the package tzdata, not the files of the machine: a name means the same wherever the database moves.
"""

from importlib import resources
from zoneinfo import ZoneInfo

_NO_PLACE = {"Factory"}
"""What the list has besides: the zone of a machine that was never set up."""
ZONES = sorted(set(resources.files("tzdata").joinpath("zones").read_text(encoding="ascii").split()) - _NO_PLACE)
_BY_TYPED = {zone.casefold(): zone for zone in ZONES}


def zone_named(text: str) -> ZoneInfo | None:
    """The time zone with a name, typed in any case; None if there is none."""
    name = _BY_TYPED.get(text.strip().replace(" ", "_").casefold())
    return None if name is None else ZoneInfo(name)


def zones_like(typed: str) -> list[str]:
    """The time zones whose names contain the typed text, ignoring case."""
    wanted = typed.strip().lower().replace(" ", "_")
    return [zone for zone in ZONES if wanted in zone.lower()]
