"""What a digest has to say, line by line: the figures with their meaning, compared with the weeks before.

The same findings are shown on Discord, on the terminal and on the page to mail around.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median

from bot.domain.effect import Effect
from bot.domain.figures import Figures, ReplyMinutes, Verdict
from bot.domain.load import Load
from bot.domain.report import PastWeek
from bot.domain.rules import Rules
from bot.domain.survival import Group, Stayers, Staying
from bot.views.amounts import duration, minutes, percent
from bot.views.dates import full_day
from bot.views.sentence import number, say, say_count

_FEW_ACTIVE = 20
_WEEKS_FOR_USUAL = 4


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


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the digest: its name, the number to see first, and what it means.

    Beside it, how it was a week `before`, what is `usual`, and what it was `corrected` to.
    """

    title: str
    figure: str
    meaning: str
    before: str | None = None
    usual: str | None = None
    corrected: str | None = None


def findings(facts: DigestFacts) -> tuple[Finding, ...]:
    """The figures of the week, each with its meaning."""
    return tuple(_findings(facts))


def notes(facts: DigestFacts) -> tuple[str, ...]:
    """What a reader has to know to take the figures for what they are."""
    return tuple(_notes(facts))


def stayers_sentence(facts: DigestFacts) -> str | None:
    """Newcomers who stay; None where there is nothing to say yet."""
    found, rules = facts.stayers, facts.rules
    if found is None or not found.can_say:
        return None
    comparable = bool(found.touched.staying and found.others.staying)
    return " ".join(
        (
            say(
                "Of {members} newcomers who heard from a manager within {days} days of their first message: {staying}.",
                members=number(found.touched.members),
                days=number(rules.stay_greeted.days),
                staying=_staying(found.touched, rules),
            ),
            say(
                "Of {members} who did not: {staying}.",
                members=number(found.others.members),
                staying=_staying(found.others, rules),
            ),
            say("Even where a hello and staying go together, one need not be the cause of the other.")
            if comparable
            else say("The two groups cannot be compared yet."),
        )
    )


def verdict_name(verdict: Verdict) -> str:
    """The verdict in large letters."""
    match verdict:
        case Verdict.SOCIAL:
            return say("Social media")
        case Verdict.BETWEEN:
            return say("In between")
        case Verdict.INFLUENCE:
            return say("Influence media")
        case Verdict.QUIET:
            return say("Too quiet to call")


def share_words(share: float | None, *, unknown: str | None = None) -> str:
    """A share as a percentage, or that it is unknown."""
    if share is None:
        return say("unknown") if unknown is None else unknown
    return percent(share)


def reach_note(figures: Figures) -> str:
    """How many active members were reached; those reached without being active are named beside."""
    if figures.coverage is None:
        return say("as no member was active")
    return say_count(
        "{reached} of one active member",
        "{reached} of {count} active members",
        count=figures.active_members,
        reached=number(round(figures.coverage * figures.active_members)),
    )


def too_few_for_spread(rules: Rules) -> str:
    """Why there is no spread."""
    return say("fewer than {needed} conversations", needed=number(rules.spread_needs_conversations))


def top_note(figures: Figures) -> str | None:
    """Only where there are more than three, since three people always hold all among three."""
    if figures.top3_share is None or figures.members_reached <= 3:
        return None
    return say("the three most-addressed had {share}", share=percent(figures.top3_share))


def _findings(facts: DigestFacts) -> Iterator[Finding]:
    figures = facts.figures
    yield _finding(facts, say("Reached"), reach_note(figures), lambda week: week.coverage, percent)
    yield _finding(facts, say("Spread"), _spread_note(facts), lambda week: week.spread, percent)
    yield _finding(
        facts,
        say("Conversations"),
        top_note(figures) or say_count("with one member", "with {count} members", count=figures.members_reached),
        lambda week: week.conversations,
        _count,
    )
    met = say_count(
        "person met personally for the first time",
        "people met personally for the first time",
        count=figures.first_time,
    )
    yield _finding(facts, say("First contacts"), met, lambda week: week.first_time, _count)
    reply = figures.reply_minutes
    if reply.median is not None or (facts.corrected is not None and facts.corrected.reply_minutes.median is not None):
        yield _finding(
            facts,
            say("Replies"),
            _replies_note(reply),
            lambda week: week.reply_minutes.median,
            minutes,
        )
    yield _finding(
        facts,
        say("Waiting"),
        say_count(
            "message without an answer at the week's end",
            "messages without an answer at the week's end",
            count=figures.waiting,
        ),
        lambda week: week.waiting,
        _count,
    )
    if figures.coverage_ever is not None and not facts.first_week and not facts.own:
        yield _finding(
            facts,
            say("Met at some time"),
            say("of this week's active members"),
            lambda week: week.coverage_ever,
            percent,
        )
    yield from _team_findings(facts)


def _team_findings(facts: DigestFacts) -> Iterator[Finding]:
    if facts.load is not None:
        yield Finding(
            say("Load"),
            say("{carriers} of {managers}", carriers=number(facts.load.carriers), managers=number(facts.load.managers)),
            say_count(
                "manager carried half of the conversations or more",
                "managers together carried half of the conversations or more",
                count=facts.load.carriers,
            ),
        )
    effect = facts.effect
    if effect is not None and effect.judged:
        yield Finding(
            say("Nudges"),
            say("{worked} of {judged}", worked=number(effect.worked), judged=number(effect.judged)),
            say(
                "people named in nudges lately heard from that manager within {time}",
                time=duration(facts.rules.nudge.worked_within),
            ),
        )


