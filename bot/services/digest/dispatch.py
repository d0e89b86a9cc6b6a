"""Sends each weekly digest exactly once when it is due, and makes one on request."""

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Generic, Protocol

from bot.clock import Clock
from bot.domain.calendar import local_day, monday_of
from bot.domain.delivery import Delivery, DeliveryKind, DeliveryState
from bot.domain.digest import DueDigest, due_digest, due_personal_digest
from bot.domain.digest_draft import DigestDraft, PersonalDraft
from bot.domain.due_work import Piece, Work
from bot.domain.guild import GuildSettings
from bot.domain.nudge_time import NudgeSchedule
from bot.domain.report import FrozenWeek
from bot.domain.rules import Rules
from bot.services.delivery import periods
from bot.services.delivery.agenda import Agenda
from bot.services.delivery.attempts import Attempts
from bot.services.delivery.due_times import DueTimes
from bot.services.delivery.messenger import Body, Body_co, DiscordUnreachableError, Messenger, RefusedError
from bot.services.delivery.outbox import Outbox, claim_nothing, new_delivery
from bot.services.digest.due import due_digests, due_personal_digests, is_open
from bot.services.digest.painter import Painter
from bot.services.digest.report import Reporter
from bot.services.guild_reader import GuildReader, GuildSnapshot
from bot.services.nudge.check import joined_of, names_of
from bot.services.nudge.schedule import schedule_of
from bot.services.record.beginning import old_hands
from bot.store import deliveries, digests, due_times, guilds
from bot.store.database import Connection, Database

log = logging.getLogger(__name__)

NAMES_SHOWN = 15
"""How many first contacts are named at most."""
WAITING_SHOWN = 5
SUGGESTIONS = 3


class DigestComposer(Protocol[Body_co]):
    """Puts a digest into words and a picture; the views do."""

    def digest(self, draft: DigestDraft, picture: bytes | None) -> Body_co:
        """The post for the guild's channel; with names in the draft, the answer to a manager."""

    def personal_digest(self, draft: PersonalDraft) -> Body_co:
        """The DM to one manager."""


