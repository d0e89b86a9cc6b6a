"""What a digest's words are made of: the team's, and a manager's own."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from bot.domain.calendar import monday_of
from bot.domain.effect import Effect
from bot.domain.figures import Figures
from bot.domain.guild import GuildSettings
from bot.domain.load import Load
from bot.domain.nudge import OfferContext, Reason
from bot.domain.report import FrozenWeek, PastWeek, WeekReport
from bot.domain.rules import Rules
from bot.domain.suggestion import Suggestion
from bot.domain.survival import Stayers
from bot.domain.waiting import WaitingEntry


@dataclass(frozen=True, slots=True)
class DigestWeek:
    """The week that a digest is about; the same for the team's and for each manager's.

    `report` holds the figures as they were posted, if they were, else as they are on record now. `today` is the report
    on record now if one was posted, else None. `record_from_on` is the first day on record. `running`: the week is not
    over.
    """

    guild: GuildSettings
    guild_name: str
    report: WeekReport
    today: WeekReport | None = None
    record_from_on: date | None = None
    running: bool = False

    @property
    def monday(self) -> date:
        """The Monday that names the week."""
        return self.report.week_on

    @property
    def first_week(self) -> bool:
        """Whether nothing before this week is on record."""
        return self.record_from_on is None or monday_of(self.record_from_on) >= self.monday

    @property
    def before_record(self) -> bool:
        """Whether the record begins after this week. An empty one does if digests were not switched on yet."""
        if self.record_from_on is None:
            return self.guild.digest_from_on is None or self.guild.digest_from_on > self.monday
        return self.record_from_on > self.monday + timedelta(days=6)

    @property
    def unrecorded(self) -> bool:
        """Whether nothing of this week, or before, is on record."""
        return self.record_from_on is None or self.before_record

    @property
    def complete(self) -> bool:
        """Whether no known gap overlaps the week, neither now nor when it was posted."""
        return self.report.complete and (self.today is None or self.today.complete)

    @property
    def filled(self) -> bool:
        """Whether part of the week's record was missing when it was posted, and is there now."""
        return self.today is not None and self.today.complete and not self.report.complete

    def corrected(self, manager_id: int | None) -> Figures | None:
        """One manager's figures on record now (the team's for None), if they differ from those that were posted.

        A manager's `coverage_ever` is the team's, so it is no correction of theirs.
        """
        if self.today is None:
            return None
        now, posted = (report.figures_of(manager_id) for report in (self.today, self.report))
        if now is None or posted is None:
            return None
        same = now if manager_id is None else replace(now, coverage_ever=posted.coverage_ever)
        return None if same == posted else now

    def document(self) -> dict[str, Any]:
        """The week on record now, and under `posted` what its digest said, if one was posted."""
        if self.today is None:
            return self.report.document()
        posted = self.report.document()
        return {**self.today.document(), "posted": {key: posted[key] for key in ("complete", "team", "managers")}}


@dataclass(frozen=True, slots=True)
class DigestDraft:
    """A digest of a week, the team's or one manager's, about to be put into words.

    `manager_id` is whose it is; None is the team's. `history` holds the figures of earlier weeks, with or without this
    one. `conversations` are this week's, one number for each member reached, without ids. `first_contacts` were met
    for the first time in the week, in that order; `names` are those to show. `effect` is what followed the nudges of
    the last weeks. `load` and `stayers` are of the team only. `late`: the day of sending is over. `rules` are those
    the figures were made by. Without a `delivery_id` it is only looked at.
    """

    week: DigestWeek
    figures: Figures
    history: tuple[PastWeek, ...] = ()
    conversations: tuple[int, ...] = ()
    manager_id: int | None = None
    first_contacts: tuple[int, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    effect: Effect | None = None
    load: Load | None = None
    stayers: Stayers | None = None
    rules: Rules = field(default_factory=Rules)
    delivery_id: str | None = None
    late: bool = False

    @property
    def personal(self) -> bool:
        """Whether it is one manager's own."""
        return self.manager_id is not None

    @property
    def corrected(self) -> Figures | None:
        """The figures on record now, if they differ from those that were posted."""
        return self.week.corrected(self.manager_id)

    @property
    def quiet(self) -> bool:
        """Whether the week is too empty for figures and charts: one line says what there is.

        The team's is with too few conversations to say how they spread, a manager's own with none.
        """
        return self.figures.conversations < (1 if self.personal else self.rules.spread_needs_conversations)

    @property
    def has_findings(self) -> bool:
        """Whether the figures are shown: those of a quiet week only if they were corrected since."""
        return not self.quiet or self.corrected is not None

    @property
    def before(self) -> PastWeek | None:
        """The week before, if it is on record."""
        monday = self.week.monday - timedelta(weeks=1)
        return next((week for week in self.history if week.week_on == monday and week.figures), None)

    @property
    def earlier(self) -> tuple[Figures, ...]:
        """The figures of the earlier weeks that are completely on record."""
        return tuple(
            week.figures for week in self.history if week.figures and week.complete and week.week_on < self.week.monday
        )

    @property
    def frozen(self) -> FrozenWeek:
        """What is kept of the team's digest when it is sent."""
        return FrozenWeek(self.week.report, self.conversations, self.load)

    def as_posted(self, posted: FrozenWeek | None) -> "DigestDraft":
        """The team's digest with the figures that were posted, if any were.

        If the week is not on record any more, because the record is kept for some months only, nothing is corrected.
        """
        if posted is None:
            return self
        today = posted.report if self.week.unrecorded else self.week.report
        return replace(
            self,
            week=replace(self.week, report=posted.report, today=today),
            figures=posted.report.team,
            conversations=posted.conversations,
            load=posted.load,
            history=tuple(
                PastWeek(week.week_on, posted.report.team, posted.report.complete)
                if week.week_on == today.week_on
                else week
                for week in self.history
            ),
        )


@dataclass(frozen=True, slots=True)
class PersonalDraft:
    """A manager's own digest with who waits and what to do next, about to be put into words.

    `team` is the team's week, to be kept when this is sent. `waiting` are the members who wait for this manager or
    the team, one entry each, longest first; `waiting_in_all` counts them. `waiting` and `suggestions` hold more than
    are shown, since some of the members may have left.
    """

    digest: DigestDraft
    team: FrozenWeek
    context: OfferContext
    waiting: tuple[WaitingEntry, ...] = ()
    waiting_in_all: int = 0
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def nothing_to_say(self) -> bool:
        """Whether the week held nothing for this manager, and there is nothing to do next."""
        return not (self.digest.figures.conversations or self.waiting or self.suggestions)

    def among(
        self, names: Mapping[int, str], old_hands: Collection[int], waiting: int, suggestions: int
    ) -> "PersonalDraft":
        """The same with only those people who have a name, at most `waiting` entries and `suggestions`.

        Nobody in `old_hands` is suggested as a newcomer.
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
            digest=replace(self.digest, names=names),
            context=replace(self.context, names=names),
            waiting=tuple(here[:waiting]),
            waiting_in_all=self.waiting_in_all - (len(self.waiting) - len(here)),
            suggestions=tuple(kept[:suggestions]),
        )

    def people(self, first_contacts: int) -> frozenset[int]:
        """Everybody it names, with at most `first_contacts` of the first contacts."""
        offers = [suggestion.offer for suggestion in self.suggestions if suggestion.offer is not None]
        return frozenset(
            {
                *self.digest.first_contacts[:first_contacts],
                *(entry.member_id for entry in self.waiting),
                *(offer.member_id for offer in offers),
            }
        )