def _finding(
    facts: DigestFacts,
    title: str,
    meaning: str,
    value: Callable[[Figures], float | None],
    words: Callable[[float], str],
) -> Finding:
    def said(figures: Figures | None) -> str | None:
        found = None if figures is None else value(figures)
        return None if found is None else words(found)

    before, figure = facts.before, said(facts.figures) or say("unknown")
    week_before = None if before is None else said(before.figures)
    if before is not None and week_before is not None and not before.complete:
        week_before = say("{figure}, with a gap", figure=week_before)
    known = [found for week in facts.earlier if (found := value(week)) is not None]
    corrected = None if facts.corrected is None else said(facts.corrected) or say("unknown")
    return Finding(
        title,
        figure,
        meaning,
        week_before,
        words(median(known)) if len(known) >= _WEEKS_FOR_USUAL else None,
        corrected if corrected != figure else None,
    )


def _replies_note(reply: ReplyMinutes) -> str:
    if reply.p90 is None:
        return say("half of the replies came sooner")
    if reply.p90 < 1:
        return say("half of the replies came sooner, nine in ten within a minute")
    return say("half of the replies came sooner, nine in ten within {p90}", p90=minutes(reply.p90))


def _count(count: float) -> str:
    return number(round(count))


def _spread_note(facts: DigestFacts) -> str:
    if facts.figures.spread is None:
        return too_few_for_spread(facts.rules)
    return say_count(
        "as if one person had everything",
        "as if {count} people were addressed evenly",
        count=max(1, round(facts.figures.effective_members)),
    )


def _staying(group: Group, rules: Rules) -> str:
    if not group.staying:
        return say("too few to say, as it takes {needed}", needed=number(rules.stay_needs_members))
    first, second = (_stay(staying) for staying in group.staying)
    return say("{first} and {second}", first=first, second=second)


def _stay(staying: Staying) -> str:
    if staying.low is None or staying.high is None:
        return say("{share} were there on day {day}", share=percent(staying.share), day=number(staying.day))
    return say(
        "{share} were there on day {day} (95% interval {low} to {high})",
        share=percent(staying.share),
        day=number(staying.day),
        low=percent(staying.low),
        high=percent(staying.high),
    )


def _notes(facts: DigestFacts) -> Iterator[str]:
    if facts.late:
        yield say("This digest comes late: Spade was not running when it was due.")
    if facts.running:
        yield say("This week is not over yet; its figures still change.")
    yield from _since_it_went_out(facts)
    yield from _missing(facts)
    if facts.has_findings:
        yield from _small_samples(facts)
    if not facts.quiet and facts.record_from_on is not None and stayers_sentence(facts) and _was_young(facts):
        yield say(
            "The record begins on {day}: some of the newcomers may have been here before.",
            day=full_day(facts.record_from_on),
        )


def _since_it_went_out(facts: DigestFacts) -> Iterator[str]:
    """What has changed in the record since the digest went out."""
    if facts.corrected is not None:
        yield say(
            "Corrected: the record of this week has changed since its digest went out. You see what it said; where a "
            "figure is different now, that is said beside it."
        )
        if facts.show_verdict and facts.corrected.verdict is not facts.figures.verdict:
            yield say("On the record of now, the verdict is: {verdict}.", verdict=verdict_name(facts.corrected.verdict))
    if facts.filled:
        yield say("When its digest went out, part of this week's record was missing. It is complete now.")


def _missing(facts: DigestFacts) -> Iterator[str]:
    """What is not on record, of this week and of those before."""
    if not facts.complete and not facts.filled:
        yield say(
            "Part of this week's record is missing, so the counts may be too low and answers may be missing. "
            "`/status` shows where."
        )
    elif _shows_a_gap(facts):
        yield say("Of weeks marked as a gap, part of the record is missing.")
    if facts.first_week and not facts.before_record:
        yield say(
            "This is the first week on record, so there is nothing to compare it with yet, and a first contact is the "
            "first one on record."
        )
        if facts.record_from_on is not None and facts.record_from_on > facts.monday:
            yield say("The record begins on {day}; what was before is not counted.", day=full_day(facts.record_from_on))


def _shows_a_gap(facts: DigestFacts) -> bool:
    """Whether a week that is marked as a gap stands beside this one: there is a course of them, or the one before."""
    shown = [] if facts.quiet else [facts.before] if facts.own else facts.history
    return any(
        week is not None and week.figures and not week.complete and week.week_on < facts.monday for week in shown
    )


def _was_young(facts: DigestFacts) -> bool:
    """Whether some of the newcomers wrote first in the first weeks of the record, and may have been no newcomers."""
    assert facts.record_from_on is not None
    return facts.monday + timedelta(days=6) - facts.record_from_on < facts.rules.stay_until + facts.rules.stay_silent


def _small_samples(facts: DigestFacts) -> Iterator[str]:
    figures = facts.figures
    if 0 < figures.conversations < facts.rules.verdict_needs_conversations:
        yield say_count(
            "One conversation is a small sample: a single hello more would change the shares a lot.",
            "{count} conversations are a small sample: a few more or fewer would change the shares a lot.",
            count=figures.conversations,
        )
    if 0 < figures.active_members < _FEW_ACTIVE:
        yield say_count(
            "Only one member was active.",
            "Only {count} members were active: each of them is {share} of the reach.",
            count=figures.active_members,
            share=percent(1 / figures.active_members),
        )
    if figures.logged_share:
        yield say(
            "{share} of the personal contacts were logged by managers; Discord cannot confirm those.",
            share=percent(figures.logged_share),
        )
