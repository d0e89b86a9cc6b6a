"""The digest's figures, each with its meaning, compared with the weeks before.

The post, the terminal and the HTML page show the same findings.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from bot.domain.digest_draft import DigestDraft
from bot.domain.figures import Figures, ReplyMinutes, Verdict
from bot.domain.rules import Rules
from bot.views.words.amounts import duration, minutes, percent
from bot.views.words.sentence import number, say, say_count

_WEEKS_FOR_USUAL = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure in words: its title, the number and what it means.

    `before` is the number of the week before, `usual` the median of the earlier weeks, `corrected` the number on record
    now, if it differs; None if unknown.
    """

    title: str
    figure: str
    meaning: str
    before: str | None = None
    usual: str | None = None
    corrected: str | None = None


def findings(draft: DigestDraft) -> tuple[Finding, ...]:
    """The figures of the week, each with its meaning."""
    return tuple(_findings(draft))


def verdict_name(verdict: Verdict) -> str:
    """The verdict as a headline."""
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
    """How many of the active members were reached. Members reached without being active are not counted here."""
    if figures.coverage is None:
        return say("as no member was active")
    return say_count(
        "{reached} of one active member",
        "{reached} of {count} active members",
        count=figures.active_members,
        reached=number(round(figures.coverage * figures.active_members)),
    )


def too_few_for_spread(rules: Rules) -> str:
    """That there were too few conversations for a spread."""
    return say("fewer than {needed} conversations", needed=number(rules.spread_needs_conversations))


def top_note(figures: Figures) -> str | None:
    """The share of the three most-addressed members; None with three or fewer, who always have all."""
    if figures.top3_share is None or figures.members_reached <= 3:
        return None
    return say("the three most-addressed had {share}", share=percent(figures.top3_share))


def _findings(draft: DigestDraft) -> Iterator[Finding]:
    figures = draft.figures
    yield _finding(draft, say("Reached"), reach_note(figures), lambda week: week.coverage, percent)
    yield _finding(draft, say("Spread"), _spread_note(draft), lambda week: week.spread, percent)
    yield _finding(
        draft,
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
    yield _finding(draft, say("First contacts"), met, lambda week: week.first_time, _count)
    reply = figures.reply_minutes
    if reply.median is not None or (draft.corrected is not None and draft.corrected.reply_minutes.median is not None):
        yield _finding(
            draft,
            say("Replies"),
            _replies_note(reply),
            lambda week: week.reply_minutes.median,
            minutes,
        )
    yield _finding(
        draft,
        say("Waiting"),
        say_count(
            "message without an answer at the week's end",
            "messages without an answer at the week's end",
            count=figures.waiting,
        ),
        lambda week: week.waiting,
        _count,
    )
    if figures.coverage_ever is not None and not draft.week.first_week and not draft.personal:
        yield _finding(
            draft,
            say("Met at some time"),
            say("of this week's active members"),
            lambda week: week.coverage_ever,
            percent,
        )
    yield from _team_findings(draft)


def _team_findings(draft: DigestDraft) -> Iterator[Finding]:
    if draft.load is not None:
        yield Finding(
            say("Load"),
            say("{carriers} of {managers}", carriers=number(draft.load.carriers), managers=number(draft.load.managers)),
            say_count(
                "manager carried half of the conversations or more",
                "managers together carried half of the conversations or more",
                count=draft.load.carriers,
            ),
        )
    effect = draft.effect
    if effect is not None and effect.judged:
        yield Finding(
            say("Nudges"),
            say("{worked} of {judged}", worked=number(effect.worked), judged=number(effect.judged)),
            say(
                "people named in nudges lately heard from that manager within {time}",
                time=duration(draft.rules.nudge.worked_within),
            ),
        )


def _finding(
    draft: DigestDraft,
    title: str,
    meaning: str,
    value: Callable[[Figures], float | None],
    words: Callable[[float], str],
) -> Finding:
    def said(figures: Figures | None) -> str | None:
        found = None if figures is None else value(figures)
        return None if found is None else words(found)

    before, figure = draft.before, said(draft.figures) or say("unknown")
    week_before = None if before is None else said(before.figures)
    if before is not None and week_before is not None and not before.complete:
        week_before = say("{figure}, with a gap", figure=week_before)
    known = [found for week in draft.earlier if (found := value(week)) is not None]
    corrected = None if draft.corrected is None else said(draft.corrected) or say("unknown")
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


def _spread_note(draft: DigestDraft) -> str:
    if draft.figures.spread is None:
        return too_few_for_spread(draft.rules)
    return say_count(
        "as if one person had everything",
        "as if {count} people were addressed evenly",
        count=max(1, round(draft.figures.effective_members)),
    )
