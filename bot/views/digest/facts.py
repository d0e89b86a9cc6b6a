"""What the views put a week's digest into words from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from bot.domain.effect import Effect
from bot.domain.figures import Figures
from bot.domain.load import Load
from bot.domain.report import PastWeek
from bot.domain.rules import Rules
from bot.domain.survival import Stayers


@dataclass(frozen=True, slots=True)
class DigestFacts:
    """A week's digest before it is put into words: the team's or, when it is `own`, one manager's.

    `history` holds the figures of the weeks before, in any order, with or without this one. `conversations` has one
    number for each member reached, in any order. `complete` is false when a known gap overlaps the week, `late` when
    it could not be sent on time, `running` when the week is not over, `first_week` when nothing before it is on
    record, `before_record` when nothing of it is either. `corrected` are the figures on record now, where they differ
    from these, which were posted; `filled` tells that a gap of the time is none any more. `show_verdict` off hides the
    verdict, not the figures.
    """

    guild_name: str
    monday: date
    figures: Figures
    history: Sequence[PastWeek] = ()
    conversations: Sequence[int] = ()
    complete: bool = True
    filled: bool = False
    late: bool = False
    running: bool = False
    first_week: bool = False
    before_record: bool = False
    show_verdict: bool = True
    own: bool = False
    corrected: Figures | None = None
    load: Load | None = None
    stayers: Stayers | None = None
    record_from_on: date | None = None
    effect: Effect | None = None
    first_contacts: Sequence[str] = ()
    first_contacts_in_all: int = 0
    rules: Rules = field(default_factory=Rules)

    @property
    def quiet(self) -> bool:
        """Whether the week is too empty for figures and charts; one friendly line says what there is.

        A team's is with too few conversations to say how they spread, a manager's own with none.
        """
        return self.figures.conversations < (1 if self.own else self.rules.spread_needs_conversations)

    @property
    def has_findings(self) -> bool:
        """Whether the figures are shown: not those of a quiet week, unless there are others by now."""
        return not self.quiet or self.corrected is not None

    @property
    def before(self) -> PastWeek | None:
        """The week before, where it is on record."""
        return next(
            (week for week in self.history if week.week_on == self.monday - timedelta(weeks=1) and week.figures), None
        )

    @property
    def earlier(self) -> tuple[Figures, ...]:
        """The figures of the earlier weeks that are completely on record."""
        return tuple(
            week.figures for week in self.history if week.figures and week.complete and week.week_on < self.monday
        )
