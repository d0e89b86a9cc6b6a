"""Gathers what one manager's nudge is decided on."""

from collections import defaultdict
from datetime import datetime, timedelta

from bot.domain.calendar import day_start, local_day
from bot.domain.conversation import Conversation, conversations
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.nudge import Newcomer, NudgeFacts, Obstacle, Regular
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.domain.touch import personal_kinds
from bot.store import activity, managers, nudges, people, touches, waits
from bot.store.database import Connection


async def gather(
    connection: Connection, settings: GuildSettings, manager_id: int, now: datetime, rules: Rules
) -> NudgeFacts:
    """Everything R9 looks at, as it was at `now`; a moment in the past leaves out what came after it."""
    guild_id, limits = settings.guild_id, rules.nudge
    today = local_day(now, settings.zone)
    kinds = personal_kinds(count_inferred=rules.count_inferred)
    first_touches = await touches.first_touches(connection, guild_id, now, kinds)
    yesterday = today - timedelta(days=1)
    window_from = today - timedelta(days=limits.unmet_window_days)
    regulars = await activity.active_days(
        connection, guild_id, window_from, yesterday, at_least=limits.unmet_active_days
    )
    newcomers = await activity.newcomers(connection, guild_id, now - limits.newcomer_until, now - limits.newcomer_after)
    talks: dict[int, list[Conversation]] = defaultdict(list)
    own = await touches.of_manager(connection, guild_id, manager_id, now, kinds)
    for talk in conversations(own, rules.conversation_gap):
        talks[talk.member_id].append(talk)
    traces = await activity.traces(connection, guild_id, regulars.keys() | talks.keys())
    end_id = first_id_at(now)
    last_messages = {
        member_id: (trace.last_message_id, trace.last_channel_id)
        for member_id, trace in traces.items()
        if trace.last_message_id < end_id
    }
    barred = dict.fromkeys(await people.departed(connection, guild_id), Obstacle.LEFT)
    barred.update(await nudges.snoozed(connection, guild_id, manager_id, now))
    offer_memory = max(limits.offer_again_after, limits.offer_waiting_again_after)
    return NudgeFacts(
        guild_id=guild_id,
        manager_id=manager_id,
        now=now,
        sharing=sharing(await managers.all_settings(connection, guild_id), manager_id, settings, now),
        waiting=await waits.written_between(connection, guild_id, now - rules.waiting_expires, now),
        newcomers={
            member_id: Newcomer(trace.first_message_id, trace.first_channel_id)
            for member_id, trace in newcomers.items()
        },
        regulars={
            member_id: Regular(days, day_start(first_on, settings.zone), *last_messages.get(member_id, (None, None)))
            for member_id, (days, first_on) in regulars.items()
        },
        met=frozenset(member_id for _, member_id in first_touches),
        conversations={member_id: tuple(found) for member_id, found in talks.items()},
        lately_active=await activity.active(
            connection, guild_id, today - timedelta(days=limits.cooling_active_days), yesterday
        ),
        last_messages=last_messages,
        barred=barred,
        past_offers=await nudges.past_offers(connection, guild_id, manager_id, now - offer_memory),
        offered_to_others=await nudges.offered_to_others(connection, guild_id, manager_id, today),
        handed=await nudges.handed_to(connection, guild_id, manager_id, now - limits.offer_again_after),
    )


def sharing(
    team: tuple[ManagerSettings, ...], manager_id: int, settings: GuildSettings, now: datetime
) -> tuple[int, ...]:
    """The managers over whom members are shared out: enrolled and not paused; without any, the one asked for."""
    found = tuple(
        manager.manager_id for manager in team if manager.receives_on(local_day(now, manager.zone or settings.zone))
    )
    return found or (manager_id,)
