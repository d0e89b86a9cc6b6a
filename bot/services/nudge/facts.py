"""Gathers the facts that a manager's nudge is decided on."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.domain.calendar import local_day
from bot.domain.conversation import Conversation, conversations
from bot.domain.delivery import Delivery, DeliveryKind, DeliveryState
from bot.domain.effect import usual_reply_minutes
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.nudge import Nudge
from bot.domain.nudge_decision import Newcomer, NudgeFacts, Obstacle, Regular, decide_nudge, decide_on_first_waiting
from bot.domain.nudge_time import NudgeFollowUp, PastNudges, went_unanswered
from bot.domain.relationship import Standing
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at, moment_of
from bot.domain.touch import Touch, TouchKind, personal_kinds
from bot.domain.why import MemberFacts
from bot.services.delivery import periods
from bot.store import activity, deliveries, managers, nudges, people, touches, waits
from bot.store.activity import Trace
from bot.store.database import Connection

FIRST_WAITING = 60
"""How many of the entries that wait longest are looked at before anything else is."""
USUAL_REPLY_DAYS = 90
"""How many days of replies a manager's usual pace is taken from."""


async def gather(
    connection: Connection,
    settings: GuildSettings,
    manager_id: int,
    now: datetime,
    rules: Rules,
    barred: Mapping[int, Obstacle] | None = None,
    old_hands: Collection[int] = (),
) -> NudgeFacts:
    """What a nudge looks at (docs/rules.md#nudges) as it was at `now`; for a past moment, without what came after it.

    `barred` adds members who must not be offered by what Discord said, `old_hands` those who joined before a young
    record begins. Who writes through a proxy is known as of the query alone, since no time is kept with it.
    """
    guild_id, limits = settings.guild_id, rules.nudge
    today = local_day(now, settings.zone)
    kinds = personal_kinds(count_inferred=rules.count_inferred)
    yesterday = today - timedelta(days=1)
    window_from = today - timedelta(days=limits.unmet_window_days)
    regulars = await activity.unmet_regulars(
        connection, guild_id, window_from, yesterday, at_least=limits.unmet_active_days, by=now, kinds=kinds
    )
    newcomers = await activity.unmet_newcomers(
        connection, guild_id, now - limits.newcomer_until, now - limits.newcomer_after, by=now, kinds=kinds
    )
    own = await touches.of_manager(connection, guild_id, manager_id, now, kinds)
    talks = await asyncio.to_thread(_by_member, own, rules.conversation_gap)
    known = [member_id for member_id, found in talks.items() if len(found) >= limits.cooling_conversations]
    team = await managers.all_settings(connection, guild_id)
    claimed_since = now - limits.offer_again_after
    handed = await nudges.handed_to(connection, guild_id, manager_id, now - rules.waiting_expires, now)
    memory = max(limits.offer_again_after, limits.offer_waiting_again_after)
    return NudgeFacts(
        guild_id=guild_id,
        manager_id=manager_id,
        now=now,
        today=today,
        sharing=receivers(team, settings, now) or (manager_id,),
        waiting=await waits.written_between(connection, guild_id, now - rules.waiting_expires, now),
        newcomers=await asyncio.to_thread(_newcomers, newcomers),
        regulars=await asyncio.to_thread(_regulars, regulars, first_id_at(now)),
        met=await touches.met_among(connection, guild_id, handed, now, kinds),
        old_hands=frozenset(old_hands),
        conversations=talks,
        lately_active=await activity.active_among(
            connection, guild_id, known, today - timedelta(days=limits.cooling_active_days), yesterday
        ),
        last_messages=await _last_messages(connection, guild_id, known, now),
        barred={
            **dict.fromkeys(await people.departed(connection, guild_id, now), Obstacle.LEFT),
            **await nudges.snoozed(connection, guild_id, manager_id, now, limits.snooze),
            **dict.fromkeys(await people.proxied(connection, guild_id), Obstacle.PROXIED),
            **(barred or {}),
        },
        past_offers=await nudges.past_offers(connection, guild_id, manager_id, today - memory, now),
        offered_to_others=await nudges.offered_to_others(connection, guild_id, manager_id, today, now),
        handed=handed,
        away=_paused(team, settings, now),
        orphaned=await nudges.left_behind(connection, guild_id, receivers(team, settings, now), claimed_since, now),
    )


