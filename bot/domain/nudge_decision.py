"""Decides whom a nudge offers (docs/rules.md#nudges): facts in, a nudge out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from itertools import pairwise
from statistics import median

from bot.domain.conversation import Conversation
from bot.domain.nudge import Nudge, Offer, Reason
from bot.domain.rules import NudgeRules, Rules
from bot.domain.snowflake import moment_of
from bot.domain.waiting import WaitingEntry, WaitingState

_URGENCY = {reason: rank for rank, reason in enumerate(Reason)}


class Obstacle(StrEnum):
    """Why a member with a reason is left out (docs/rules.md#who-is-left-out)."""

    SNOOZED = "snoozed"
    DISMISSED = "dismissed"
    LEFT = "left"
    IGNORED = "ignored"
    UNREADABLE = "unreadable"
    """Discord's answer about them cannot be read, so nobody knows whether they bear an ignored role."""
    PROXIED = "proxied"
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
    """A member with active days in the unmet window: first message (`since`), and last message before now."""

    active_days: int
    since: datetime
    message_id: int | None
    channel_id: int | None


@dataclass(frozen=True, slots=True)
class PastOffer:
    """The guild's date on which a member was offered to this manager, and the waiting message, if it was for one."""

    offered_on: date
    message_id: int | None


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A member whom a colleague handed over, with that colleague's offer. `touched`: by any manager since."""

    from_manager_id: int
    offer: Offer
    touched: bool = False


@dataclass(frozen=True, slots=True)
class NudgeFacts:
    """The facts at `now` for one manager's nudge. Everybody in it is a member who did not opt out.

    `today` is the guild's date. `sharing` are the managers among whom newcomers and unmet members are shared out; this
    manager is one of them, except in a preview for a manager who gets no nudges.

    `newcomers` and `regulars` are candidates. `regulars` counts active days of the unmet window and need not hold
    members with too few of them for `unmet`. `met` holds those of `newcomers`, `regulars` and `handed` whom any manager
    has touched, not every member who was ever met. `old_hands` joined before a young record begins, so their first
    recorded message may not be their first. `conversations` are this manager's, by member, oldest first.
    `lately_active` and `last_messages` cover only members with enough conversations with this manager for `cooling`:
    the former holds those of them who wrote in the days that `cooling` looks at, the latter the (message id, channel
    id) of each one's last message. `barred` members are left out for the given obstacle.

    `handed` were handed over to this manager. `away` are enrolled managers who are paused: what waits for them alone is
    shared out. `orphaned` maps a member to colleagues who were offered or handed the member and since paused, turned
    nudges off or stopped being a manager: what waits for those colleagues is shared out too.
    """

    guild_id: int
    manager_id: int
    now: datetime
    today: date
    sharing: tuple[int, ...]
    waiting: tuple[WaitingState, ...] = ()
    newcomers: Mapping[int, Newcomer] = field(default_factory=dict)
    regulars: Mapping[int, Regular] = field(default_factory=dict)
    met: frozenset[int] = frozenset()
    old_hands: frozenset[int] = frozenset()
    conversations: Mapping[int, tuple[Conversation, ...]] = field(default_factory=dict)
    lately_active: frozenset[int] = frozenset()
    last_messages: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    barred: Mapping[int, Obstacle] = field(default_factory=dict)
    past_offers: Mapping[int, tuple[PastOffer, ...]] = field(default_factory=dict)
    offered_to_others: frozenset[int] = frozenset()
    handed: Mapping[int, HandedOver] = field(default_factory=dict)
    away: frozenset[int] = frozenset()
    orphaned: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def has_share_in(self, member_id: int) -> bool:
        """Whether a shared-out member falls to this manager."""
        return share_of(self.guild_id, member_id, self.sharing) == self.manager_id


def share_of(guild_id: int, member_id: int, managers: tuple[int, ...]) -> int:
    """The manager to whom a member falls, by a hash of the ids. `managers` must not be empty; order does not matter.

    Rendezvous hashing: when a manager joins or leaves, only that manager's share moves. So a member does not move from
    one manager to another because a third one pauses.
    """
    return max(managers, key=lambda manager_id: sha256(f"{guild_id}:{member_id}:{manager_id}".encode()).digest())


def decide_nudge(facts: NudgeFacts, rules: Rules) -> Nudge:
    """Choose whom to offer: by reason, then longest first, each member once, within the limits.

    How much a member writes has no influence.
    """
    chosen = tuple(offer for offer, obstacle in ranked(facts, rules) if obstacle is None)
    return Nudge(facts.manager_id, chosen)


def decide_on_first_waiting(facts: NudgeFacts, before: datetime, rules: Rules) -> Nudge | None:
    """The nudge, if those who have waited longest fill it, whoever else there may be; None if all facts are needed.

    `facts` have no candidates but every member with an open entry for this manager or the team that was written before
    `before`, with all their entries. Nobody was handed over, and no colleague's entries are shared out. Who is not in
    these facts waits for less long or has a less urgent reason, so comes after them, unless they wrote back.
    """
    nudge = decide_nudge(facts, rules)
    first = all(offer.since < before and not offer.wrote_back for offer in nudge.offers)
    return nudge if first and len(nudge.offers) >= rules.nudge.members_per_nudge else None


def ranked(facts: NudgeFacts, rules: Rules) -> Iterator[tuple[Offer, Obstacle | None]]:
    """Every member with a reason, most urgent first, with the obstacle to offering them (None if there is none).

    Members who were handed over get their places first, since the colleague was promised so.
    """
    limits = rules.nudge
    offers = sorted(
        _one_each(facts, rules),
        key=lambda offer: (_URGENCY[offer.reason], offer.wrote_back, offer.since, offer.member_id),
    )
    obstacles = [_obstacle(facts, limits, offer) for offer in offers]
    taken = wrote_back = 0
    for handed in (True, False):
        for number, offer in enumerate(offers):
            if offer.handed is not handed or obstacles[number] is not None:
                continue
            if taken >= limits.members_per_nudge or (offer.wrote_back and wrote_back >= limits.wrote_back_per_nudge):
                obstacles[number] = Obstacle.NO_ROOM
                continue
            taken += 1
            wrote_back += offer.wrote_back
    return zip(offers, obstacles, strict=True)


def _one_each(facts: NudgeFacts, rules: Rules) -> list[Offer]:
    first: dict[int, Offer] = {}
    for offers in (
        _waiting_offers(facts, rules),
        _newcomer_offers(facts, rules.nudge),
        _unmet_offers(facts, rules.nudge),
        _cooling_offers(facts, rules.nudge),
        _handed_offers(facts),
    ):
        for offer in offers:
            first.setdefault(offer.member_id, offer)
    return [_marked(facts, offer) for offer in first.values()]


def _marked(facts: NudgeFacts, offer: Offer) -> Offer:
    """The offer, marked with the colleague who handed the member over, if one did."""
    handed = facts.handed.get(offer.member_id)
    return replace(offer, from_manager_id=handed.from_manager_id, handed=True) if handed is not None else offer


def _handed_offers(facts: NudgeFacts) -> Iterator[Offer]:
    """Offers of members who were handed over, by the colleague's reason, as long as it holds.

    They apply to members without a reason for this manager. Conversations are dropped: they were the colleague's.
    """
    for member_id, handed in facts.handed.items():
        reason = handed.offer.reason
        unmet = reason in {Reason.NEWCOMER, Reason.UNMET} and member_id not in facts.met
        if not handed.touched and (unmet or reason is Reason.COOLING):
            yield replace(handed.offer, wrote_back=False, conversations=None)


def _waiting_offers(facts: NudgeFacts, rules: Rules) -> list[Offer]:
    """Offers for waiting messages, in order of preference for each member.

    New messages come before those that the member was offered for lately, messages that wrote back last, then the
    longest wait first. The caller keeps the first offer of each member.
    """
    offers = []
    for state in facts.waiting:
        entry = state.entry
        if (
            state.closed_by(facts.now)
            or not state.open_at(facts.now, rules.waiting_expires)
            or facts.now - entry.written_at < rules.nudge.waiting_after
        ):
            continue
        asked = _asked(facts, entry)
        if asked is None:
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
                from_manager_id=asked if asked != facts.manager_id else None,
            )
        )
    return sorted(offers, key=lambda offer: (not _new_wait(facts, offer), offer.wrote_back, offer.since))


