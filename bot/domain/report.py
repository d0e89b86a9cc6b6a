"""A week in figures, and its stable shape as a document (docs/rules.md#machine-readable-shapes)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.figures import Figures, ReplyMinutes, Verdict
from bot.domain.load import Load
from bot.domain.zones import zone_named


@dataclass(frozen=True, slots=True)
class WeekReport:
    """The team's figures and each manager's. `complete` is False if a known gap of the record overlaps the week."""

    guild_id: int
    week_on: date
    zone: ZoneInfo
    complete: bool
    team: Figures
    managers: tuple[tuple[int, Figures], ...]

    def figures_of(self, manager_id: int | None) -> Figures | None:
        """One manager's figures, or the team's for None. None for somebody who was no manager then."""
        if manager_id is None:
            return self.team
        return next((figures for own_id, figures in self.managers if own_id == manager_id), None)

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
            zone=zone_named(document["time_zone"]) or ZoneInfo("UTC"),  # nothing is dated by it any more
            complete=document["complete"],
            team=_figures(document["team"]),
            managers=tuple((int(entry["manager_id"]), _figures(entry)) for entry in document["managers"]),
        )


@dataclass(frozen=True, slots=True)
class PastWeek:
    """One week of several. `figures` is None if nothing is on record, `complete` False if a known gap overlaps it."""

    week_on: date
    figures: Figures | None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class FrozenWeek:
    """A week as it was first posted. It holds no ids of members, so nothing in it has to be erased."""

    report: WeekReport
    conversations: tuple[int, ...]
    load: Load | None

    def document(self) -> dict[str, Any]:
        """The report's document, with `conversations_per_member` and `load`."""
        return {
            **self.report.document(),
            "conversations_per_member": list(self.conversations),
            "load": None if self.load is None else asdict(self.load),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "FrozenWeek":
        """The inverse of `document`."""
        load = document["load"]
        return cls(
            report=WeekReport.from_document(document),
            conversations=tuple(document["conversations_per_member"]),
            load=None if load is None else Load(**load),
        )


def _figures(document: Mapping[str, Any]) -> Figures:
    values = {key: value for key, value in document.items() if key != "manager_id"}
    return Figures(
        **{
            **values,
            "verdict": Verdict(values["verdict"]),
            "reply_minutes": ReplyMinutes(**values["reply_minutes"]),
        }
    )
