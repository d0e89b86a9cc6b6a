"""Finds out what became of deliveries whose outcome is open: after a crash, a hang, a dropped connection."""

import logging
from collections.abc import Awaitable, Callable

from bot.domain.delivery import Delivery, DeliveryKind
from bot.store import deliveries
from bot.store.database import Database

log = logging.getLogger(__name__)

Resume = Callable[[Delivery], Awaitable[bool]]


class Settlement:
    """Hands each open delivery to whoever made it. It runs at every tick, before anything new is sent."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._resume: dict[DeliveryKind, Resume] = {}

    def add(self, kind: DeliveryKind, resume: Resume) -> None:
        """Name who settles deliveries of a kind."""
        self._resume[kind] = resume

    def remove(self, kind: DeliveryKind) -> None:
        """Deliveries of that kind stay open until somebody settles them again."""
        self._resume.pop(kind, None)

    async def settle_due(self) -> int:
        """Settle what can be settled now; returns how many were."""
        async with self._database.reading() as connection:
            waiting = await deliveries.unsettled(connection)
        settled = 0
        for delivery in waiting:
            resume = self._resume.get(delivery.kind)
            try:
                settled += resume is not None and await resume(delivery)
            except Exception:
                log.exception("The %s %s could not be settled; it gets its turn again", delivery.kind, delivery.due_on)
        return settled