def _new_wait(facts: NudgeFacts, offer: Offer) -> bool:
    """Whether the offer is for a waiting message that this manager was not offered the member for lately."""
    past = facts.past_offers.get(offer.member_id, ())
    return offer.reason is Reason.WAITING and all(offer.message_id != one.message_id for one in past)


def _asked(facts: NudgeFacts, entry: WaitingEntry) -> int | None:
    """The manager on whose behalf this one sees an entry: this manager or a colleague. None if it is not for them."""
    if entry.waits_for(facts.manager_id):
        return facts.manager_id
    colleague_id = min(entry.addressed)
    handed = facts.handed.get(entry.member_id)
    if handed is not None and (entry.message_id == handed.offer.message_id or entry.waits_for(handed.from_manager_id)):
        return colleague_id
    left_behind = entry.addressed <= facts.away or entry.addressed & facts.orphaned.get(entry.member_id, frozenset())
    return colleague_id if left_behind and facts.has_share_in(entry.member_id) else None


def _newcomer_offers(facts: NudgeFacts, limits: NudgeRules) -> Iterator[Offer]:
    for member_id, first in facts.newcomers.items():
        since = moment_of(first.message_id)
        known = member_id in facts.met or member_id in facts.old_hands
        if not known and limits.newcomer_after <= facts.now - since <= limits.newcomer_until:
            yield Offer(member_id, Reason.NEWCOMER, since, first.message_id, first.channel_id)


