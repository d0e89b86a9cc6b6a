"""Nudges (R9): who is worth a manager's attention today, and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from itertools import pairwise
from statistics import median

from bot.domain.conversation import Conversation
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.rules import NudgeRules, Rules
from bot.domain.snowflake import moment_of
from bot.domain.waiting import WaitingState


class Reason(StrEnum):
    """Why a member stands in a nudge, most urgent first."""

    WAITING = "waiting"
    NEWCOMER = "newcomer"
    UNMET = "unmet"
    COOLING = "cooling"


_URGENCY = {reason: rank for rank, reason in enumerate(Reason)}


@dataclass(frozen=True, slots=True)
class Offer:
    """One member of a nudge, with the facts that its line is made of.

    `since` is what "longest first" sorts by: when the waiting message was written, the first message, the first
    active day's start, the last conversation. `message_id` and `channel_id` lead to the message to open, when there
    is one. `wrote_back`: the member only answered a message in which this manager had addressed them. `for_team`:
    the message addresses no manager by name. `active_days` is of the last 30 (unmet); `conversations` counts those
    with this manager (cooling).
    """

    member_id: int
    reason: Reason
    since: datetime
    message_id: int | None = None
    channel_id: int | None = None
    wrote_back: bool = False
    for_team: bool = False
    active_days: int | None = None
    conversations: int | None = None


@dataclass(frozen=True, slots=True)
class Nudge:
    """What one DM says: at most five offers, most urgent first. Empty means that nothing is sent."""

    manager_id: int
    offers: tuple[Offer, ...]
    half_as_often: bool = False


class Action(StrEnum):
    """What a manager can do about one member of a nudge, besides writing to them."""

    DONE = "done"
    HAND_OVER = "hand_over"
    SNOOZE = "snooze"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Press:
    """What was pressed for the member at a position (from 1); *Hand over* names the colleague."""

    position: int
    action: Action
    pressed_at: datetime
    colleague_id: int | None = None


@dataclass(frozen=True, slots=True)
class NudgeDraft:
    """A nudge with all it takes to put it into words. `usual_reply_minutes` is the manager's median, if known."""

    delivery_id: str
    nudge: Nudge
    guild: GuildSettings
    manager: ManagerSettings
    guild_name: str
    names: Mapping[int, str]
    now: datetime
    presses: tuple[Press, ...] = ()
    usual_reply_minutes: float | None = None


class Obstacle(StrEnum):
    """Why a member who has a reason is left out all the same."""

    SNOOZED = "snoozed"
    DISMISSED = "dismissed"
    LEFT = "left"
    OFFERED_LATELY = "offered lately"
    OFFERED_TO_ANOTHER = "offered to another manager today"
    ANOTHERS_SHARE = "another manager's share"
    NO_ROOM = "no room"


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A member's first counted message."""

    message_id: int
    channel_id: int


@dataclass(frozen=True, slots=True)
class Regular:
    """A member active on several of the last days, with their last message if it lies before now."""

    active_days: int
    first_day_at: datetime
    message_id: int | None
    channel_id: int | None


@dataclass(frozen=True, slots=True)
class PastOffer:
    """When a member was last offered to this manager, and for which waiting message."""

    offered_at: datetime
    message_id: int | None


@dataclass(frozen=True, slots=True)
class NudgeFacts:
    """All that is known at `now` for one manager's nudge; everybody in it is a member who did not opt out.

    `sharing` are the managers over whom newcomers and the unmet are shared out, this one among them. `newcomers`
    and `regulars` are candidates: whether anybody met them stands in `met`. `conversations` are this manager's, by
    member, oldest first. `lately_active` wrote in the days that `cooling` asks for. `last_messages` lead to a
    member's last message. `handed` were handed over to this manager. `barred` are out for a reason of their own.
    """

    guild_id: int
    manager_id: int
    now: datetime
    sharing: tuple[int, ...]
    waiting: tuple[WaitingState, ...] = ()
    newcomers: Mapping[int, Newcomer] = field(default_factory=dict)
    regulars: Mapping[int, Regular] = field(default_factory=dict)
    met: frozenset[int] = frozenset()
    conversations: Mapping[int, tuple[Conversation, ...]] = field(default_factory=dict)
    lately_active: frozenset[int] = frozenset()
    last_messages: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    barred: Mapping[int, Obstacle] = field(default_factory=dict)
    past_offers: Mapping[int, PastOffer] = field(default_factory=dict)
    offered_to_others: frozenset[int] = frozenset()
    handed: frozenset[int] = frozenset()


def share_of(guild_id: int, member_id: int, managers: tuple[int, ...]) -> int:
    """The manager whose share a member is: fixed by the two ids, whatever else happens.

    `managers` must not be empty; their order does not matter.
    """
    digest = sha256(f"{guild_id}:{member_id}".encode()).digest()
    return sorted(managers)[int.from_bytes(digest[:8], "big") % len(managers)]


def decide_nudge(facts: NudgeFacts, rules: Rules) -> Nudge:
    """Choose whom to offer: by reason, then longest first; at most the limits; nobody twice.

    How much somebody writes plays no part.
    """
    chosen = tuple(offer for offer, obstacle in ranked(facts, rules) if obstacle is None)
    return Nudge(facts.manager_id, chosen)


