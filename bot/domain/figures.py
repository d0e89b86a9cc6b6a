"""The figures of a period (R7), for the team and for each manager alone."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.calendar import Period
from bot.domain.conversation import conversations
from bot.domain.rules import Rules
from bot.domain.snowflake import moment_of
from bot.domain.touch import Touch, TouchKind
from bot.domain.waiting import WaitingState

_DIGITS = 9


class Verdict(StrEnum):
    """One word for the period."""

    SOCIAL = "social media"
    BETWEEN = "in between"
    INFLUENCE = "influence media"
    QUIET = "too quiet to call"


@dataclass(frozen=True, slots=True)
class ReplyMinutes:
    """How long members waited for a `reply`, in minutes; None without any."""

    median: float | None
    p90: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """R7's figures. Shares are fractions; None is unknown.

    `logged_share` is the share of the personal replies that managers entered by command.
    """

    active_members: int
    personal_replies: int
    logged_share: float | None
    conversations: int
    members_reached: int
    coverage: float | None
    coverage_ever: float | None
    first_time: int
    effective_members: float
    spread: float | None
    top3_share: float | None
    verdict: Verdict
    verdict_weeks: int | None
    reply_minutes: ReplyMinutes
    waiting: int


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """What the figures of one period are made of; everybody here who is touched, active or waits is a member.

    `active` wrote a counted message in the period. `touches` are the personal ones from one conversation gap
    before the period up to its end. `first_touches` tells, for each manager and member, the first personal touch
    ever, if before the period's end. `waiting` holds entries written before the period's end.
    """

    period: Period
    managers: frozenset[int]
    active: frozenset[int]
    touches: tuple[Touch, ...]
    first_touches: Mapping[tuple[int, int], datetime]
    waiting: tuple[WaitingState, ...]


def week_figures(week: PeriodFacts, weeks: PeriodFacts, rules: Rules, *, manager_id: int | None = None) -> Figures:
    """R7 for a week; `weeks` are the ones that end with it, which the verdict falls back on.

    Without `manager_id`, the team's.
    """
    attention = _Attention.of(week, rules, manager_id)
    longer = _Attention.of(weeks, rules, manager_id)
    if attention.conversations >= rules.verdict_needs_conversations:
        verdict, verdict_weeks = attention.verdict(rules), 1
    elif longer.conversations >= rules.verdict_needs_conversations:
        verdict, verdict_weeks = longer.verdict(rules), rules.verdict_weeks
    else:
        verdict, verdict_weeks = Verdict.QUIET, None
    return _figures(week, attention, rules, manager_id, verdict, verdict_weeks)


def conversations_by_member(facts: PeriodFacts, rules: Rules, *, manager_id: int | None = None) -> Mapping[int, int]:
    """How many conversations that began in the period each member had, with the team or with one manager."""
    touches = [touch for touch in facts.touches if manager_id in (None, touch.manager_id)]
    return Counter(
        conversation.member_id
        for conversation in conversations(touches, rules.conversation_gap)
        if facts.period.holds(conversation.began_at)
    )


def first_contacts(facts: PeriodFacts, *, manager_id: int | None = None) -> tuple[int, ...]:
    """The members whose first personal touch ever lies in the period, in the order they were met."""
    met = {member_id: at for member_id, at in _first_met(facts, manager_id).items() if facts.period.holds(at)}
    return tuple(sorted(met, key=lambda member_id: (met[member_id], member_id)))


def _first_met(facts: PeriodFacts, manager_id: int | None) -> dict[int, datetime]:
    """When the team, or one manager, first touched each member."""
    known: dict[int, datetime] = {}
    for (toucher_id, member_id), first_at in facts.first_touches.items():
        if manager_id in (None, toucher_id) and (member_id not in known or first_at < known[member_id]):
            known[member_id] = first_at
    return known


def _figures(
    facts: PeriodFacts,
    attention: "_Attention",
    rules: Rules,
    manager_id: int | None,
    verdict: Verdict,
    verdict_weeks: int | None,
) -> Figures:
    period = facts.period
    own = [
        touch for touch in facts.touches if period.holds(touch.touched_at) and manager_id in (None, touch.manager_id)
    ]
    reached = attention.by_member.keys()
    known = _first_met(facts, manager_id)
    touched_by_team = {member_id for _, member_id in facts.first_touches}
    active = len(facts.active)
    return Figures(
        active_members=active,
        personal_replies=len(own),
        logged_share=sum(touch.kind is TouchKind.LOGGED for touch in own) / len(own) if own else None,
        conversations=attention.conversations,
        members_reached=len(reached),
        coverage=len(reached & facts.active) / active if active else None,
        coverage_ever=len(touched_by_team & facts.active) / active if active else None,
        first_time=sum(period.holds(known[member_id]) for member_id in reached),
        effective_members=attention.effective_members,
        spread=attention.spread,
        top3_share=attention.top3_share(rules),
        verdict=verdict,
        verdict_weeks=verdict_weeks,
        reply_minutes=_reply_minutes(own),
        waiting=sum(
            state.open_at(period.end_at, rules.waiting_expires)
            for state in facts.waiting
            if manager_id is None or manager_id in state.entry.addressed
        ),
    )


@dataclass(frozen=True, slots=True)
class _Attention:
    """How the conversations of a period are shared among the members."""

    by_member: Mapping[int, int]
    conversations: int
    effective_members: float
    spread: float | None

    @classmethod
    def of(cls, facts: PeriodFacts, rules: Rules, manager_id: int | None) -> "_Attention":
        by_member = conversations_by_member(facts, rules, manager_id=manager_id)
        total = sum(by_member.values())
        effective = _effective(by_member.values())
        spread = None
        if total >= rules.spread_needs_conversations:
            spread = effective / min(total, max(len(facts.active), len(by_member)))
        return cls(by_member, total, effective, spread)

    def verdict(self, rules: Rules) -> Verdict:
        assert self.spread is not None  # enough conversations for a verdict are enough for a spread
        spread = round(self.spread, _DIGITS)  # exp and log leave ten equal members of twenty a hair below a half
        if spread >= rules.social_from:
            return Verdict.SOCIAL
        return Verdict.INFLUENCE if spread <= rules.influence_to else Verdict.BETWEEN

    def top3_share(self, rules: Rules) -> float | None:
        if self.conversations < rules.spread_needs_conversations:
            return None
        return sum(sorted(self.by_member.values(), reverse=True)[:3]) / self.conversations


def _effective(counts: Collection[int]) -> float:
    """The perplexity of the shares: exp of their Shannon entropy (natural logarithm); 0 without any."""
    total = sum(counts)
    if not total:
        return 0.0
    return math.exp(-math.fsum(count / total * math.log(count / total) for count in counts))


def _reply_minutes(touches: Iterable[Touch]) -> ReplyMinutes:
    minutes = sorted(
        (touch.touched_at - moment_of(touch.replied_to_id)).total_seconds() / 60
        for touch in touches
        if touch.kind is TouchKind.REPLY and touch.replied_to_id is not None
    )
    return ReplyMinutes(_percentile(minutes, 0.5), _percentile(minutes, 0.9))


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    """Linear interpolation between the closest ranks (type 7 of Hyndman and Fan, 1996)."""
    if not ordered:
        return None
    rank = share * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)
