"""Nudges: who is due one, what it says, how it is sent, and what a press on it does."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol

from bot.clock import Clock
from bot.domain.calendar import local_day
from bot.domain.delivery import Delivery, DeliveryKind, DeliveryState
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.nudge import Action, Nudge, NudgeDraft, Offer, Press, Reason, decide_nudge, due_today, is_unanswered
from bot.domain.rules import Rules
from bot.domain.touch import TouchKind
from bot.services.messenger import Body, Messenger, RefusedError, SentMessage, UnknownOutcomeError
from bot.services.nudge_facts import gather
from bot.services.outbox import Outbox, claim_nothing, new_delivery
from bot.store import deliveries, guilds, managers, nudges, people, record, touches, waits
from bot.store.database import Connection, Database


class NudgeWriter(Protocol):
    """Puts nudges into words; the views do."""

    def nudge(self, draft: NudgeDraft) -> Body:
        """The DM, with what was pressed so far."""

    def welcome(self, settings: GuildSettings, manager: ManagerSettings, guild_name: str) -> Body:
        """The first DM after a manager enrolled."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a press came to. `fresh` is False when something had been pressed for that member before."""

    draft: NudgeDraft
    fresh: bool


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What became of the first DM to a manager who turned nudges on."""

    state: DeliveryState
    guild: GuildSettings
    manager: ManagerSettings
    guild_name: str


@dataclass(frozen=True, slots=True)
class Colleagues:
    """Whom a member can be handed over to, by id and name."""

    member_name: str
    colleagues: Mapping[int, str]


class NudgeService:
    """Sends at most one nudge a local day to each enrolled manager, and carries out what they press."""

    def __init__(
        self,
        database: Database,
        messenger: Messenger,
        writer: NudgeWriter,
        clock: Clock,
        rules: Rules,
        settle: Callable[[], Awaitable[None]],
    ) -> None:
        self._database = database
        self._messenger = messenger
        self._writer = writer
        self._clock = clock
        self._rules = rules
        self._settle = settle
        self._outbox = Outbox(database, messenger, clock)

    async def preview_draft(self, guild_id: int, manager_id: int) -> NudgeDraft | None:
        """What a nudge would say now, ready to be put into words; None for somebody who is no manager."""
        await self._settle()
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            manager = await managers.settings_of(connection, guild_id, manager_id)
        if settings is None or manager is None:
            return None
        now = self._clock.now()
        nudge, names = await self._checked(settings, manager, now)
        return NudgeDraft(
            delivery_id="0",
            nudge=nudge,
            guild=settings,
            manager=manager,
            guild_name=await self._messenger.guild_name(guild_id),
            names=names,
            now=now,
        )

    async def preview(self, guild_id: int, manager_id: int, at: datetime) -> Nudge | None:
        """What a nudge at a moment would say; None without settings. Sends and stores nothing."""
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            if settings is None:
                return None
            return decide_nudge(await gather(connection, settings, manager_id, at, self._rules), self._rules)

    async def send_due(self) -> int:
        """Send every nudge that is due now; returns how many went out."""
        await self._settle()
        sent = 0
        async with self._database.reading() as connection:
            candidates = [
                (settings, manager)
                for settings in await guilds.all_settings(connection)
                for manager in await managers.all_settings(connection, settings.guild_id)
            ]
        for settings, manager in candidates:
            local = self._clock.now().astimezone(manager.zone or settings.zone)
            if (
                manager.receives_on(local.date())
                and manager.refused_at is None
                and local.weekday() in manager.nudge_weekdays
                and local.hour >= manager.nudge_hour
            ):
                sent += await self.send_one(settings, manager) is DeliveryState.SENT
        return sent

    async def send_now(self, guild_id: int, manager_id: int) -> DeliveryState | None:
        """Send a manager today's nudge at once; None when they had today's already or are not enrolled."""
        await self._settle()
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            manager = await managers.settings_of(connection, guild_id, manager_id)
        if settings is None or manager is None or manager.enrolled_at is None:
            return None
        return await self.send_one(settings, manager, on_request=True)

    async def send_one(
        self, settings: GuildSettings, manager: ManagerSettings, *, on_request: bool = False
    ) -> DeliveryState | None:
        """Decide, claim and send one manager's nudge of today; None when the day was dealt with before."""
        now = self._clock.now()
        today = local_day(now, manager.zone or settings.zone)
        key = (settings.guild_id, DeliveryKind.NUDGE, manager.manager_id, today)
        async with self._database.reading() as connection:
            newest = await deliveries.newest(connection, *key[:3])
            if (
                newest is not None
                and newest.due_on >= today
                and not (on_request and newest.state is DeliveryState.NOTHING)
            ):
                return None
            quiet = await self._went_unanswered(connection, settings, manager)
            last_on = await deliveries.newest_day(connection, *key[:3], state=DeliveryState.SENT)
        if not on_request and not due_today(unanswered=quiet, days_since_last=_chosen_days(last_on, today, manager)):
            await self._nothing(*key)
            return DeliveryState.NOTHING
        nudge, names = await self._checked(settings, manager, now)
        if not nudge.offers:
            if not on_request:
                await self._nothing(*key)
            return DeliveryState.NOTHING
        nudge = replace(nudge, half_as_often=quiet)
        delivery = new_delivery(
            DeliveryKind.NUDGE, settings.guild_id, manager.manager_id, today, self._clock, DeliveryState.CLAIMED
        )
        guild_day = local_day(now, settings.zone)
        async with self._database.writing() as connection:
            await deliveries.forget_nothing(connection, *key)
            if not await deliveries.claim(connection, delivery):
                return None
            await nudges.add_members(
                connection, *key[:1], manager.manager_id, delivery.delivery_id, nudge.offers, now, guild_day
            )
        body = self._writer.nudge(
            NudgeDraft(
                delivery_id=delivery.delivery_id,
                nudge=nudge,
                guild=settings,
                manager=manager,
                guild_name=await self._messenger.guild_name(settings.guild_id),
                names=names,
                now=now,
            )
        )
        state = await self._outbox.send(delivery, None, body)
        if state is DeliveryState.REFUSED:
            async with self._database.writing() as connection:
                await nudges.forget_members(connection, delivery.delivery_id)
        return state

    async def _nothing(self, guild_id: int, kind: DeliveryKind, manager_id: int, today: date) -> None:
        async with self._database.writing() as connection:
            await claim_nothing(connection, kind, guild_id, manager_id, today, self._clock)

    async def _checked(
        self, settings: GuildSettings, manager: ManagerSettings, now: datetime
    ) -> tuple[Nudge, Mapping[int, str]]:
        """Decide, look whether those people and messages are still there, and decide again until all are."""
        guild_id = settings.guild_id
        while True:
            async with self._database.reading() as connection:
                facts = await gather(connection, settings, manager.manager_id, now, self._rules)
            nudge = decide_nudge(facts, self._rules)
            names = await self._messenger.names(guild_id, [offer.member_id for offer in nudge.offers])
            departed = [offer.member_id for offer in nudge.offers if offer.member_id not in names]
            deleted = [
                offer.message_id
                for offer in nudge.offers
                if offer.reason is Reason.WAITING
                and offer.message_id is not None
                and offer.channel_id is not None
                and not await self._messenger.message_exists(offer.channel_id, offer.message_id)
            ]
            if not departed and not deleted:
                return nudge, names
            async with self._database.writing() as connection:
                for member_id in departed:
                    await people.mark_departed(connection, guild_id, member_id, now)
                await record.take_back(connection, deleted)

    async def _went_unanswered(self, connection: Connection, settings: GuildSettings, manager: ManagerSettings) -> bool:
        limits = self._rules.nudge
        past = await nudges.recent(connection, settings.guild_id, manager.manager_id, limits.quiet_after_unanswered)
        if len(past) < limits.quiet_after_unanswered:
            return False
        oldest = min(member.offered_at for members in past for member in members)
        own = await touches.between(
            connection, settings.guild_id, oldest, self._clock.now() + timedelta(seconds=1), frozenset(TouchKind)
        )
        touched = [touch for touch in own if touch.manager_id == manager.manager_id]
        return is_unanswered(
            tuple(
                any(
                    member.action is not None
                    or any(
                        touch.member_id == member.offer.member_id and touch.touched_at > member.offered_at
                        for touch in touched
                    )
                    for member in members
                )
                for members in past
            ),
            limits,
        )

    async def resume(self, delivery: Delivery) -> bool:
        """Find out about a nudge whose outcome is open; False when it is too early."""
        return await self._outbox.settle(delivery, None, self._rebuild)

    async def _rebuild(self, delivery: Delivery) -> Body | None:
        draft = await self._draft(delivery.delivery_id)
        if draft is None:
            return None
        zone = draft.manager.zone or draft.guild.zone
        return self._writer.nudge(draft) if local_day(draft.now, zone) == delivery.due_on else None

    async def _draft(self, delivery_id: str) -> NudgeDraft | None:
        async with self._database.reading() as connection:
            delivery = await deliveries.by_id(connection, delivery_id)
            if delivery is None or delivery.manager_id is None:
                return None
            settings = await guilds.settings_of(connection, delivery.guild_id)
            manager = await managers.settings_of(connection, delivery.guild_id, delivery.manager_id)
            members = await nudges.members_of(connection, delivery_id)
        if settings is None or manager is None or not members:
            return None
        asked = {member.offer.member_id for member in members} | {
            member.colleague_id for member in members if member.colleague_id is not None
        }
        return NudgeDraft(
            delivery_id=delivery_id,
            nudge=Nudge(manager.manager_id, tuple(member.offer for member in members)),
            guild=settings,
            manager=manager,
            guild_name=await self._messenger.guild_name(settings.guild_id),
            names=await self._messenger.names(settings.guild_id, asked),
            now=self._clock.now(),
            presses=tuple(
                Press(member.position, member.action, member.settled_at, member.colleague_id)
                for member in members
                if member.action is not None and member.settled_at is not None
            ),
        )

    async def enrol(self, guild_id: int, manager_id: int) -> Enrolled | None:
        """Switch nudges on for a manager and say hello by DM at once; None for somebody who is no manager."""
        now = self._clock.now()
        async with self._database.writing() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            manager = await managers.settings_of(connection, guild_id, manager_id)
            if settings is None or manager is None:
                return None
            manager = replace(manager, enrolled_at=manager.enrolled_at or now, paused_until_on=None, refused_at=None)
            await managers.save(connection, manager)
        guild_name = await self._messenger.guild_name(guild_id)
        state = await self._welcome(manager, self._writer.welcome(settings, manager, guild_name))
        return Enrolled(state, settings, manager, guild_name)

    async def _welcome(self, manager: ManagerSettings, body: Body) -> DeliveryState:
        manager_id = manager.manager_id
        try:
            await self._messenger.send_to_person(manager_id, body, f"spade-{secrets.token_hex(8)}")
        except RefusedError as error:
            if error.closed:
                async with self._database.writing() as connection:
                    await managers.mark_refused(connection, manager_id, self._clock.now())
            return DeliveryState.REFUSED
        except UnknownOutcomeError:
            return DeliveryState.UNKNOWN
        return DeliveryState.SENT

    async def change(
        self, guild_id: int, manager_id: int, **changes: object
    ) -> tuple[ManagerSettings, GuildSettings] | None:
        """Change what a manager has set (fields of ManagerSettings); None for somebody who is no manager."""
        async with self._database.writing() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            manager = await managers.settings_of(connection, guild_id, manager_id)
            if settings is None or manager is None:
                return None
            changed = replace(manager, **changes)  # type: ignore[arg-type]  # the caller names fields
            await managers.save(connection, changed)
        return changed, settings

    async def turn_off(self, guild_id: int, manager_id: int) -> bool | None:
        """Switch nudges off; tells whether they were on, None for somebody who is no manager."""
        async with self._database.reading() as connection:
            manager = await managers.settings_of(connection, guild_id, manager_id)
        if manager is None:
            return None
        await self.change(guild_id, manager_id, enrolled_at=None, paused_until_on=None)
        return manager.enrolled_at is not None

    async def colleagues(self, delivery_id: str, position: int, presser_id: int) -> Colleagues | None:
        """Whom a member of a nudge can be handed over to; None when the nudge is not the presser's."""
        async with self._database.reading() as connection:
            delivery = await deliveries.by_id(connection, delivery_id)
            if delivery is None or delivery.manager_id != presser_id:
                return None
            offered = {member.position: member for member in await nudges.members_of(connection, delivery_id)}
            team = await managers.people(connection, delivery.guild_id)
        if position not in offered:
            return None
        member_id = offered[position].offer.member_id
        names = await self._messenger.names(delivery.guild_id, sorted(team | {member_id}))
        return Colleagues(
            member_name=names.get(member_id, str(member_id)),
            colleagues={person_id: name for person_id, name in names.items() if person_id in team - {presser_id}},
        )

    async def press(
        self, delivery_id: str, position: int, presser_id: int, action: Action, colleague_id: int | None = None
    ) -> Pressed | None:
        """Carry out a press, once, and bring the DM up to date; None when the nudge is not the presser's."""
        now = self._clock.now()
        async with self._database.writing() as connection:
            delivery = await deliveries.by_id(connection, delivery_id)
            if delivery is None or delivery.manager_id != presser_id:
                return None
            offered = {member.position: member for member in await nudges.members_of(connection, delivery_id)}
            team = await managers.people(connection, delivery.guild_id)
            if position not in offered or presser_id not in team:
                return None
            member = offered[position]
            if action is Action.HAND_OVER and (colleague_id not in team or colleague_id == presser_id):
                return None
            fresh = await nudges.settle(connection, member, action, now, colleague_id)
            if fresh:
                await self._carry_out(connection, delivery, member.offer, action, colleague_id, now)
        draft = await self._draft(delivery_id)
        if draft is None:
            return None
        if delivery.channel_id is not None and delivery.message_id is not None:
            await self._messenger.edit(SentMessage(delivery.channel_id, delivery.message_id), self._writer.nudge(draft))
        return Pressed(draft, fresh)

    async def _carry_out(
        self,
        connection: Connection,
        delivery: Delivery,
        offer: Offer,
        action: Action,
        colleague_id: int | None,
        now: datetime,
    ) -> None:
        guild_id, manager_id = delivery.guild_id, delivery.manager_id
        assert manager_id is not None
        match action:
            case Action.DONE:
                if offer.reason is Reason.WAITING and offer.message_id is not None:
                    await waits.close(connection, guild_id, [offer.message_id], now)
            case Action.HAND_OVER:
                assert colleague_id is not None
                await nudges.hand_over(connection, guild_id, manager_id, colleague_id, offer.member_id, now)
            case Action.SNOOZE:
                until = now + self._rules.nudge.snooze
                await nudges.snooze(connection, guild_id, manager_id, offer.member_id, until)
            case Action.NEVER:
                await nudges.snooze(connection, guild_id, manager_id, offer.member_id, None)


def _chosen_days(last_on: date | None, today: date, manager: ManagerSettings) -> int | None:
    """How many of a manager's chosen weekdays lie after the last nudge, today included; None without one."""
    if last_on is None:
        return None
    days = (last_on + timedelta(days=offset) for offset in range(1, (today - last_on).days + 1))
    return sum(day.weekday() in manager.nudge_weekdays for day in days)
