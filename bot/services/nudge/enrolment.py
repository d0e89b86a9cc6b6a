"""A manager's own nudges: on, off, when they come; and the first DM, which shows that they can come."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Generic, Protocol
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.calendar import local_day
from bot.domain.delivery import UNSETTLED, Delivery, DeliveryKind, DeliveryState, SendOutcome
from bot.domain.guild import ManagerSettings
from bot.domain.nudge_time import NudgeSchedule, PauseProblem, pause_problem
from bot.services.delivery import periods
from bot.services.delivery.messenger import Body, Body_co, Messenger
from bot.services.delivery.outbox import Outbox, new_delivery
from bot.services.nudge.schedule import schedule_of
from bot.store import deliveries, managers, nudges
from bot.store.database import Connection, Database


class WelcomeComposer(Protocol[Body_co]):
    """Puts the first DM into words; the views do."""

    def welcome(self, schedule: NudgeSchedule, guild_name: str, *, delivery_id: str) -> Body_co:
        """The first DM after a manager enrolled."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What became of turning nudges on. `outcome` is the first DM's; None if none was needed."""

    outcome: SendOutcome | None
    schedule: NudgeSchedule
    guild_name: str


class Enrolments(Generic[Body]):
    """Changes what managers set for themselves. Only the manager turns their nudges on."""

    def __init__(
        self,
        database: Database,
        messenger: Messenger[Body],
        composer: WelcomeComposer[Body],
        clock: Clock,
    ) -> None:
        self._database = database
        self._messenger = messenger
        self._composer = composer
        self._clock = clock
        self._outbox = Outbox(database, messenger, clock)

    async def turn_on(self, guild_id: int, manager_id: int) -> Enrolled | None:
        """Switch nudges on for a manager, and send the first DM at once; None for somebody who is no manager.

        If they are on already, it ends a pause. If Discord refused what was last sent to the manager, the first DM is
        sent again.
        """
        now = self._clock.now()
        async with self._database.writing() as connection:
            found = await schedule_of(connection, guild_id, manager_id)
            if found is None:
                return None
            before = found.manager
            manager = replace(before, enrolled_at=before.enrolled_at or now, paused_until_on=None, refused_at=None)
            schedule = replace(found, manager=manager)
            await managers.save(connection, manager)
            delivery = None
            last = (await deliveries.last_tried(connection, guild_id)).get(manager_id)
            refused = before.refused_at is not None or (last is not None and last.refused)
            if before.enrolled_at is None or refused:
                delivery = await self._claim_welcome(connection, schedule)
        guild_name = await self._messenger.guild_name(guild_id)
        if delivery is None:  # nudges were on, or today's first DM went out before
            open_or_refused = last is not None and (last.refused or last.state in UNSETTLED)
            outcome = SendOutcome(last.state, last.problem) if last is not None and open_or_refused else None
            return Enrolled(outcome, schedule, guild_name)
        body = self._composer.welcome(schedule, guild_name, delivery_id=delivery.delivery_id)
        return Enrolled(await self._outbox.send(delivery, None, body), schedule, guild_name)

    async def _claim_welcome(self, connection: Connection, schedule: NudgeSchedule) -> Delivery | None:
        """Claim the first DM; None if one went out today. What was refused can be sent again, while it is due."""
        key = (schedule.guild.guild_id, schedule.manager.manager_id)
        today = local_day(self._clock.now(), schedule.zone)
        await deliveries.forget_unsent(connection, key[0], DeliveryKind.WELCOME, key[1], today)
        await deliveries.forget_unsent(connection, key[0], DeliveryKind.NUDGE, key[1], today)
        digest = await deliveries.newest(connection, key[0], DeliveryKind.PERSONAL_DIGEST, key[1])
        if digest is not None and digest.refused:
            await deliveries.forget_unsent(connection, key[0], digest.kind, key[1], digest.due_on)
        delivery = new_delivery(DeliveryKind.WELCOME, *key, today, self._clock, DeliveryState.CLAIMED)
        return delivery if await periods.claim(connection, delivery) else None

    async def resume(self, delivery: Delivery) -> bool:
        """Find out about a first DM whose outcome is open; False if it is too early."""
        return await self._outbox.settle(delivery, None, self._rebuild)

    async def _rebuild(self, delivery: Delivery) -> Body | None:
        if delivery.manager_id is None:
            return None
        async with self._database.reading() as connection:
            schedule = await schedule_of(connection, delivery.guild_id, delivery.manager_id)
        if schedule is None or schedule.manager.enrolled_at is None:
            return None
        over = local_day(self._clock.now(), schedule.zone) > delivery.due_on
        if over and delivery.state is DeliveryState.PENDING:
            return None
        guild_name = await self._messenger.guild_name(delivery.guild_id)
        return self._composer.welcome(schedule, guild_name, delivery_id=delivery.delivery_id)

    async def set_hour(self, guild_id: int, manager_id: int, hour: int) -> NudgeSchedule | None:
        """Change the hour; None for somebody who is no manager, as with everything below."""
        return await self._change(guild_id, manager_id, lambda manager: replace(manager, nudge_hour=hour))

    async def set_weekdays(self, guild_id: int, manager_id: int, weekdays: frozenset[int]) -> NudgeSchedule | None:
        """Change the days of the week."""
        return await self._change(guild_id, manager_id, lambda manager: replace(manager, nudge_weekdays=weekdays))

    async def set_zone(self, guild_id: int, manager_id: int, zone: ZoneInfo | None) -> NudgeSchedule | None:
        """Change the time zone; None goes back to the guild's."""
        return await self._change(guild_id, manager_id, lambda manager: replace(manager, zone=zone))

    async def pause(self, guild_id: int, manager_id: int, until_on: date) -> NudgeSchedule | PauseProblem | None:
        """Send nothing before a date. A date that is past or too far ahead is a problem, and changes nothing."""
        async with self._database.reading() as connection:
            schedule = await schedule_of(connection, guild_id, manager_id)
        if schedule is None:
            return None
        problem = pause_problem(until_on, local_day(self._clock.now(), schedule.zone))
        if problem is not None:
            return problem
        return await self._change(guild_id, manager_id, lambda manager: replace(manager, paused_until_on=until_on))

    async def name_again(self, guild_id: int, manager_id: int, member_id: int) -> bool:
        """Take back a manager's snooze or dismissal of a member; False if there was none."""
        async with self._database.writing() as connection:
            return await nudges.name_again(connection, guild_id, manager_id, member_id)

    async def turn_off(self, guild_id: int, manager_id: int) -> bool | None:
        """Switch nudges off; returns whether they were on."""
        async with self._database.writing() as connection:
            schedule = await schedule_of(connection, guild_id, manager_id)
            if schedule is None:
                return None
            await managers.save(connection, replace(schedule.manager, enrolled_at=None, paused_until_on=None))
        return schedule.manager.enrolled_at is not None

    async def stop_pressed(self, delivery_id: str, presser_id: int) -> bool:
        """The button below the first DM was pressed; False if the DM is not the presser's."""
        async with self._database.reading() as connection:
            delivery = await deliveries.by_id(connection, delivery_id)
        if delivery is None or delivery.kind is not DeliveryKind.WELCOME or delivery.manager_id != presser_id:
            return False
        await self.turn_off(delivery.guild_id, presser_id)
        return True

    async def _change(
        self, guild_id: int, manager_id: int, change: Callable[[ManagerSettings], ManagerSettings]
    ) -> NudgeSchedule | None:
        async with self._database.writing() as connection:
            schedule = await schedule_of(connection, guild_id, manager_id)
            if schedule is None:
                return None
            schedule = replace(schedule, manager=change(schedule.manager))
            await managers.save(connection, schedule.manager)
        return schedule
