"""What a guild and its managers have set."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

LANGUAGES = ("en", "de", "fr", "es", "pt_BR")
"""What Spade speaks, the language it was written in first."""


@dataclass(frozen=True, slots=True)
class GuildSettings:
    """A guild's settings. Hours are local, 0 to 23; weekdays as in `date.weekday` (Monday is 0).

    `digest_from_on` is the Monday of the first week a digest is posted for; None without a digest channel.
    `keep_months` is how much of the record is kept; None is all of it.
    `show_verdict` off leaves the verdict's word out of the digest. `language` is the code of what Spade speaks there.
    """

    guild_id: int
    zone: ZoneInfo
    digest_channel_id: int | None = None
    digest_weekday: int = 0
    digest_hour: int = 9
    digest_from_on: date | None = None
    show_verdict: bool = True
    language: str = "en"
    keep_months: int | None = None


@dataclass(frozen=True, slots=True)
class ManagerSettings:
    """A manager's own settings. `zone` None is the guild's; not enrolled means no DM, ever.

    `paused_until_on` is the first day nudges come again; `refused_at` is when Discord refused a DM to them.
    """

    guild_id: int
    manager_id: int
    enrolled_at: datetime | None = None
    zone: ZoneInfo | None = None
    nudge_hour: int = 9
    nudge_weekdays: frozenset[int] = frozenset(range(5))
    paused_until_on: date | None = None
    refused_at: datetime | None = None

    def receives_on(self, day: date) -> bool:
        """Whether nudges are on, reach the manager and are not paused on a local day, whatever its weekday."""
        return (
            self.enrolled_at is not None
            and self.refused_at is None
            and (self.paused_until_on is None or self.paused_until_on <= day)
        )
