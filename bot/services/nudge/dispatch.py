"""Nudges: who is due one, and sending it exactly once."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Generic, Protocol

from bot.clock import Clock
from bot.domain.calendar import local_day
from bot.domain.delivery import UNSENT, UNSETTLED, Delivery, DeliveryKind, DeliveryState, SendOutcome
from bot.domain.due_work import Piece, Work
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.nudge import Action, Nudge, NudgeDraft, Offer, OfferedMember, Reason
from bot.domain.nudge_decision import ranked
from bot.domain.nudge_time import NoNudge, NudgeSchedule, rests_today
from bot.domain.rules import Rules
from bot.services.delivery import periods
from bot.services.delivery.agenda import Agenda
from bot.services.delivery.attempts import Attempts
from bot.services.delivery.due_times import DueTimes
from bot.services.delivery.messenger import Body, Body_co, Messenger, RefusedError
from bot.services.delivery.outbox import Outbox, UnneededError, claim_nothing, new_delivery
from bot.services.guild_reader import Settle
from bot.services.nudge.check import DiscordState, NudgeCheck
from bot.services.nudge.drafts import NudgeDrafts
from bot.services.nudge.due import deals_with, due_nudges
from bot.services.nudge.facts import nudge_of_day, past_nudges, unanswered
from bot.services.nudge.schedule import schedule_of
from bot.store import deliveries, due_times, nudges
from bot.store.database import Connection, Database


def everywhere(_guild_id: int) -> bool:
    """Every guild's record is complete."""
    return True


class NudgeComposer(Protocol[Body_co]):
    """Puts a nudge into words; the views do."""

    def nudge(self, draft: NudgeDraft) -> Body_co:
        """The DM, with what was pressed so far."""