def ranked(facts: NudgeFacts, rules: Rules) -> Iterator[tuple[Offer, Obstacle | None]]:
    """Every member with a reason, most urgent first, with what stands in the way of offering them."""
    limits = rules.nudge
    offers = sorted(
        _one_each(facts, rules),
        key=lambda offer: (_URGENCY[offer.reason], offer.wrote_back, offer.since, offer.member_id),
    )
    taken = wrote_back = 0
    for offer in offers:
        obstacle = _obstacle(facts, limits, offer)
        if obstacle is None and (
            taken >= limits.members_per_nudge or (offer.wrote_back and wrote_back >= limits.wrote_back_per_nudge)
        ):
            obstacle = Obstacle.NO_ROOM
        if obstacle is None:
            taken += 1
            wrote_back += offer.wrote_back
        yield offer, obstacle


def _one_each(facts: NudgeFacts, rules: Rules) -> list[Offer]:
    first: dict[int, Offer] = {}
    for offers in (
        _waiting_offers(facts, rules),
        _newcomer_offers(facts, rules.nudge),
        _unmet_offers(facts, rules.nudge),
        _cooling_offers(facts, rules.nudge),
    ):
        for offer in offers:
            first.setdefault(offer.member_id, offer)
    return list(first.values())


def _waiting_offers(facts: NudgeFacts, rules: Rules) -> list[Offer]:
    """One offer a member: for the message that waits longest, one that wrote back only if there is no other."""
    offers = []
    for state in facts.waiting:
        entry = state.entry
        if (
            state.closed
            or not state.open_at(facts.now, rules.waiting_expires)
            or facts.now - entry.written_at < rules.nudge.waiting_after
            or not (entry.waits_for(facts.manager_id) or entry.member_id in facts.handed)
        ):
            continue
        offers.append(
            Offer(
                member_id=entry.member_id,
                reason=Reason.WAITING,
                since=entry.written_at,
                message_id=entry.message_id,
                channel_id=entry.channel_id,
                wrote_back=facts.manager_id in state.wrote_back_to and entry.addressed == {facts.manager_id},
                for_team=not entry.addressed,
            )
        )
    return sorted(offers, key=lambda offer: (offer.wrote_back, offer.since))


def _newcomer_offers(facts: NudgeFacts, limits: NudgeRules) -> Iterator[Offer]:
    for member_id, first in facts.newcomers.items():
        since = moment_of(first.message_id)
        if member_id not in facts.met and limits.newcomer_after <= facts.now - since <= limits.newcomer_until:
            yield Offer(member_id, Reason.NEWCOMER, since, first.message_id, first.channel_id)


def _unmet_offers(facts: NudgeFacts, limits: NudgeRules) -> Iterator[Offer]:
    for member_id, regular in facts.regulars.items():
        if member_id not in facts.met and regular.active_days >= limits.unmet_active_days:
            yield Offer(
                member_id,
                Reason.UNMET,
                regular.first_day_at,
                regular.message_id,
                regular.channel_id,
                active_days=regular.active_days,
            )


def _cooling_offers(facts: NudgeFacts, limits: NudgeRules) -> Iterator[Offer]:
    for member_id, talks in facts.conversations.items():
        if len(talks) < limits.cooling_conversations or member_id not in facts.lately_active:
            continue
        began = [talk.began_at for talk in talks]
        gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(began)]
        usual_gap = timedelta(seconds=median(gaps)) if gaps else timedelta()
        last_at = talks[-1].last_touch_at
        if facts.now - last_at > max(limits.cooling_after, limits.cooling_gap_factor * usual_gap):
            message_id, channel_id = facts.last_messages.get(member_id, (None, None))
            yield Offer(member_id, Reason.COOLING, last_at, message_id, channel_id, conversations=len(talks))


def _obstacle(facts: NudgeFacts, limits: NudgeRules, offer: Offer) -> Obstacle | None:
    member_id = offer.member_id
    if member_id in facts.barred:
        return facts.barred[member_id]
    if member_id in facts.offered_to_others:
        return Obstacle.OFFERED_TO_ANOTHER
    if member_id in facts.handed:
        return None
    past = facts.past_offers.get(member_id)
    if past is not None:
        new_wait = offer.reason is Reason.WAITING and offer.message_id != past.message_id
        pause = limits.offer_waiting_again_after if new_wait else limits.offer_again_after
        if facts.now - past.offered_at < pause:
            return Obstacle.OFFERED_LATELY
    if (
        offer.reason in {Reason.NEWCOMER, Reason.UNMET}
        and share_of(facts.guild_id, member_id, facts.sharing) != facts.manager_id
    ):
        return Obstacle.ANOTHERS_SHARE
    return None


def due_today(*, unanswered: bool, days_since_last: int | None) -> bool:
    """Whether a manager's nudge may come on one of their days.

    While their last nudges went `unanswered`, every other chosen day is left out. `days_since_last` counts the
    chosen days since the last nudge, today included; None before the first.
    """
    return not unanswered or days_since_last is None or days_since_last >= 2


def is_unanswered(answered: tuple[bool, ...], limits: NudgeRules) -> bool:
    """Whether the last nudges (newest first), as many as the rules ask for, all went without a press or touch."""
    needed = limits.quiet_after_unanswered
    return len(answered) >= needed and not any(answered[:needed])