async def decide_from_record(
    connection: Connection,
    settings: GuildSettings,
    manager_id: int,
    now: datetime,
    rules: Rules,
    barred: Mapping[int, Obstacle] | None = None,
    old_hands: Collection[int] = (),
    gone: Collection[int] = (),
) -> Nudge:
    """Whom to offer by the record, without the entries of `gone` messages. The rest is as for `gather`.

    Nothing else is read when those who have waited longest fill the nudge. In a large guild thousands of members have a
    reason, so it is decided in a thread.
    """
    first = await _gather_first_waiting(connection, settings, manager_id, now, rules, barred or {}, gone)
    if first is not None:
        nudge = decide_on_first_waiting(*first, rules)
        if nudge is not None:
            return nudge
    facts = await gather(connection, settings, manager_id, now, rules, barred, old_hands)
    return await asyncio.to_thread(decide_nudge, without_gone(facts, gone), rules)


def without_gone(facts: NudgeFacts, gone: Collection[int]) -> NudgeFacts:
    """The facts without the entries of messages that are gone from Discord."""
    return replace(facts, waiting=tuple(state for state in facts.waiting if state.entry.message_id not in gone))


async def _gather_first_waiting(
    connection: Connection,
    settings: GuildSettings,
    manager_id: int,
    now: datetime,
    rules: Rules,
    barred: Mapping[int, Obstacle],
    gone: Collection[int],
) -> tuple[NudgeFacts, datetime] | None:
    """What is on record of those who have waited longest, and before when; None if it cannot decide a nudge."""
    guild_id, limits, since = settings.guild_id, rules.nudge, now - rules.waiting_expires
    team = await managers.all_settings(connection, guild_id)
    away, sharing = _paused(team, settings, now), receivers(team, settings, now)
    claimed_since = now - limits.offer_again_after
    if (
        away
        or await nudges.handed_to(connection, guild_id, manager_id, since, now)
        or await nudges.left_behind(connection, guild_id, sharing, claimed_since, now)
    ):
        return None
    states = await waits.first_open(connection, guild_id, manager_id, since, now, FIRST_WAITING)
    open_ones = [
        state.entry
        for state in states
        if state.entry.waits_for(manager_id) and not state.closed_by(now) and state.open_at(now, rules.waiting_expires)
    ]
    if len(open_ones) < limits.members_per_nudge:
        return None
    today = local_day(now, settings.zone)
    memory = max(limits.offer_again_after, limits.offer_waiting_again_after)
    members = {state.entry.member_id for state in states}
    facts = NudgeFacts(
        guild_id=guild_id,
        manager_id=manager_id,
        now=now,
        today=today,
        sharing=sharing or (manager_id,),
        waiting=states,
        barred={
            **dict.fromkeys(await people.departed(connection, guild_id, now, members), Obstacle.LEFT),
            **await nudges.snoozed(connection, guild_id, manager_id, now, limits.snooze),
            **dict.fromkeys(await people.proxied(connection, guild_id), Obstacle.PROXIED),
            **barred,
        },
        past_offers=await nudges.past_offers(connection, guild_id, manager_id, today - memory, now),
        offered_to_others=await nudges.offered_to_others(connection, guild_id, manager_id, today, now),
    )
    before = open_ones[FIRST_WAITING - 1].written_at if len(open_ones) >= FIRST_WAITING else now
    return without_gone(facts, gone), before


def _newcomers(found: Mapping[int, Trace]) -> dict[int, Newcomer]:
    return {member_id: Newcomer(trace.first_message_id, trace.first_channel_id) for member_id, trace in found.items()}


def _regulars(found: Mapping[int, tuple[int, Trace]], end_id: int) -> dict[int, Regular]:
    return {
        member_id: Regular(
            days,
            moment_of(trace.first_message_id),
            *((trace.last_message_id, trace.last_channel_id) if trace.last_message_id < end_id else (None, None)),
        )
        for member_id, (days, trace) in found.items()
    }


def _by_member(own: tuple[Touch, ...], gap: timedelta) -> dict[int, tuple[Conversation, ...]]:
    talks: dict[int, list[Conversation]] = defaultdict(list)
    for talk in conversations(own, gap):
        talks[talk.member_id].append(talk)
    return {member_id: tuple(found) for member_id, found in talks.items()}