class NudgeService(Generic[Body]):
    """Sends at most one nudge a local day to each enrolled manager.

    While `in_step` is False for a guild's id, because of an outage for example, none is sent there.
    """

    def __init__(
        self,
        database: Database,
        messenger: Messenger[Body],
        composer: NudgeComposer[Body],
        clock: Clock,
        rules: Rules,
        settle: Settle,
        in_step: Callable[[int], bool] = everywhere,
        attempts: Attempts | None = None,
        agenda: Agenda | None = None,
    ) -> None:
        self._database = database
        self._messenger = messenger
        self._composer = composer
        self._clock = clock
        self._rules = rules
        self._settle = settle
        self._outbox = Outbox(database, messenger, clock)
        self._in_step = in_step
        self._attempts = attempts or Attempts(clock.now)
        self._check = NudgeCheck(database, messenger, rules)
        self._drafts = NudgeDrafts(database, messenger, rules)
        self._due = DueTimes(database, due_times.NUDGE, due_nudges, agenda)

    async def send_due(self) -> int:
        """Send every nudge that is due now; returns how many were sent. Raises UnsureTimeError.

        One that fails does not stop the others.
        """
        due: dict[int, list[tuple[NudgeSchedule, date]]] = {}
        for schedule, day in sorted(await self._due.look(self._clock.sure_now()), key=_place):
            if self._in_step(schedule.guild.guild_id):
                due.setdefault(schedule.guild.guild_id, []).append((schedule, day))
        return sum(await asyncio.gather(*(self._send_in(guild_id, team) for guild_id, team in due.items())))

    async def _send_in(self, guild_id: int, due: Sequence[tuple[NudgeSchedule, date]]) -> int:
        """Send the nudges of a guild's managers, one after the other; returns how many were sent."""
        if not await self._settled(guild_id):
            return 0
        sent = 0
        for schedule, day in due:
            piece = Piece(Work.NUDGE, guild_id, schedule.manager.manager_id)
            work = partial(self._send_due, schedule, day)
            sent += await self._attempts.attempt(piece, work, depends_on=(day, schedule.manager))
        return sent

    async def _settled(self, guild_id: int) -> bool:
        """Whether a guild's record could be settled: one attempt for all its managers, so one trouble is one line."""

        async def settle() -> bool:
            await self._settle(guild_id)
            return True

        return await self._attempts.attempt(Piece(Work.RECORDING, guild_id), settle)

    async def _send_due(self, schedule: NudgeSchedule, day: date) -> bool:
        outcome = await self._send(schedule, day)
        if outcome is not None and outcome.state is DeliveryState.PENDING:
            raise RefusedError(outcome.problem or "")
        return outcome is not None and outcome.state is DeliveryState.SENT

    async def send_now(self, guild_id: int, manager_id: int) -> SendOutcome | NoNudge:
        """Send a manager today's nudge at once; returns what became of it, or why there is none to send.

        Raises DiscordUnreachableError.
        """
        await self._settle(guild_id)
        async with self._database.reading() as connection:
            schedule = await schedule_of(connection, guild_id, manager_id)
        if schedule is None or schedule.manager.enrolled_at is None:
            return NoNudge.OFF
        day = local_day(self._clock.now(), schedule.zone)
        outcome = await self._send(schedule, day, on_request=True)
        if outcome is not None:
            return outcome
        async with self._database.reading() as connection:
            found = await nudge_of_day(connection, schedule.manager, day, self._clock.now())
        return SendOutcome(found.state) if found is not None and found.state in UNSETTLED else NoNudge.HAD

    async def _send(self, schedule: NudgeSchedule, day: date, *, on_request: bool = False) -> SendOutcome | None:
        """Decide, claim and send one manager's nudge of a day; None if the day was dealt with before."""
        settings, manager = schedule.guild, schedule.manager
        guild_id, manager_id = settings.guild_id, manager.manager_id
        async with self._database.reading() as connection:
            now = self._clock.now()
            newest = await nudge_of_day(connection, manager, day, now)
            if deals_with(newest, day, on_request=on_request):
                return None
            past = await past_nudges(connection, settings, manager, now, self._rules)
        rests = rests_today(past, today=day, weekdays=manager.nudge_weekdays)
        while on_request or not rests:
            checked = await self._check.look(settings, manager_id, self._clock.now())
            nudge, discord = checked.nudge, checked.discord
            if not nudge.offers:
                break
            await self._settle(guild_id)
            now = self._clock.now()
            delivery = new_delivery(DeliveryKind.NUDGE, guild_id, manager_id, day, self._clock, DeliveryState.CLAIMED)
            with self._outbox.holding(delivery):
                async with self._database.writing() as connection:
                    if await _dealt_with(connection, manager, day, now, on_request=on_request):
                        return None
                    await self._check.note(connection, settings, discord, now)
                    if not await self._check.still_holds(connection, settings, checked, now):
                        continue
                    await self._claim(connection, settings, delivery, nudge, now)
                nudge = replace(nudge, half_as_often=past.unanswered)
                draft = await self._drafts.new(delivery.delivery_id, schedule, nudge, discord, now)
                outcome = await self._outbox.send(delivery, None, self._composer.nudge(draft))
                if outcome.state is not DeliveryState.SENT:
                    await self._forget_refused(delivery)
            return outcome
        if not on_request:
            async with self._database.writing() as connection:
                await deliveries.forget_unsent(connection, guild_id, DeliveryKind.NUDGE, manager_id, day)
                await claim_nothing(connection, DeliveryKind.NUDGE, guild_id, manager_id, day, self._clock)
        return SendOutcome(DeliveryState.NOTHING)

    async def _claim(
        self, connection: Connection, settings: GuildSettings, delivery: Delivery, nudge: Nudge, now: datetime
    ) -> None:
        await deliveries.forget_unsent(
            connection, settings.guild_id, DeliveryKind.NUDGE, delivery.manager_id, delivery.due_on
        )
        claimed = await periods.claim(connection, delivery)
        assert claimed  # this transaction has found the day open
        await nudges.add_members(
            connection,
            settings.guild_id,
            nudge.manager_id,
            delivery.delivery_id,
            nudge.offers,
            now,
            local_day(now, settings.zone),
        )

    async def _forget_refused(self, delivery: Delivery) -> None:
        """If the nudge was not sent, nobody was offered in it."""
        async with self._database.writing() as connection:
            settled = await deliveries.by_id(connection, delivery.delivery_id)
            if settled is not None and settled.state in UNSENT:
                await nudges.forget_members(connection, delivery.delivery_id)

    async def resume(self, delivery: Delivery) -> bool:
        """Find out about a nudge whose outcome is open; False if it is too early. Raises DiscordTroubleError."""
        if not self._in_step(delivery.guild_id):
            return False
        if delivery.state is DeliveryState.PENDING:
            return await self._expire(delivery)
        try:
            settled = await self._outbox.settle(delivery, None, self._rebuild)
        except RefusedError:
            await self._forget_refused(delivery)
            raise
        await self._forget_refused(delivery)
        return settled

    async def _expire(self, delivery: Delivery) -> bool:
        """Settle a nudge that Discord refused if its day is over; until then `send_due` decides and tries it anew."""
        assert delivery.manager_id is not None
        async with self._database.reading() as connection:
            schedule = await schedule_of(connection, delivery.guild_id, delivery.manager_id)
        if schedule is not None and local_day(self._clock.now(), schedule.zone) <= delivery.due_on:
            return False
        await self._outbox.expire(delivery)
        return True

    async def _rebuild(self, delivery: Delivery) -> Body | None:
        """The body of a nudge that was never sent; members without a reason by now are moot. None if it is too late.

        Raises UnneededError if nobody is left in it.

        Positions stay as they are: if the first message turns up after all, its buttons still mean the same members.
        """
        await self._settle(delivery.guild_id)
        draft = await self._drafts.stored(delivery.delivery_id)
        if draft is None or draft.schedule.manager.enrolled_at is None:
            return None
        guild, manager_id, now = draft.schedule.guild, draft.nudge.manager_id, self._clock.now()
        if local_day(now, draft.schedule.zone) != delivery.due_on:
            return None
        discord = DiscordState()
        await self._check.ask(guild, draft.nudge, discord)
        async with self._database.writing() as connection:
            await self._check.note(connection, guild, discord, now)
            members = await nudges.members_of(connection, delivery.delivery_id)
            facts = await self._check.facts(connection, guild, manager_id, now, discord)
            reasons = {offer.member_id: offer for offer, _ in ranked(facts, self._rules)}
            moot = [
                member
                for member in members
                if member.action is None
                and (
                    member.offer.member_id in facts.barred
                    or (not member.offer.handed and not _holds(member, reasons.get(member.offer.member_id)))
                )
            ]
            for member in moot:
                await nudges.settle(connection, member, Action.MOOT, now)
            quiet = await unanswered(connection, guild, manager_id, now, self._rules)
        if len(moot) == len(members):
            raise UnneededError
        draft = await self._drafts.stored(delivery.delivery_id, now)
        if draft is None:
            return None
        return self._composer.nudge(replace(draft, nudge=replace(draft.nudge, half_as_often=quiet)))


async def _dealt_with(
    connection: Connection, manager: ManagerSettings, day: date, now: datetime, *, on_request: bool = False
) -> bool:
    """Whether a day has had its nudge, or, with `on_request`, nothing that was not sent."""
    return deals_with(await nudge_of_day(connection, manager, day, now), day, on_request=on_request)


def _place(due: tuple[NudgeSchedule, date]) -> tuple[int, int]:
    return due[0].guild.guild_id, due[0].manager.manager_id


def _holds(member: OfferedMember, offer: Offer | None) -> bool:
    """Whether a member still has the reason they were offered for."""
    return (
        offer is not None
        and offer.reason is member.offer.reason
        and (offer.reason is not Reason.WAITING or offer.message_id == member.offer.message_id)
    )
