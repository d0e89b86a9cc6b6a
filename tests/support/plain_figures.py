"""What a period comes to, calculated touch by touch: what the record sums up in SQL, told a second time."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.calendar import Period
from bot.domain.conversation import conversations
from bot.domain.figures import Attention, Figures, LongerFacts, PeriodFacts, week_figures
from bot.domain.rules import Rules
from bot.domain.snowflake import moment_of
from bot.domain.touch import Touch, TouchKind
from bot.domain.waiting import WaitingState


@dataclass(frozen=True, slots=True)
class PlainFacts:
    """A period as it happened. All targets and authors are members.

    `active` wrote in the period. `touches` are the personal ones from one conversation gap before it up to its end.
    `first_touches` maps (manager, member) to the first personal touch ever. `waiting` holds entries written before the
    period's end.
    """

    period: Period
    managers: frozenset[int]
    active: frozenset[int]
    touches: tuple[Touch, ...]
    first_touches: Mapping[tuple[int, int], datetime]
    waiting: tuple[WaitingState, ...]

    def of_manager(self, manager_id: int) -> "PlainFacts":
        """One manager's own."""
        return replace(
            self,
            touches=tuple(touch for touch in self.touches if touch.manager_id == manager_id),
            first_touches={pair: at for pair, at in self.first_touches.items() if pair[0] == manager_id},
            waiting=tuple(state for state in self.waiting if manager_id in state.entry.addressed),
        )


def talks_by_member(facts: PlainFacts, rules: Rules) -> Counter[int]:
    """The conversations that began in the period, by member."""
    found = conversations(facts.touches, rules.conversation_gap)
    return Counter(talk.member_id for talk in found if facts.period.holds(talk.began_at))


def first_met(facts: PlainFacts) -> dict[int, datetime]:
    """When each member was first touched."""
    known: dict[int, datetime] = {}
    for (_, member_id), at in facts.first_touches.items():
        known[member_id] = min(at, known.get(member_id, at))
    return known


def first_contacts(facts: PlainFacts) -> tuple[int, ...]:
    """The members whose first touch lies in the period, in the order of those touches."""
    met = {member_id: at for member_id, at in first_met(facts).items() if facts.period.holds(at)}
    return tuple(sorted(met, key=lambda member_id: (met[member_id], member_id)))


def attention_of(facts: PlainFacts, rules: Rules) -> Attention:
    """The numbers of the team, or of one manager if the facts are that manager's own."""
    period, reached, known = facts.period, talks_by_member(facts, rules), first_met(facts)
    own = [touch for touch in facts.touches if period.holds(touch.touched_at)]
    return Attention(
        talks=dict(Counter(reached.values())),
        reached_active=len(reached.keys() & facts.active),
        first_time=sum(member_id in known and period.holds(known[member_id]) for member_id in reached),
        personal=len(own),
        logged=sum(touch.kind is TouchKind.LOGGED for touch in own),
        reply_delays=tuple(
            (touch.touched_at - moment_of(touch.replied_to_id)) // timedelta(milliseconds=1)
            for touch in own
            if touch.kind is TouchKind.REPLY and touch.replied_to_id is not None
        ),
        waiting=sum(state.open_at(period.end_at, rules.waiting_expires) for state in facts.waiting),
    )


def period_facts(facts: PlainFacts, rules: Rules) -> PeriodFacts:
    """What the record should come to."""
    met = {member_id for member_id, at in first_met(facts).items() if at < facts.period.end_at}
    return PeriodFacts(
        active=len(facts.active),
        met=len(facts.active & met),
        team=attention_of(facts, rules),
        own={manager_id: attention_of(facts.of_manager(manager_id), rules) for manager_id in sorted(facts.managers)},
    )


def figures_of(week: PlainFacts, weeks: PlainFacts, rules: Rules) -> tuple[Figures, dict[int, Figures]]:
    """The figures of a week, and of each manager; `weeks` are what the verdict falls back on."""
    longer: LongerFacts = period_facts(weeks, rules).longer()
    return week_figures(period_facts(week, rules), longer, rules)
