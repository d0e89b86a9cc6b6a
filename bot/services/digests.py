"""The weekly digest: when it is due, what it is made of, and posting it exactly once."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Protocol

from bot.clock import Clock
from bot.domain.calendar import local_day, monday_of
from bot.domain.delivery import Delivery, DeliveryKind, DeliveryState
from bot.domain.digest import DueDigest, due_digest
from bot.domain.guild import GuildSettings
from bot.domain.report import DigestDraft, WeekReport
from bot.domain.rules import Rules
from bot.services.messenger import Body, Messenger
from bot.services.outbox import Outbox, new_delivery
from bot.services.report import Reporter
from bot.store import deliveries, digests, guilds
from bot.store.database import Database


class DigestWriter(Protocol):
    """Puts a digest into words and a picture; the views do."""

    def digest(self, draft: DigestDraft, picture: bytes | None) -> Body:
        """The post for the guild's channel."""


class Painter(Protocol):
    """Draws a digest's picture, out of the bot's way."""

    async def paint(self, draft: DigestDraft) -> bytes | None:
        """A PNG; None when there is nothing to draw, or drawing failed (the log says so)."""


class DigestService:
    """Posts each guild's digest once a week, late if it has to be, and makes one on request."""

    def __init__(
        self,
        database: Database,
        messenger: Messenger,
        writer: DigestWriter,
        painter: Painter,
        clock: Clock,
        rules: Rules,
        settle: Callable[[], Awaitable[None]],
    ) -> None:
        self._database = database
        self._messenger = messenger
        self._writer = writer
        self._painter = painter
        self._clock = clock
        self._rules = rules
        self._settle = settle
        self._reporter = Reporter(database, rules)
        self._outbox = Outbox(database, messenger, clock)

    async def post_due(self) -> int:
        """Post every digest that is due now; returns how many went out."""
        async with self._database.reading() as connection:
            all_settings = await guilds.all_settings(connection)
        posted = 0
        for settings in all_settings:
            due = due_digest(settings, self._clock.now())
            if due is not None:
                posted += await self._post(settings, due) is DeliveryState.SENT
        return posted

    async def _post(self, settings: GuildSettings, due: DueDigest) -> DeliveryState | None:
        guild_id = settings.guild_id
        async with self._database.reading() as connection:
            newest = await deliveries.newest(connection, guild_id, DeliveryKind.DIGEST, None)
        if newest is not None and newest.due_on >= due.week_on:
            return None
        await self._settle()
        draft = await self._draft(settings, due.week_on)
        delivery = new_delivery(DeliveryKind.DIGEST, guild_id, None, due.week_on, self._clock, DeliveryState.CLAIMED)
        draft = replace(draft, delivery_id=delivery.delivery_id, late=due.late)
        body = await self._compose(draft)
        async with self._database.writing() as connection:
            if not await deliveries.claim(connection, delivery):
                return None
            figures = json.dumps(draft.report.document())
            await digests.freeze(connection, guild_id, due.week_on, delivery.delivery_id, figures, self._clock.now())
        return await self._outbox.send(delivery, settings.digest_channel_id, body)

    async def resume(self, delivery: Delivery) -> bool:
        """Find out about a digest whose outcome is open; False when it is too early."""
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, delivery.guild_id)
        channel_id = settings.digest_channel_id if settings else None
        if channel_id is None:
            return False
        return await self._outbox.settle(delivery, channel_id, self._rebuild)

    async def _rebuild(self, delivery: Delivery) -> Body | None:
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, delivery.guild_id)
            frozen = await digests.frozen(connection, delivery.guild_id, delivery.due_on)
        if settings is None or frozen is None:
            return None
        due = due_digest(settings, self._clock.now())
        if due is None or due.week_on != delivery.due_on:
            return None
        draft = await self._draft(settings, delivery.due_on)
        return await self._compose(
            replace(
                draft,
                delivery_id=delivery.delivery_id,
                report=WeekReport.from_document(json.loads(frozen)),
                late=due.late,
            )
        )

    async def on_request(self, guild_id: int, week_on: date | None = None) -> Body | None:
        """A digest to look at, of the last whole week unless another is named; None without settings.

        It is not recorded, and the week may still be running.
        """
        await self._settle()
        async with self._database.reading() as connection:
            settings = await guilds.settings_of(connection, guild_id)
        if settings is None:
            return None
        this_week = monday_of(local_day(self._clock.now(), settings.zone))
        return await self._compose(await self._draft(settings, week_on or this_week - timedelta(weeks=1)))

    async def _draft(self, settings: GuildSettings, week_on: date) -> DigestDraft:
        guild_name = await self._messenger.guild_name(settings.guild_id)
        return await self._reporter.draft(settings, week_on, guild_name, self._clock.now())

    async def _compose(self, draft: DigestDraft) -> Body:
        return self._writer.digest(draft, await self._painter.paint(draft))
