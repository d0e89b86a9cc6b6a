"""Settling deliveries whose outcome is not known, after a crash, a timeout or a dropped connection."""

import logging
from collections.abc import Awaitable, Callable

from bot.clock import UnsureTimeError
from bot.domain.delivery import Delivery, DeliveryKind
from bot.store import deliveries
from bot.store.database import Database
from bot.store.error import OutageError

log = logging.getLogger(__name__)

Resume = Callable[[Delivery], Awaitable[bool]]
"""Settles one delivery; returns False if that is not possible yet."""


class Settlement:
    """Hands each unsettled delivery to the service that made it. It runs at every tick, before anything new is sent."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._resume: dict[DeliveryKind, Resume] = {}

    def add(self, kind: DeliveryKind, resume: Resume) -> None:
        """Register the function that settles deliveries of a kind, in place of any other."""
        self._resume[kind] = resume

    def remove(self, kind: DeliveryKind) -> None:
        """Unregister it: deliveries of that kind stay unsettled until another is added."""
        self._resume.pop(kind, None)

    async def settle_due(self) -> int:
        """Settle all deliveries that can be settled now; returns how many were.

        A failure is logged, and tried again at the next tick. Only an outage of the database is raised.
        """
        async with self._database.reading() as connection:
            waiting = await deliveries.unsettled(connection)
        settled = 0
        for delivery in waiting:
            resume = self._resume.get(delivery.kind)
            try:
                settled += resume is not None and await resume(delivery)
            except OutageError:
                raise
            except UnsureTimeError:
                break
            except Exception:
                log.exception("The %s %s could not be settled; it gets its turn again", delivery.kind, delivery.due_on)
        return settled
