"""The world's time zones, and finding one by what a person types."""

from zoneinfo import available_timezones

ZONES = sorted(available_timezones())


def zones_like(typed: str) -> list[str]:
    """Time zones that contain what was typed."""
    wanted = typed.strip().lower().replace(" ", "_")
    return [zone for zone in ZONES if wanted in zone.lower()]
