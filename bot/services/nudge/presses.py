"""Carries out presses on a nudge: by its owner only, and once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic

from bot.clock import Clock
from bot.domain.delivery import UNSETTLED, Delivery, DeliveryKind
from bot.domain.nudge import Action, NudgeDraft, OfferedMember, Reason
from bot.domain.rules import Rules
from bot.services.delivery.messenger import Body, Messenger, SentMessage
from bot.services.delivery.outbox import Outbox
from bot.services.nudge.dispatch import NudgeComposer
from bot.services.nudge.drafts import NudgeDrafts
from bot.services.nudge.facts import receivers
from bot.store import deliveries, guilds, managers, nudges, waits
from bot.store.database import Connection, Database


class PressResult(StrEnum):
    """The result of a press."""

    CARRIED_OUT = "carried out"
    AGAIN = "again"
    NOT_YOURS = "not yours"
    NO_MANAGER = "no manager"
    NO_COLLEAGUE = "no colleague"


@dataclass(frozen=True, slots=True)
class ButtonPress:
    """Somebody pressed a button of a nudge, or chose a colleague.

    `message` holds the button; None for the list of colleagues, which is in another message than the nudge.
    """

    delivery_id: str
    position: int
    presser_id: int
    message: SentMessage | None = None
    in_server: bool = False


@dataclass(frozen=True, slots=True)
class Pressed:
    """The result of a press, and the nudge as it stands now."""

    result: PressResult
    draft: NudgeDraft | None = None


@dataclass(frozen=True, slots=True)
class Colleagues:
    """Whom a member can be handed over to, by id and name: managers who can get them in their next nudge."""

    result: PressResult
    member_name: str = ""
    colleagues: Mapping[int, str] | None = None


class NudgePresses(Generic[Body]):
    """Carries out presses, and keeps the DMs up to date."""

    def __init__(
        self, database: Database, messenger: Messenger[Body], composer: NudgeComposer[Body], clock: Clock, rules: Rules
    ) -> None:
        self._database = database
        self._messenger = messenger
        self._composer = composer
        self._clock = clock
        self._rules = rules
        self._outbox = Outbox(database, messenger, clock)
        self._drafts = NudgeDrafts(database, messenger, rules)

    async def colleagues(self, press: ButtonPress) -> Colleagues:
        """Whom the member at a position can be handed over to."""
        now = self._clock.now()
        async with self._database.reading() as connection:
            result, delivery, member = await self._look(connection, press)
            if delivery is None or member is None:
                return Colleagues(result)
            team = await self._colleagues(connection, delivery, member, now)
        member_id = member.offer.member_id
        names = await self._messenger.names(delivery.guild_id, sorted(team | {member_id}))
        return Colleagues(
            result,
            member_name=names.get(member_id, ""),
            colleagues={person_id: name for person_id, name in names.items() if person_id in team},
        )

    async def press(self, press: ButtonPress, action: Action, colleague_id: int | None = None) -> Pressed:
        """Carry out a press, and bring the DM up to date."""
        now = self._clock.now()
        async with self._database.writing() as connection:
            result, delivery, member = await self._look(connection, press)
            if delivery is None or member is None:
                return Pressed(result)
            if result is PressResult.CARRIED_OUT:
                if action is Action.HAND_OVER:
                    colleagues = await self._colleagues(connection, delivery, member, now)
                    if colleague_id not in colleagues:
                        return Pressed(PressResult.NO_COLLEAGUE)
                if await nudges.settle(connection, member, action, now, colleague_id):
                    await self._carry_out(connection, delivery, member, action, colleague_id, now)
                else:
                    result = PressResult.AGAIN
        if delivery.state in UNSETTLED and press.message is not None:
            await self._outbox.confirm(delivery, press.message)
        return Pressed(result, await self._bring_up_to_date(delivery, press))

    async def _look(
        self, connection: Connection, press: ButtonPress
    ) -> tuple[PressResult, Delivery | None, OfferedMember | None]:
        """Check a press and find what it is on. Without a delivery and a member it has no effect."""
        delivery = await deliveries.by_id(connection, press.delivery_id)
        if (
            delivery is None
            or delivery.kind is not DeliveryKind.NUDGE
            or delivery.manager_id != press.presser_id
            or press.in_server
            or (press.message and delivery.message_id and press.message.message_id != delivery.message_id)
        ):
            return PressResult.NOT_YOURS, None, None
        if press.presser_id not in await managers.people(connection, delivery.guild_id):
            return PressResult.NO_MANAGER, None, None
        members = {member.position: member for member in await nudges.members_of(connection, press.delivery_id)}
        member = members.get(press.position)
        if member is None:
            return PressResult.NOT_YOURS, None, None
        return PressResult.CARRIED_OUT if member.action is None else PressResult.AGAIN, delivery, member

    async def _colleagues(
        self, connection: Connection, delivery: Delivery, member: OfferedMember, now: datetime
    ) -> frozenset[int]:
        """The colleagues who get nudges now, except those who snoozed or dismissed this member."""
        settings = await guilds.settings_of(connection, delivery.guild_id)
        if settings is None:
            return frozenset()
        team = await managers.all_settings(connection, delivery.guild_id)
        snooze = self._rules.nudge.snooze
        set_aside_by = await nudges.snoozed_by(connection, delivery.guild_id, member.offer.member_id, now, snooze)
        return frozenset(receivers(team, settings, now)) - {delivery.manager_id or 0} - set_aside_by

    async def _bring_up_to_date(self, delivery: Delivery, press: ButtonPress) -> NudgeDraft | None:
        draft = await self._drafts.stored(delivery.delivery_id)
        sent = press.message
        if sent is None and delivery.channel_id is not None and delivery.message_id is not None:
            sent = SentMessage(delivery.channel_id, delivery.message_id)
        if draft is not None and sent is not None:
            await self._messenger.edit(sent, self._composer.nudge(draft))
        return draft

    async def _carry_out(
        self,
        connection: Connection,
        delivery: Delivery,
        member: OfferedMember,
        action: Action,
        colleague_id: int | None,
        now: datetime,
    ) -> None:
        guild_id, offer = delivery.guild_id, member.offer
        match action:
            case Action.DONE:
                if offer.reason is Reason.WAITING and offer.message_id is not None:
                    await waits.close(connection, guild_id, [offer.message_id], now)
            case Action.HAND_OVER:
                assert colleague_id is not None
                await nudges.hand_over(connection, guild_id, member, colleague_id, now)
            case Action.SNOOZE:
                until = now + self._rules.nudge.snooze
                await nudges.snooze(connection, guild_id, member.manager_id, offer.member_id, until)
            case Action.NEVER:
                await nudges.snooze(connection, guild_id, member.manager_id, offer.member_id, None)
            case Action.MOOT:
                raise ValueError("nobody presses that")
