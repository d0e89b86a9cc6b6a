"""The settings of a guild and of its managers."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.domain.calendar import local_day, monday_of

LANGUAGES = ("en", "de", "fr", "es", "pt_BR")
"""The codes of the languages that Spade speaks; the source language comes first."""


@dataclass(frozen=True, slots=True)
class GuildSettings:
    """A guild's settings. Hours are local, 0 to 23; weekdays as in `date.weekday` (Monday is 0).

    `digest_from_at` is when digests were switched on; None without a digest channel. `keep_months` is how
    many months of the record are kept; None keeps all. With `show_verdict` False the digest does not name its verdict.
    `language` is one of LANGUAGES.
    """

    guild_id: int
    zone: ZoneInfo
    digest_channel_id: int | None = None
    digest_weekday: int = 0
    digest_hour: int = 9
    digest_from_at: datetime | None = None
    show_verdict: bool = True
    language: str = "en"
    keep_months: int | None = None

    @property
    def digest_from_on(self) -> date | None:
        """The Monday of the first week with a digest, the one in which they were switched on.

        It is that of the zone that is set now: the moment stays when the zone changes, the week may not.
        """
        return None if self.digest_from_at is None else monday_of(local_day(self.digest_from_at, self.zone))


@dataclass(frozen=True, slots=True)
class ManagerSettings:
    """A manager's own settings. A `zone` of None means the guild's. Without `enrolled_at` no DM is sent.

    `paused_until_on` is the first day with nudges again. `refused_at` is when Discord refused a DM to the manager.
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
        """Whether nudges are on, not refused and not paused on a local day. Ignores the weekday."""
        return (
            self.enrolled_at is not None
            and self.refused_at is None
            and (self.paused_until_on is None or self.paused_until_on <= day)
        )
