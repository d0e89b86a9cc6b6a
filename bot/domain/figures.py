"""The figures of a period, for the team and for each manager alone (docs/rules.md#figures)."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, repeat

from bot.domain.rules import Rules

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
class Attention:
    """What one manager's personal touches of a period come to, or the whole team's. It holds numbers, and no ids.

    `talks` says how many members had so many of the conversations that began in the period, by that number.
    `reached_active` of these members were active in the period, and `first_time` had no touch before it, by this
    manager or by anybody. `personal` counts the touches, `logged` those of them that were entered by command.
    `reply_delays` are those of `reply` touches in milliseconds, in any order. `waiting` entries were open at the
    period's end.
    """

    talks: Mapping[int, int] = field(default_factory=dict)
    reached_active: int = 0
    first_time: int = 0
    personal: int = 0
    logged: int = 0
    reply_delays: tuple[int, ...] = ()
    waiting: int = 0

    @property
    def conversations(self) -> int:
        """The conversations that began in the period."""
        return sum(each * members for each, members in self.talks.items())

    @property
    def per_member(self) -> tuple[int, ...]:
        """How many conversations each member reached had, most first."""
        return tuple(each for each in sorted(self.talks, reverse=True) for _ in range(self.talks[each]))


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """The facts from which the figures of one period are calculated. All targets and authors are members.

    `active` members wrote a counted message in the period; the team had touched `met` of them by its end. `own` has
    every manager's attention.
    """

    active: int
    met: int
    team: Attention
    own: Mapping[int, Attention]

    def longer(self) -> "LongerFacts":
        """This period as the one that a verdict falls back on."""
        return LongerFacts(self.active, {None: self.team.talks, **{one: own.talks for one, own in self.own.items()}})

    def quiet(self, rules: Rules) -> frozenset[int | None]:
        """The managers, and None for the team, with too few conversations for a verdict on this period."""
        needed = rules.verdict_needs_conversations
        quiet: set[int | None] = {one for one, own in self.own.items() if own.conversations < needed}
        return frozenset(quiet | {None} if self.team.conversations < needed else quiet)


@dataclass(frozen=True, slots=True)
class LongerFacts:
    """The weeks that a verdict falls back on: their active members, and `Attention.talks` of those who are quiet."""

    active: int = 0
    talks: Mapping[int | None, Mapping[int, int]] = field(default_factory=dict)


def week_figures(week: PeriodFacts, weeks: LongerFacts, rules: Rules) -> tuple[Figures, dict[int, Figures]]:
    """The figures of a week: the team's, and each manager's by id in ascending order.

    `weeks` are the facts of the weeks that end with it, on which the verdict falls back.
    """
    return _figures(week, None, week.team, weeks, rules), {
        manager_id: _figures(week, manager_id, week.own[manager_id], weeks, rules) for manager_id in sorted(week.own)
    }


def _figures(week: PeriodFacts, whose: int | None, own: Attention, weeks: LongerFacts, rules: Rules) -> Figures:
    """The figures of one manager, or of the team for None."""
    shares = _Shares.of(own.talks, week.active, rules)
    longer = _Shares.of(weeks.talks.get(whose, {}), weeks.active, rules)
    verdict, verdict_weeks = _verdict(shares, longer, rules)
    active = week.active
    return Figures(
        active_members=active,
        personal_replies=own.personal,
        logged_share=own.logged / own.personal if own.personal else None,
        conversations=shares.conversations,
        members_reached=sum(own.talks.values()),
        coverage=own.reached_active / active if active else None,
        coverage_ever=week.met / active if active else None,
        first_time=own.first_time,
        effective_members=shares.effective_members,
        spread=shares.spread,
        top3_share=shares.top3_share(rules),
        verdict=verdict,
        verdict_weeks=verdict_weeks,
        reply_minutes=_reply_minutes(own.reply_delays),
        waiting=own.waiting,
    )


def _verdict(shares: "_Shares", longer: "_Shares", rules: Rules) -> tuple[Verdict, int | None]:
    if shares.conversations >= rules.verdict_needs_conversations:
        return shares.verdict(rules), 1
    if longer.conversations >= rules.verdict_needs_conversations:
        return longer.verdict(rules), rules.verdict_weeks
    return Verdict.QUIET, None


@dataclass(frozen=True, slots=True)
class _Shares:
    """How the conversations of a period are shared among the members."""

    talks: Mapping[int, int]
    conversations: int
    effective_members: float
    spread: float | None

    @classmethod
    def of(cls, talks: Mapping[int, int], active: int, rules: Rules) -> "_Shares":
        total = sum(each * members for each, members in talks.items())
        effective = _effective(talks)
        spread = None
        if total >= rules.spread_needs_conversations:
            spread = effective / min(total, max(active, sum(talks.values())))
        return cls(talks, total, effective, spread)

    def verdict(self, rules: Rules) -> Verdict:
        assert self.spread is not None  # enough conversations for a verdict are enough for a spread
        spread = round(self.spread, _DIGITS)  # exp and log leave ten equal members of twenty slightly below a half
        if spread >= rules.social_from:
            return Verdict.SOCIAL
        return Verdict.INFLUENCE if spread <= rules.influence_to else Verdict.BETWEEN

    def top3_share(self, rules: Rules) -> float | None:
        if self.conversations < rules.spread_needs_conversations:
            return None
        most = [each for each in sorted(self.talks, reverse=True) for _ in range(min(3, self.talks[each]))]
        return sum(most[:3]) / self.conversations


def _effective(talks: Mapping[int, int]) -> float:
    """The perplexity of the shares: exp of their Shannon entropy (natural logarithm); 0 without any.

    Capped at the number of members, since rounding can exceed it slightly.
    """
    total = sum(each * members for each, members in talks.items())
    if not total:
        return 0.0
    terms = (repeat(each / total * math.log(each / total), members) for each, members in talks.items())
    return min(math.exp(-math.fsum(chain.from_iterable(terms))), float(sum(talks.values())))


def _reply_minutes(delays: Iterable[int]) -> ReplyMinutes:
    minutes = sorted(delay / 1000 / 60 for delay in delays)
    return ReplyMinutes(_percentile(minutes, 0.5), _percentile(minutes, 0.9))


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    """Linear interpolation between the closest ranks (type 7 of Hyndman and Fan, 1996)."""
    if not ordered:
        return None
    rank = share * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)