async def _last_messages(
    connection: Connection, guild_id: int, members: Collection[int], now: datetime
) -> dict[int, tuple[int, int]]:
    traces = await activity.traces(connection, guild_id, members)
    end_id = first_id_at(now)
    return {
        member_id: (trace.last_message_id, trace.last_channel_id)
        for member_id, trace in traces.items()
        if trace.last_message_id < end_id
    }


async def gather_member(
    connection: Connection, settings: GuildSettings, member_id: int, now: datetime, rules: Rules
) -> MemberFacts:
    """What is on record of one person at `now`."""
    guild_id, limits = settings.guild_id, rules.nudge
    ignored, _ = await people.ignored(connection, guild_id)
    if member_id in await managers.people(connection, guild_id):
        return MemberFacts(Standing.MANAGER)
    if member_id in ignored:
        return MemberFacts(Standing.IGNORED)
    trace = (await activity.traces(connection, guild_id, [member_id])).get(member_id)
    if (
        trace is None
        or trace.first_message_id >= first_id_at(now)
        or member_id in await people.opted_out(connection, guild_id)
    ):
        return MemberFacts(Standing.UNRECORDED)
    today = local_day(now, settings.zone)
    kinds = personal_kinds(count_inferred=rules.count_inferred)
    return MemberFacts(
        standing=Standing.MEMBER,
        first_at=moment_of(trace.first_message_id),
        active_days=await activity.active_days(
            connection, guild_id, member_id, today - timedelta(days=limits.unmet_window_days), today - timedelta(days=1)
        ),
        met_at=await touches.met_at(connection, guild_id, member_id, now, kinds),
    )


async def usual_pace(connection: Connection, guild_id: int, manager_id: int, now: datetime) -> float | None:
    """How many minutes a manager usually takes to reply; None for too few replies to say."""
    since = now - timedelta(days=USUAL_REPLY_DAYS)
    return usual_reply_minutes(
        await touches.of_manager(connection, guild_id, manager_id, now, {TouchKind.REPLY}, since)
    )


async def unanswered(
    connection: Connection, settings: GuildSettings, manager_id: int, now: datetime, rules: Rules
) -> bool:
    """Whether a manager's last nudges went without a press or a touch of any kind."""
    guild_id, needed = settings.guild_id, rules.nudge.quiet_after_unanswered
    past = await nudges.recent(connection, guild_id, manager_id, needed)
    if len(past) < needed:
        return False
    oldest_at = min(member.offered_at for members in past for member in members)
    own = await touches.of_manager(connection, guild_id, manager_id, now, frozenset(TouchKind), oldest_at)
    reactions = [
        NudgeFollowUp(
            sent_at=members[0].offered_at,
            answered=any(
                touch.member_id == member.offer.member_id and touch.touched_at > member.offered_at
                for member in members
                for touch in own
            ),
        )
        for members in past
    ]
    return went_unanswered(reactions, await nudges.last_press_at(connection, guild_id, manager_id), needed)


async def past_nudges(
    connection: Connection, settings: GuildSettings, manager: ManagerSettings, now: datetime, rules: Rules
) -> PastNudges:
    """What a manager's next nudge depends on."""
    key = settings.guild_id, DeliveryKind.NUDGE, manager.manager_id
    today = local_day(now, manager.zone or settings.zone)
    dealt_with = await nudge_of_day(connection, manager, today, now)
    return PastNudges(
        dealt_on=dealt_with.due_on if dealt_with is not None else None,
        last_on=await deliveries.newest_day(connection, *key, state=DeliveryState.SENT),
        unanswered=await unanswered(connection, settings, manager.manager_id, now, rules),
    )


async def nudge_of_day(connection: Connection, manager: ManagerSettings, day: date, now: datetime) -> Delivery | None:
    """The delivery that dealt with a manager's day: sent, tried, or found to be empty; None while the day is open."""
    return await periods.dealt_with(connection, manager.guild_id, DeliveryKind.NUDGE, manager.manager_id, day, now)


def receivers(team: tuple[ManagerSettings, ...], settings: GuildSettings, now: datetime) -> tuple[int, ...]:
    """The managers over whom members are shared out: enrolled and not paused."""
    return tuple(
        manager.manager_id for manager in team if manager.receives_on(local_day(now, manager.zone or settings.zone))
    )


def _paused(team: tuple[ManagerSettings, ...], settings: GuildSettings, now: datetime) -> frozenset[int]:
    enrolled = {manager.manager_id for manager in team if manager.enrolled_at is not None}
    return frozenset(enrolled.difference(receivers(team, settings, now)))
