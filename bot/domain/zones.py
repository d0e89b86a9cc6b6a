"""The time zones of the tz database, and a search in their names."""

from zoneinfo import available_timezones

ZONES = sorted(available_timezones())


def zones_like(typed: str) -> list[str]:
    """The time zones whose names contain the typed text, ignoring case."""
    wanted = typed.strip().lower().replace(" ", "_")
    return [zone for zone in ZONES if wanted in zone.lower()]