def _unmet_offers(facts: NudgeFacts, limits: NudgeRules) -> Iterator[Offer]:
    for member_id, regular in facts.regulars.items():
        if member_id not in facts.met and regular.active_days >= limits.unmet_active_days:
            yield Offer(
                member_id,
                Reason.UNMET,
                regular.since,
                regular.message_id,
                regular.channel_id,
                active_days=regular.active_days,
            )


def _cooling_offers(facts: NudgeFacts, limits: NudgeRules) -> Iterator[Offer]:
    for member_id, talks in facts.conversations.items():
        if len(talks) < limits.cooling_conversations or member_id not in facts.lately_active:
            continue
        last_at = talks[-1].last_touch_at
        if facts.now - last_at > longest_usual_pause(talks, limits):
            message_id, channel_id = facts.last_messages.get(member_id, (None, None))
            yield Offer(member_id, Reason.COOLING, last_at, message_id, channel_id, conversations=len(talks))


def longest_usual_pause(talks: Sequence[Conversation], limits: NudgeRules) -> timedelta:
    """How long a pause after the last conversation is still usual. `talks` are one pair's, oldest first."""
    began = [talk.began_at for talk in talks]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(began)]
    return max(limits.cooling_after, limits.cooling_gap_factor * timedelta(seconds=median(gaps) if gaps else 0))


def may_have_written_before(
    joined_at: datetime | None, first_at: datetime, record_from: datetime | None, rules: Rules
) -> bool:
    """Whether a member may have written before the record begins, so that they cannot be called new.

    True if they joined before `record_from` and their first recorded message came less than `stay_silent` after it.
    False if either moment is unknown (None).
    """
    if joined_at is None or record_from is None:
        return False
    return joined_at < record_from and first_at < record_from + rules.stay_silent


def _obstacle(facts: NudgeFacts, limits: NudgeRules, offer: Offer) -> Obstacle | None:
    member_id = offer.member_id
    if member_id in facts.barred:
        return facts.barred[member_id]
    if offer.handed:
        return None
    if member_id in facts.offered_to_others:
        return Obstacle.OFFERED_TO_ANOTHER
    past = facts.past_offers.get(member_id, ())
    if past:
        pause = limits.offer_waiting_again_after if _new_wait(facts, offer) else limits.offer_again_after
        if facts.today - max(one.offered_on for one in past) <= pause:
            return Obstacle.OFFERED_LATELY
    if offer.reason in {Reason.NEWCOMER, Reason.UNMET} and not facts.has_share_in(member_id):
        return Obstacle.ANOTHERS_SHARE
    return None
