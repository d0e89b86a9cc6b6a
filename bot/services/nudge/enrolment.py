"""A manager's own nudges: on, off, when they come; and the first DM, which shows that they can come."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Generic, Protocol
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.calendar import local_day
from bot.domain.delivery import Delivery, DeliveryKind, DeliveryState
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.nudge_time import PauseProblem, pause_problem
from bot.services.delivery.messenger import Body, Body_co, Messenger
from bot.services.delivery.outbox import Outbox, new_delivery
from bot.store import deliveries, guilds, managers, nudges
from bot.store.database import Connection, Database


class WelcomeWriter(Protocol[Body_co]):
    """Puts the first DM into words; the views do."""

    def welcome(
        self, settings: GuildSettings, manager: ManagerSettings, guild_name: str, *, delivery_id: str
    ) -> Body_co:
        """The first DM after a manager enrolled."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What became of turning nudges on. `state` tells of the first DM; None when there was no need for one."""

    state: DeliveryState | None
    guild: GuildSettings
    manager: ManagerSettings
    guild_name: str


@dataclass(frozen=True, slots=True)
class NudgeSchedule:
    """When a manager's nudges come now."""

    manager: ManagerSettings
    guild: GuildSettings


class Enrolments(Generic[Body]):
    """Changes what managers set for themselves. Nobody but the manager ever turns their nudges on."""

    def __init__(
        self,
        database: Database,
        messenger: Messenger[Body],
        writer: WelcomeWriter[Body],
        clock: Clock,
    ) -> None:
        self._database = database
        self._messenger = messenger
        self._writer = writer
        self._clock = clock
        self._outbox = Outbox(database, messenger, clock)

    async def turn_on(self, guild_id: int, manager_id: int) -> Enrolled | None:
        """Switch nudges on for a manager, and say hello by DM at once; None for somebody who is no manager.

        Whose nudges are on already has their pause ended by it. Whose DMs were closed is tried again.
        """
        now = self._clock.now()
        async with self._database.writing() as connection:
            found = await _settings(connection, guild_id, manager_id)
            if found is None:
                return None
            guild, before = found.guild, found.manager
            manager = replace(before, enrolled_at=before.enrolled_at or now, paused_until_on=None, refused_at=None)
            await managers.save(connection, manager)
            delivery = None
            if before.enrolled_at is None or before.refused_at is not None:
                delivery = await self._claim_welcome(connection, guild, manager)
            newest = await deliveries.newest(connection, guild_id, DeliveryKind.WELCOME, manager_id)
        guild_name = await self._messenger.guild_name(guild_id)
        if delivery is None:  # nudges were on, or today's first DM went out before
            state = None if newest is None or newest.state is DeliveryState.SENT else newest.state
            return Enrolled(state, guild, manager, guild_name)
        body = self._writer.welcome(guild, manager, guild_name, delivery_id=delivery.delivery_id)
        return Enrolled(await self._outbox.send(delivery, None, body), guild, manager, guild_name)

    async def _claim_welcome(
        self, connection: Connection, guild: GuildSettings, manager: ManagerSettings
    ) -> Delivery | None:
        """The first DM, unless one went out today; what was refused is given another chance."""
        key = (guild.guild_id, manager.manager_id)
        today = local_day(self._clock.now(), manager.zone or guild.zone)
        await deliveries.forget_unsent(connection, key[0], DeliveryKind.WELCOME, key[1], today)
        await deliveries.forget_unsent(connection, key[0], DeliveryKind.NUDGE, key[1], today)
        delivery = new_delivery(DeliveryKind.WELCOME, *key, today, self._clock, DeliveryState.CLAIMED)
        return delivery if await deliveries.claim(connection, delivery) else None

    async def resume(self, delivery: Delivery) -> bool:
        """Find out about a first DM whose outcome is open; False when it is too early."""
        return await self._outbox.settle(delivery, None, self._rebuild)

    async def _rebuild(self, delivery: Delivery) -> Body | None:
        if delivery.manager_id is None:
            return None
        async with self._database.reading() as connection:
            found = await _settings(connection, delivery.guild_id, delivery.manager_id)
        if found is None or found.manager.enrolled_at is None:
            return None
        guild_name = await self._messenger.guild_name(delivery.guild_id)
        return self._writer.welcome(found.guild, found.manager, guild_name, delivery_id=delivery.delivery_id)

    async def set_hour(self, guild_id: int, manager_id: int, hour: int) -> NudgeSchedule | None:
        """Change the hour; None for somebody who is no manager, as with everything below."""
        return await self._change(guild_id, manager_id, lambda manager, _: replace(manager, nudge_hour=hour))

    async def set_weekdays(self, guild_id: int, manager_id: int, weekdays: frozenset[int]) -> NudgeSchedule | None:
        """Change the days of the week."""
        return await self._change(guild_id, manager_id, lambda manager, _: replace(manager, nudge_weekdays=weekdays))

    async def set_zone(self, guild_id: int, manager_id: int, zone: ZoneInfo | None) -> NudgeSchedule | None:
        """Change the time zone; None goes back to the guild's."""
        return await self._change(guild_id, manager_id, lambda manager, _: replace(manager, zone=zone))

    async def pause(self, guild_id: int, manager_id: int, until_on: date) -> NudgeSchedule | PauseProblem | None:
        """Send nothing before a date; a date that is past or absurdly far is a problem, and changes nothing."""
        async with self._database.reading() as connection:
            found = await _settings(connection, guild_id, manager_id)
        if found is None:
            return None
        today = local_day(self._clock.now(), found.manager.zone or found.guild.zone)
        problem = pause_problem(until_on, today)
        if problem is not None:
            return problem
        return await self._change(guild_id, manager_id, lambda manager, _: replace(manager, paused_until_on=until_on))

    async def name_again(self, guild_id: int, manager_id: int, member_id: int) -> bool:
        """Take back that a manager snoozed or dismissed a member; False when they had not."""
        async with self._database.writing() as connection:
            return await nudges.name_again(connection, guild_id, manager_id, member_id)

    async def turn_off(self, guild_id: int, manager_id: int) -> bool | None:
        """Switch nudges off; tells whether they were on."""
        async with self._database.writing() as connection:
            found = await _settings(connection, guild_id, manager_id)
            if found is None:
                return None
            await managers.save(connection, replace(found.manager, enrolled_at=None, paused_until_on=None))
        return found.manager.enrolled_at is not None

    async def stop_pressed(self, delivery_id: str, presser_id: int) -> bool:
        """The button below the first DM was pressed; False when it was not for the presser."""
        async with self._database.reading() as connection:
            delivery = await deliveries.by_id(connection, delivery_id)
        if delivery is None or delivery.kind is not DeliveryKind.WELCOME or delivery.manager_id != presser_id:
            return False
        await self.turn_off(delivery.guild_id, presser_id)
        return True

    async def _change(
        self, guild_id: int, manager_id: int, change: Callable[[ManagerSettings, GuildSettings], ManagerSettings]
    ) -> NudgeSchedule | None:
        async with self._database.writing() as connection:
            found = await _settings(connection, guild_id, manager_id)
            if found is None:
                return None
            changed = change(found.manager, found.guild)
            await managers.save(connection, changed)
        return NudgeSchedule(changed, found.guild)


async def _settings(connection: Connection, guild_id: int, manager_id: int) -> NudgeSchedule | None:
    guild = await guilds.settings_of(connection, guild_id)
    manager = await managers.settings_of(connection, guild_id, manager_id)
    return None if guild is None or manager is None else NudgeSchedule(manager, guild)
