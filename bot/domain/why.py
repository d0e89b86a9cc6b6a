"""Explains why a member is or is not in a manager's nudge: the rule that decided, with its facts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.nudge import Offer, Reason
from bot.domain.nudge_decision import NudgeFacts, Obstacle, longest_usual_pause, ranked
from bot.domain.relationship import Standing
from bot.domain.rules import Rules
from bot.domain.waiting import WaitingState


class Miss(StrEnum):
    """Why a reason does not hold."""

    NOTHING_WAITS = "nothing waits"
    ANSWERED = "answered"
    SET_ASIDE = "set aside"
    TOO_FRESH = "too fresh"
    OTHERS_ASKED = "others are asked"
    MET = "met"
    HERE_BEFORE = "here before"
    JUST_ARRIVED = "just arrived"
    LONG_HERE = "long here"
    FEW_DAYS = "few days"
    FEW_CONVERSATIONS = "few conversations"
    TALKED_LATELY = "talked lately"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class MissedReason:
    """A reason that does not hold, with the moment or count that decided it."""

    reason: Reason
    miss: Miss
    at: datetime | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """Facts about one member besides those of the nudge.

    `met_at` is the first personal touch by any manager. `active_days` counts days of the unmet window.
    """

    standing: Standing
    first_at: datetime | None = None
    active_days: int = 0
    met_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """The answer. An `offer` without an `obstacle` is in the nudge. Without an `offer`, `missed` says why."""

    member_id: int
    standing: Standing
    offer: Offer | None = None
    obstacle: Obstacle | None = None
    missed: tuple[MissedReason, ...] = ()


def explain(facts: NudgeFacts, member_id: int, member: MemberFacts, rules: Rules) -> Why:
    """Find the rule that puts a member into a nudge or leaves them out."""
    if member.standing is not Standing.MEMBER:
        return Why(member_id, member.standing)
    for offer, obstacle in ranked(facts, rules):
        if offer.member_id == member_id:
            return Why(member_id, member.standing, offer, obstacle)
    missed = tuple(_missed(facts, member_id, member, rules))
    return Why(member_id, member.standing, None, facts.barred.get(member_id), missed)


def _missed(facts: NudgeFacts, member_id: int, member: MemberFacts, rules: Rules) -> Iterator[MissedReason]:
    yield _not_waiting([state for state in facts.waiting if state.entry.member_id == member_id], facts, rules)
    if member_id in facts.met:
        yield MissedReason(Reason.NEWCOMER, Miss.MET, at=member.met_at)
    else:
        yield _no_newcomer(facts, member_id, member, rules)
        yield MissedReason(Reason.UNMET, Miss.FEW_DAYS, count=member.active_days)
    yield _not_cooling(facts, member_id, rules)


def _not_waiting(states: list[WaitingState], facts: NudgeFacts, rules: Rules) -> MissedReason:
    """Why no message of the member is a reason: the one that came closest decides."""
    found = MissedReason(Reason.WAITING, Miss.NOTHING_WAITS)
    for state in states:
        entry = state.entry
        if not facts.now < entry.written_at + rules.waiting_expires:
            continue
        if state.answered_at is not None and state.answered_at < facts.now:
            found = MissedReason(Reason.WAITING, Miss.ANSWERED, at=state.answered_at)
        elif state.closed_by(facts.now):
            found = MissedReason(Reason.WAITING, Miss.SET_ASIDE, at=state.closed_at)
        elif not entry.waits_for(facts.manager_id):
            return MissedReason(Reason.WAITING, Miss.OTHERS_ASKED, at=entry.written_at)
        else:
            return MissedReason(Reason.WAITING, Miss.TOO_FRESH, at=entry.written_at)
    return found


def _no_newcomer(facts: NudgeFacts, member_id: int, member: MemberFacts, rules: Rules) -> MissedReason:
    if member_id in facts.old_hands:
        return MissedReason(Reason.NEWCOMER, Miss.HERE_BEFORE, at=member.first_at)
    new = member.first_at is not None and facts.now - member.first_at < rules.nudge.newcomer_after
    return MissedReason(Reason.NEWCOMER, Miss.JUST_ARRIVED if new else Miss.LONG_HERE, at=member.first_at)


def _not_cooling(facts: NudgeFacts, member_id: int, rules: Rules) -> MissedReason:
    limits = rules.nudge
    talks = facts.conversations.get(member_id, ())
    if len(talks) < limits.cooling_conversations:
        return MissedReason(Reason.COOLING, Miss.FEW_CONVERSATIONS, count=len(talks))
    last_at = talks[-1].last_touch_at
    if facts.now - last_at <= longest_usual_pause(talks, limits):
        return MissedReason(Reason.COOLING, Miss.TALKED_LATELY, at=last_at)
    return MissedReason(Reason.COOLING, Miss.SILENT, count=limits.cooling_active_days)
