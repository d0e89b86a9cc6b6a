"""The figures of a period, for the team and for each manager alone (docs/rules.md#figures)."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    """The verdict on a period (docs/rules.md#verdict)."""

    SOCIAL = "social media"
    BETWEEN = "in between"
    INFLUENCE = "influence media"
    QUIET = "too quiet to call"


@dataclass(frozen=True, slots=True)
class ReplyMinutes:
    """Percentiles of the delay of `reply` touches, in minutes; None without any."""

    median: float | None
    p90: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures in docs/rules.md#figures. Shares are fractions; None is unknown.

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
    """The facts from which the figures of one period are calculated. All targets and authors are members.

    `active` wrote a counted message in the period. `touches` are the personal ones from one conversation gap before the
    period up to its end. `first_touches` maps (manager, member) to the first personal touch ever; a pair whose first
    touch lies before the period may be missing if the member is in `met_before`. `met_before` are members whom the team
    had touched before the time that `first_touches` covers. `waiting` holds entries written before the period's end.
    """

    period: Period
    managers: frozenset[int]
    active: frozenset[int]
    touches: tuple[Touch, ...]
    first_touches: Mapping[tuple[int, int], datetime]
    waiting: tuple[WaitingState, ...]
    met_before: frozenset[int] = frozenset()


def week_figures(week: PeriodFacts, weeks: PeriodFacts, rules: Rules) -> tuple[Figures, dict[int, Figures]]:
    """The figures of a week: the team's, and each manager's by id in ascending order.

    `weeks` are the facts of the weeks that end with it, on which the verdict falls back.
    """
    coverage_ever = _coverage_ever(week)
    own_week, own_weeks = _by_manager(week), _by_manager(weeks)
    return _figures(week, weeks, rules, coverage_ever), {
        manager_id: _figures(own_week[manager_id], own_weeks[manager_id], rules, coverage_ever)
        for manager_id in sorted(week.managers)
    }


def _by_manager(facts: PeriodFacts) -> dict[int, PeriodFacts]:
    """Each manager's own facts: the manager's touches, and the entries that address the manager."""
    touches: dict[int, list[Touch]] = {manager_id: [] for manager_id in facts.managers}
    first: dict[int, dict[tuple[int, int], datetime]] = {manager_id: {} for manager_id in facts.managers}
    waiting: dict[int, list[WaitingState]] = {manager_id: [] for manager_id in facts.managers}
    for touch in facts.touches:
        touches[touch.manager_id].append(touch)
    for pair, at in facts.first_touches.items():
        first[pair[0]][pair] = at
    for state in facts.waiting:
        for manager_id in state.entry.addressed & facts.managers:
            waiting[manager_id].append(state)
    return {
        manager_id: replace(
            facts,
            touches=tuple(touches[manager_id]),
            first_touches=first[manager_id],
            waiting=tuple(waiting[manager_id]),
            met_before=frozenset(),
        )
        for manager_id in facts.managers
    }


def conversations_by_member(facts: PeriodFacts, rules: Rules, *, manager_id: int | None = None) -> Mapping[int, int]:
    """Conversations that began in the period, by member, with the team or with one manager."""
    touches = [touch for touch in facts.touches if manager_id in (None, touch.manager_id)]
    return Counter(
        conversation.member_id
        for conversation in conversations(touches, rules.conversation_gap)
        if facts.period.holds(conversation.began_at)
    )


def first_contacts(facts: PeriodFacts, *, manager_id: int | None = None) -> tuple[int, ...]:
    """The members whose first personal touch ever lies in the period, in the order of those touches."""
    if manager_id is not None:
        own = {pair: at for pair, at in facts.first_touches.items() if pair[0] == manager_id}
        facts = replace(facts, first_touches=own, met_before=frozenset())
    met = {member_id: at for member_id, at in _first_met(facts).items() if facts.period.holds(at)}
    return tuple(sorted(met, key=lambda member_id: (met[member_id], member_id)))


def _first_met(facts: PeriodFacts) -> dict[int, datetime]:
    """When each member was first touched, leaving out those in `met_before`."""
    known: dict[int, datetime] = {}
    for (_, member_id), first_at in facts.first_touches.items():
        if member_id not in facts.met_before and (member_id not in known or first_at < known[member_id]):
            known[member_id] = first_at
    return known


def _coverage_ever(facts: PeriodFacts) -> float | None:
    """The share of the active members whom any manager had touched by the period's end."""
    if not facts.active:
        return None
    met = {member_id for (_, member_id), at in facts.first_touches.items() if at < facts.period.end_at}
    return sum(member_id in met or member_id in facts.met_before for member_id in facts.active) / len(facts.active)


def _figures(week: PeriodFacts, weeks: PeriodFacts, rules: Rules, coverage_ever: float | None) -> Figures:
    """The figures of the team, or of one manager if the facts are that manager's own."""
    period = week.period
    attention = _Attention.of(week, rules)
    verdict, verdict_weeks = _verdict(attention, weeks, rules)
    own = [touch for touch in week.touches if period.holds(touch.touched_at)]
    reached = attention.by_member.keys()
    known = _first_met(week)
    active = len(week.active)
    return Figures(
        active_members=active,
        personal_replies=len(own),
        logged_share=sum(touch.kind is TouchKind.LOGGED for touch in own) / len(own) if own else None,
        conversations=attention.conversations,
        members_reached=len(reached),
        coverage=sum(member_id in week.active for member_id in reached) / active if active else None,
        coverage_ever=coverage_ever,
        first_time=sum(member_id in known and period.holds(known[member_id]) for member_id in reached),
        effective_members=attention.effective_members,
        spread=attention.spread,
        top3_share=attention.top3_share(rules),
        verdict=verdict,
        verdict_weeks=verdict_weeks,
        reply_minutes=_reply_minutes(own),
        waiting=sum(state.open_at(period.end_at, rules.waiting_expires) for state in week.waiting),
    )


def _verdict(attention: "_Attention", weeks: PeriodFacts, rules: Rules) -> tuple[Verdict, int | None]:
    if attention.conversations >= rules.verdict_needs_conversations:
        return attention.verdict(rules), 1
    longer = _Attention.of(weeks, rules)
    if longer.conversations >= rules.verdict_needs_conversations:
        return longer.verdict(rules), rules.verdict_weeks
    return Verdict.QUIET, None


@dataclass(frozen=True, slots=True)
class _Attention:
    """How the conversations of a period are shared among the members."""

    by_member: Mapping[int, int]
    conversations: int
    effective_members: float
    spread: float | None

    @classmethod
    def of(cls, facts: PeriodFacts, rules: Rules) -> "_Attention":
        by_member = conversations_by_member(facts, rules)
        total = sum(by_member.values())
        effective = _effective(by_member.values())
        spread = None
        if total >= rules.spread_needs_conversations:
            spread = effective / min(total, max(len(facts.active), len(by_member)))
        return cls(by_member, total, effective, spread)

    def verdict(self, rules: Rules) -> Verdict:
        assert self.spread is not None  # enough conversations for a verdict are enough for a spread
        spread = round(self.spread, _DIGITS)  # exp and log leave ten equal members of twenty slightly below a half
        if spread >= rules.social_from:
            return Verdict.SOCIAL
        return Verdict.INFLUENCE if spread <= rules.influence_to else Verdict.BETWEEN

    def top3_share(self, rules: Rules) -> float | None:
        if self.conversations < rules.spread_needs_conversations:
            return None
        return sum(sorted(self.by_member.values(), reverse=True)[:3]) / self.conversations


def _effective(counts: Collection[int]) -> float:
    """The perplexity of the shares: exp of their Shannon entropy (natural logarithm); 0 without any.

    Capped at the number of members, since rounding can exceed it slightly.
    """
    total = sum(counts)
    if not total:
        return 0.0
    return min(math.exp(-math.fsum(count / total * math.log(count / total) for count in counts)), float(len(counts)))


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
