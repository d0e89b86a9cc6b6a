"""A week in figures, and its stable shape as a document (DESIGN §10)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.figures import Figures, ReplyMinutes, Verdict


@dataclass(frozen=True, slots=True)
class WeekReport:
    """The team's figures and each manager's. `complete` is False when a known gap of the record overlaps the week."""

    guild_id: int
    week_on: date
    zone: ZoneInfo
    complete: bool
    team: Figures
    managers: tuple[tuple[int, Figures], ...]

    def document(self) -> dict[str, Any]:
        """The report as JSON has it: ids are strings, shares fractions, unknown is null."""
        return {
            "guild_id": str(self.guild_id),
            "week": self.week_on.isoformat(),
            "time_zone": self.zone.key,
            "complete": self.complete,
            "team": asdict(self.team),
            "managers": [{"manager_id": str(manager_id), **asdict(figures)} for manager_id, figures in self.managers],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "WeekReport":
        """The inverse of `document`."""
        return cls(
            guild_id=int(document["guild_id"]),
            week_on=date.fromisoformat(document["week"]),
            zone=ZoneInfo(document["time_zone"]),
            complete=document["complete"],
            team=_figures(document["team"]),
            managers=tuple((int(entry["manager_id"]), _figures(entry)) for entry in document["managers"]),
        )


@dataclass(frozen=True, slots=True)
class DigestDraft:
    """A digest about to be put into words.

    `history` are the team's figures of the last weeks, this one last; None where nothing is on record.
    `conversations` are this week's, by member, without ids. `late` says that its day of posting is over; `running`
    that the week is not. `first_week` is the first with anything on record.
    """

    delivery_id: str | None
    guild_name: str
    report: WeekReport
    history: tuple[tuple[date, Figures | None], ...]
    conversations: tuple[int, ...]
    late: bool = False
    running: bool = False
    first_week: bool = False


def _figures(document: Mapping[str, Any]) -> Figures:
    values = {key: value for key, value in document.items() if key != "manager_id"}
    return Figures(
        **{
            **values,
            "verdict": Verdict(values["verdict"]),
            "reply_minutes": ReplyMinutes(**values["reply_minutes"]),
        }
    )
