"""A week in figures, and its stable shape as a document (docs/rules.md#machine-readable-shapes)."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.calendar import monday_of
from bot.domain.effect import Effect
from bot.domain.figures import Figures, ReplyMinutes, Verdict
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.load import Load
from bot.domain.nudge import Reason
from bot.domain.suggestion import Suggestion
from bot.domain.survival import Stayers
from bot.domain.waiting import WaitingEntry


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
class PastWeek:
    """One week of a course; None where nothing is on record, `complete` False where a known gap overlaps it."""

    week_on: date
    figures: Figures | None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class FrozenWeek:
    """A week as it was first posted: without ids of members, so that nothing is left to erase."""

    report: WeekReport
    conversations: tuple[int, ...]
    load: Load | None

    def document(self) -> dict[str, Any]:
        """The report's document with what goes beyond it."""
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


@dataclass(frozen=True, slots=True)
class DigestDraft:
    """A digest of the team's week about to be put into words.

    `history` are the team's figures of the last weeks, this one last. `conversations` are this week's, by member,
    without ids. `record_from_on` is the first day on record. `late` says that its day of posting is over; `running`
    that the week is not. Of a week whose digest went out the report is what it said, and `today` what is on record
    now; without one, `today` is None. `first_contacts` were met in the week for the first time; `effect` tells what
    followed the nudges of the last weeks.
    """

    delivery_id: str | None
    guild: GuildSettings
    guild_name: str
    report: WeekReport
    history: tuple[PastWeek, ...]
    conversations: tuple[int, ...]
    load: Load | None = None
    stayers: Stayers | None = None
    record_from_on: date | None = None
    late: bool = False
    running: bool = False
    today: WeekReport | None = None
    first_contacts: tuple[int, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    effect: Effect | None = None

    @property
    def first_week(self) -> bool:
        """Whether nothing before this week is on record."""
        return self.record_from_on is None or monday_of(self.record_from_on) >= self.report.week_on

    @property
    def before_record(self) -> bool:
        """Whether the record begins after this week; an empty one does so where digests were not yet switched on."""
        if self.record_from_on is None:
            return self.guild.digest_from_on is None or self.guild.digest_from_on > self.report.week_on
        return self.record_from_on > self.report.week_on + timedelta(days=6)

    @property
    def unrecorded(self) -> bool:
        """Whether nothing of this week, or before, is on record."""
        return self.record_from_on is None or self.before_record

    @property
    def corrected(self) -> Figures | None:
        """The team's figures on record now, where they differ from those that were posted."""
        return None if self.today is None or self.today.team == self.report.team else self.today.team

    @property
    def filled(self) -> bool:
        """Whether part of the week's record was missing when it was posted, and is there now."""
        return self.today is not None and self.today.complete and not self.report.complete

    def corrected_of(self, manager_id: int) -> Figures | None:
        """One manager's figures on record now, where they differ from those that were posted.

        Whom the whole team has met ever is not theirs.
        """
        if self.today is None:
            return None
        now, posted = (dict(report.managers).get(manager_id) for report in (self.today, self.report))
        if now is None or posted is None or replace(now, coverage_ever=posted.coverage_ever) == posted:
            return None
        return now

    def document(self) -> dict[str, Any]:
        """The week on record now, and under `posted` what its digest said, if one went out."""
        if self.today is None:
            return self.report.document()
        posted = self.report.document()
        return {**self.today.document(), "posted": {key: posted[key] for key in ("complete", "team", "managers")}}

    def as_posted(self, frozen: FrozenWeek | None) -> "DigestDraft":
        """The same digest with the figures that were posted, if any were.

        What is no longer on record, because it is kept for some months only, corrects nothing.
        """
        if frozen is None:
            return self
        now = frozen.report if self.unrecorded else self.report
        return replace(
            self,
            report=frozen.report,
            conversations=frozen.conversations,
            load=frozen.load,
            today=now,
            history=tuple(
                PastWeek(week.week_on, frozen.report.team, frozen.report.complete)
                if week.week_on == now.week_on
                else week
                for week in self.history
            ),
        )


@dataclass(frozen=True, slots=True)
class PersonalDraft:
    """A manager's own digest about to be put into words: `team` is the week's, the rest is the manager's.

    `waiting` are the members who wait for this manager or the team at `now`, one entry each, longest first, and
    `waiting_in_all` how many there are. Of these and of the suggestions there are some to spare, for those who left.
    """

    team: DigestDraft
    manager: ManagerSettings
    figures: Figures
    history: tuple[PastWeek, ...]
    conversations: tuple[int, ...]
    now: datetime
    first_contacts: tuple[int, ...] = ()
    waiting: tuple[WaitingEntry, ...] = ()
    waiting_in_all: int = 0
    suggestions: tuple[Suggestion, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    effect: Effect | None = None

    @property
    def corrected(self) -> Figures | None:
        """The manager's figures on record now, where they differ from those that were posted."""
        return self.team.corrected_of(self.manager.manager_id)

    @property
    def nothing_to_say(self) -> bool:
        """Whether the week held nothing for this manager, and the next holds nothing either."""
        return not (self.figures.conversations or self.waiting or self.suggestions)

    def among(
        self, names: Mapping[int, str], old_hands: Collection[int], waiting: int, suggestions: int
    ) -> "PersonalDraft":
        """The same with only those who have a name, because they are there, and no more than so many of them.

        None of `old_hands` is called new.
        """
        here = [entry for entry in self.waiting if entry.member_id in names]
        kept = [
            suggestion
            for suggestion in self.suggestions
            if (offer := suggestion.offer) is None
            or (offer.member_id in names and not (offer.reason is Reason.NEWCOMER and offer.member_id in old_hands))
        ]
        return replace(
            self,
            waiting=tuple(here[:waiting]),
            waiting_in_all=self.waiting_in_all - (len(self.waiting) - len(here)),
            suggestions=tuple(kept[:suggestions]),
            names=names,
        )

    def people(self, first_contacts: int) -> frozenset[int]:
        """Everybody it names: of the first contacts at most so many."""
        offers = [suggestion.offer for suggestion in self.suggestions if suggestion.offer is not None]
        return frozenset(
            {
                *self.first_contacts[:first_contacts],
                *(entry.member_id for entry in self.waiting),
                *(offer.member_id for offer in offers),
            }
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
