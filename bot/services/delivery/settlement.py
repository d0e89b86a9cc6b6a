"""Settling deliveries whose outcome is not known, after a crash, a timeout or a dropped connection."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from bot.clock import Clock
from bot.domain.delivery import Delivery, DeliveryKind
from bot.domain.due_work import Piece
from bot.services.delivery.agenda import Agenda
from bot.services.delivery.attempts import Attempts
from bot.store import deliveries
from bot.store.agenda import AgendaItem
from bot.store.database import Database

Resume = Callable[[Delivery], Awaitable[bool]]
"""Settles one delivery; returns False if that is not possible yet."""


class Settlement:
    """Hands each unsettled delivery to the service that made it. It runs at every tick, before anything new is sent."""

    def __init__(self, database: Database, clock: Clock, agenda: Agenda | None = None) -> None:
        self._database = database
        self._agenda = agenda or Agenda(database)
        self._clock = clock
        self._attempts = Attempts(clock.now)
        self._resume: dict[DeliveryKind, Resume] = {}

    def add(self, kind: DeliveryKind, resume: Resume) -> None:
        """Register the function that settles deliveries of a kind, in place of any other."""
        self._resume[kind] = resume

    def remove(self, kind: DeliveryKind) -> None:
        """Unregister it: deliveries of that kind stay unsettled until another is added."""
        self._resume.pop(kind, None)

    async def settle_due(self) -> int:
        """Settle all deliveries that can be settled now; returns how many were.

        They are settled independently of each other; one that fails or hangs is tried again later and later. Only
        an outage or the loss of the database is raised.
        """
        if not await self._agenda.has(AgendaItem.OPEN_DELIVERIES, self._clock.now()):
            return 0
        async with self._database.reading() as connection:
            waiting = await deliveries.unsettled(connection)
        return sum(await asyncio.gather(*map(self._settle, waiting)))

    async def stop(self) -> None:
        """Cancel what is running, and return when it has ended."""
        await self._attempts.stop()

    async def _settle(self, delivery: Delivery) -> bool:
        resume = self._resume.get(delivery.kind)
        if resume is None:
            return False
        piece = Piece(f"settling the {delivery.kind} of {delivery.due_on}", delivery.guild_id, delivery.manager_id)
        return await self._attempts.attempt(piece, partial(resume, delivery))