class DigestService(Generic[Body]):
    """Sends each guild's and each manager's digest once a week, late if it was missed, and makes one on request.

    While `in_step` is False for a guild's id, because of an outage for example, none is sent there.
    """

    def __init__(
        self,
        database: Database,
        messenger: Messenger[Body],
        composer: DigestComposer[Body],
        painter: Painter,
        clock: Clock,
        rules: Rules,
        reader: GuildReader,
        in_step: Callable[[int], bool],
        attempts: Attempts | None = None,
        agenda: Agenda | None = None,
    ) -> None:
        self._database = database
        self._messenger = messenger
        self._composer = composer
        self._painter = painter
        self._clock = clock
        self._reader = reader
        self._in_step = in_step
        self._reporter = Reporter(database, rules)
        self._rules = rules
        self._outbox = Outbox(database, messenger, clock)
        self._attempts = attempts or Attempts(clock.now)
        agenda = agenda or Agenda(database)
        self._due = DueTimes(database, due_times.DIGEST, due_digests, agenda)
        self._own_due = DueTimes(database, due_times.PERSONAL_DIGEST, due_personal_digests, agenda)

    async def post_due(self) -> int:
        """Send every digest that is due now, the channels' before the managers' own; returns how many were sent."""
        due = await self._due.look(self._clock.sure_now())
        posted = sum(await asyncio.gather(*(self._post_to_team(settings, week) for settings, week in due)))
        own: dict[int, list[tuple[NudgeSchedule, DueDigest]]] = {}
        for schedule, week in sorted(await self._own_due.look(self._clock.sure_now()), key=_place):
            own.setdefault(schedule.guild.guild_id, []).append((schedule, week))
        return posted + sum(await asyncio.gather(*map(self._send_to_managers, own.values())))

    async def _post_to_team(self, settings: GuildSettings, due: DueDigest) -> bool:
        if not self._in_step(settings.guild_id):
            return False
        piece, channel_id = Piece(Work.DIGEST, settings.guild_id), settings.digest_channel_id
        return await self._attempts.attempt(piece, partial(self._post, settings, due), depends_on=(due, channel_id))

    async def _send_to_managers(self, due: Collection[tuple[NudgeSchedule, DueDigest]]) -> int:
        """Send the digests of a guild's managers, one after the other; returns how many were sent."""
        sent = 0
        for schedule, week in due:
            guild_id, manager = schedule.guild.guild_id, schedule.manager
            if self._in_step(guild_id):
                piece = Piece(Work.PERSONAL_DIGEST, guild_id, manager.manager_id)
                work = partial(self._send, schedule, week)
                sent += await self._attempts.attempt(piece, work, depends_on=(week, manager))
        return sent

    async def _post(self, settings: GuildSettings, due: DueDigest) -> bool:
        """Post the team's digest of a week, if it was not dealt with; whether it was sent. Raises RefusedError."""
        before = await self._before(settings.guild_id, DeliveryKind.DIGEST, None, due)
        if not is_open(before, due, settings.digest_channel_id):
            return False
        refused = before
        await self._reader.settle(settings.guild_id)
        await self._thaw(settings.guild_id, due.week_on)
        delivery = replace(
            refused or self._new_delivery(DeliveryKind.DIGEST, settings, None, due),
            channel_id=settings.digest_channel_id,
        )
        draft = await self._draft(settings, due.week_on)
        if refused is not None:
            draft = replace(draft, week=replace(draft.week, today=None))  # never posted, so nothing was corrected
        body = await self._compose(replace(draft, delivery_id=delivery.delivery_id, late=due.late))
        return await self._claim_and_send(delivery, refused, draft.frozen, body)

    async def _send(self, schedule: NudgeSchedule, due: DueDigest) -> bool:
        """Send a manager's own digest of a week, if it was not dealt with; whether it was sent. Raises RefusedError."""
        guild_id, manager_id = schedule.guild.guild_id, schedule.manager.manager_id
        kind = DeliveryKind.PERSONAL_DIGEST
        before = await self._before(guild_id, kind, manager_id, due)
        if not is_open(before, due, None):
            return False
        refused = before
        await self._reader.settle(guild_id)
        await self._thaw(guild_id, due.week_on)
        delivery = refused or self._new_delivery(kind, schedule.guild, manager_id, due)
        draft = await self._personal(schedule, due.week_on)
        if draft.nothing_to_say and refused is None:
            async with self._database.writing() as connection:
                await claim_nothing(connection, kind, guild_id, manager_id, due.week_on, self._clock)
            return False
        body = self._composer.personal_digest(_sent_as(draft, delivery, due))
        return await self._claim_and_send(delivery, refused, draft.team, body)

    async def _claim_and_send(self, delivery: Delivery, refused: Delivery | None, week: FrozenWeek, body: Body) -> bool:
        """Claim a digest, in place of the one that was refused if there is one, and send it; whether it was sent."""
        async with self._database.writing() as connection:
            if refused is None:
                claimed = await periods.claim(connection, delivery)
            else:
                delivery = replace(
                    delivery,
                    state=DeliveryState.CLAIMED,
                    claimed_at=self._clock.now(),
                    tried_at=self._clock.now(),
                    problem=None,
                )
                claimed = await deliveries.claim_again(connection, refused, delivery)
            if not claimed:
                return False
            await self._freeze(connection, delivery, week)
        outcome = await self._outbox.send(delivery, delivery.channel_id, body)
        if outcome.state is DeliveryState.PENDING:
            raise RefusedError(outcome.problem or "")
        return outcome.state is DeliveryState.SENT

    async def _before(
        self, guild_id: int, kind: DeliveryKind, manager_id: int | None, due: DueDigest
    ) -> Delivery | None:
        """The digest that dealt with this week, or the next one's; None if the week is open."""
        async with self._database.reading() as connection:
            now = self._clock.now()
            return await periods.dealt_with(connection, guild_id, kind, manager_id, due.week_on, now)

    def _new_delivery(
        self, kind: DeliveryKind, settings: GuildSettings, manager_id: int | None, due: DueDigest
    ) -> Delivery:
        return new_delivery(kind, settings.guild_id, manager_id, due.week_on, self._clock, DeliveryState.CLAIMED)

    async def _thaw(self, guild_id: int, week_on: date) -> None:
        """Forget figures that a clock far ahead has frozen: they would be taken for what was posted."""
        async with self._database.writing() as connection:
            await digests.thaw(connection, guild_id, week_on, after=self._clock.sure_now())

    async def _freeze(self, connection: Connection, delivery: Delivery, week: FrozenWeek) -> None:
        document, now = json.dumps(week.document()), self._clock.now()
        await digests.freeze(connection, delivery.guild_id, delivery.due_on, delivery.delivery_id, document, now)

    async def resume(self, delivery: Delivery) -> bool:
        """Find out about a digest whose outcome is open; False if it is too early."""
        if not self._in_step(delivery.guild_id):
            return False
        if delivery.state is DeliveryState.PENDING:
            return await self._expire(delivery)
        if delivery.kind is DeliveryKind.PERSONAL_DIGEST:
            return await self._outbox.settle(delivery, None, self._rebuild_personal)
        channel_id = delivery.channel_id
        if channel_id is None:  # claimed by an older version
            async with self._database.reading() as connection:
                settings = await guilds.settings_of(connection, delivery.guild_id)
            channel_id = settings.digest_channel_id if settings else None
        if channel_id is None:
            return await self._outbox.give_up(delivery)
        return await self._outbox.settle(delivery, channel_id, self._rebuild)

    async def _expire(self, delivery: Delivery) -> bool:
        """Settle a digest that Discord refused if it is not due any more; until then `post_due` tries it again."""
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, delivery.guild_id)
            schedule = None
            if delivery.manager_id is not None:
                schedule = await schedule_of(connection, delivery.guild_id, delivery.manager_id)
        due = None
        if schedule is not None:
            due = due_personal_digest(schedule.guild, schedule.manager, self._clock.now())
        elif settings is not None and delivery.manager_id is None:
            due = due_digest(settings, self._clock.now())
        if due is not None and due.week_on == delivery.due_on:
            return False
        await self._outbox.expire(delivery)
        return True

    async def _rebuild(self, delivery: Delivery) -> Body | None:
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, delivery.guild_id)
        due = None if settings is None else due_digest(settings, self._clock.now())
        if settings is None or due is None or due.week_on != delivery.due_on:
            return None
        draft = await self._draft(settings, delivery.due_on)
        week = replace(draft.week, today=None)  # it was never posted, so nothing in it was corrected
        return await self._compose(replace(draft, delivery_id=delivery.delivery_id, late=due.late, week=week))

    async def _rebuild_personal(self, delivery: Delivery) -> Body | None:
        assert delivery.manager_id is not None
        async with self._database.reading() as connection:
            schedule = await schedule_of(connection, delivery.guild_id, delivery.manager_id)
        if schedule is None:
            return None
        due = due_personal_digest(schedule.guild, schedule.manager, self._clock.now())
        if due is None or due.week_on != delivery.due_on:
            return None
        draft = await self._personal(schedule, due.week_on)
        return self._composer.personal_digest(_sent_as(draft, delivery, due))

    async def on_request(self, guild_id: int, week_on: date | None = None) -> Body | None:
        """The team's digest to look at, of the last whole week unless another is named; None without settings.

        Nothing is recorded, and the week may still be running. It names those who were met for the first time.
        """
        draft = await self._asked_for(guild_id, week_on)
        return None if draft is None else await self._shown(draft)

    async def preview(self, guild_id: int) -> Body | None:
        """The digest that last week would have had; None if nothing of that week, or before, is on record."""
        draft = await self._asked_for(guild_id, None)
        return None if draft is None or draft.week.unrecorded else await self._shown(draft)

    async def personal_on_request(self, guild_id: int, manager_id: int, week_on: date | None = None) -> Body | None:
        """A manager's own digest to look at, whether they enrolled or not; None for anybody else."""
        async with self._reader.settled(guild_id) as guild:
            schedule = None if guild is None else await schedule_of(guild.connection, guild_id, manager_id)
        if guild is None or schedule is None:
            return None
        return self._composer.personal_digest(await self._personal(schedule, week_on or _last_week(guild)))

    async def _asked_for(self, guild_id: int, week_on: date | None) -> DigestDraft | None:
        async with self._reader.settled(guild_id) as guild:
            if guild is None:
                return None
        return await self._draft(guild.settings, week_on or _last_week(guild))

    async def _shown(self, draft: DigestDraft) -> Body:
        names = await self._names(draft.week.guild.guild_id, draft.first_contacts[:NAMES_SHOWN])
        return await self._compose(replace(draft, names=names))

    async def _draft(self, settings: GuildSettings, week_on: date) -> DigestDraft:
        guild_name = await self._messenger.guild_name(settings.guild_id)
        return await self._reporter.draft(settings, week_on, guild_name, self._clock.now())

    async def _personal(self, schedule: NudgeSchedule, week_on: date) -> PersonalDraft:
        settings = schedule.guild
        guild_name = await self._messenger.guild_name(settings.guild_id)
        draft = await self._reporter.personal(schedule, week_on, guild_name, self._clock.now())
        people = draft.people(NAMES_SHOWN)
        try:
            present = await self._messenger.present(settings.guild_id, people)
        except DiscordUnreachableError as error:
            log.warning("A manager's own digest goes without names: %s", error)
            return draft.among(dict.fromkeys(people, ""), frozenset(), WAITING_SHOWN, SUGGESTIONS)
        async with self._database.reading() as connection:
            known = await old_hands(connection, settings, joined_of(present), self._rules)
        return draft.among(names_of(present), known, WAITING_SHOWN, SUGGESTIONS)

    async def _names(self, guild_id: int, wanted: Collection[int]) -> Mapping[int, str]:
        return await self._messenger.names(guild_id, wanted) if wanted else {}

    async def _compose(self, draft: DigestDraft) -> Body:
        return self._composer.digest(draft, await self._painter.paint(draft))


def _last_week(guild: GuildSnapshot) -> date:
    """The Monday of the last whole week."""
    return monday_of(local_day(guild.now, guild.settings.zone)) - timedelta(weeks=1)


def _place(due: tuple[NudgeSchedule, DueDigest]) -> tuple[int, int]:
    return due[0].guild.guild_id, due[0].manager.manager_id


def _sent_as(draft: PersonalDraft, delivery: Delivery, due: DueDigest) -> PersonalDraft:
    return replace(draft, digest=replace(draft.digest, delivery_id=delivery.delivery_id, late=due.late))
