"""The outbox: what is due is sent once, and what became of it is always found out (§5)."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

from bot.clock import Clock
from bot.domain.delivery import Delivery, DeliveryKind, DeliveryState
from bot.services.delivery.messenger import Body, Messenger, RefusedError, SentMessage, UnknownOutcomeError
from bot.store import deliveries, managers
from bot.store.database import Connection, Database

SETTLE_AFTER = timedelta(seconds=30)
"""How long a request may still be on its way before a message that cannot be found counts as not sent."""

OVERTAKEN = "it was never sent, and its time is over"


def new_delivery(
    kind: DeliveryKind, guild_id: int, manager_id: int | None, due_on: date, clock: Clock, state: DeliveryState
) -> Delivery:
    """A delivery with an id nobody can guess; its nonce is made of the id, so a repeated request repeats it."""
    delivery_id = secrets.token_hex(8)
    now = clock.now()
    return Delivery(
        delivery_id=delivery_id,
        guild_id=guild_id,
        kind=kind,
        manager_id=manager_id,
        due_on=due_on,
        state=state,
        nonce=f"spade-{delivery_id}",
        claimed_at=now,
        tried_at=now if state is DeliveryState.CLAIMED else None,
    )


class Outbox:
    """Makes the request for a claimed delivery and notes how it ended."""

    def __init__(self, database: Database, messenger: Messenger, clock: Clock) -> None:
        self._database = database
        self._messenger = messenger
        self._clock = clock
        self._under_way: set[str] = set()

    async def send(self, delivery: Delivery, channel_id: int | None, body: Body) -> DeliveryState:
        """Send a delivery that the database says is claimed; `channel_id` None sends it to its manager's DM."""
        self._under_way.add(delivery.delivery_id)
        try:
            return await self._send(delivery, channel_id, body)
        finally:
            self._under_way.discard(delivery.delivery_id)

    async def _send(self, delivery: Delivery, channel_id: int | None, body: Body) -> DeliveryState:
        try:
            if channel_id is None:
                assert delivery.manager_id is not None
                sent = await self._messenger.send_to_person(delivery.manager_id, body, delivery.nonce)
            else:
                sent = await self._messenger.send_to_channel(channel_id, body, delivery.nonce)
        except RefusedError as error:
            return await self._refuse(delivery, error)
        except UnknownOutcomeError as error:
            # From now on it counts how long the request may still be on its way.
            await self._move(delivery, DeliveryState.UNKNOWN, problem=str(error), tried_at=self._clock.now())
            return DeliveryState.UNKNOWN
        return await self._sent(delivery, sent)

    async def settle(
        self,
        delivery: Delivery,
        channel_id: int | None,
        rebuild: Callable[[Delivery], Awaitable[Body | None]],
    ) -> bool:
        """Find out about a delivery with an open outcome; False when it is too early to say.

        One that is not there is sent again with the same nonce, unless `rebuild` says by None that its time is past.
        """
        if delivery.delivery_id in self._under_way:
            return False
        if delivery.tried_at is not None and self._clock.now() - delivery.tried_at < SETTLE_AFTER:
            return False
        try:
            found = await self._messenger.find(delivery, channel_id) if delivery.tried_at is not None else None
        except UnknownOutcomeError:
            return False
        except RefusedError as error:
            await self._refuse(delivery, error)
            return True
        if found is not None:
            await self._sent(delivery, found)
            return True
        return await self._send_again(delivery, channel_id, rebuild)

    async def _send_again(
        self,
        delivery: Delivery,
        channel_id: int | None,
        rebuild: Callable[[Delivery], Awaitable[Body | None]],
    ) -> bool:
        body = await rebuild(delivery)
        if body is None:
            await self._move(delivery, DeliveryState.REFUSED, problem=OVERTAKEN, settled_at=self._clock.now())
            return True
        async with self._database.writing() as connection:
            now = self._clock.now()
            if not await deliveries.move(connection, delivery, DeliveryState.CLAIMED, tried_at=now):
                return True
            claimed = await deliveries.by_id(connection, delivery.delivery_id)
        assert claimed is not None
        await self.send(claimed, channel_id, body)
        return True

    async def is_there(self, delivery: Delivery, sent: SentMessage) -> None:
        """A delivery with an open outcome turned up: somebody pressed one of its buttons."""
        await self._sent(delivery, sent)

    async def _sent(self, delivery: Delivery, sent: SentMessage) -> DeliveryState:
        async with self._database.writing() as connection:
            await deliveries.move(
                connection,
                delivery,
                DeliveryState.SENT,
                channel_id=sent.channel_id,
                message_id=sent.message_id,
                settled_at=self._clock.now(),
                problem=None,
            )
            if delivery.manager_id is not None:
                await managers.mark_refused(connection, delivery.manager_id, None)
        return DeliveryState.SENT

    async def _refuse(self, delivery: Delivery, error: RefusedError) -> DeliveryState:
        async with self._database.writing() as connection:
            now = self._clock.now()
            await deliveries.move(connection, delivery, DeliveryState.REFUSED, problem=error.problem, settled_at=now)
            if error.closed and delivery.manager_id is not None:
                await managers.mark_refused(connection, delivery.manager_id, now)
        return DeliveryState.REFUSED

    async def _move(self, delivery: Delivery, state: DeliveryState, **changes: datetime | str) -> None:
        async with self._database.writing() as connection:
            await deliveries.move(connection, delivery, state, **changes)


async def claim_nothing(
    connection: Connection, kind: DeliveryKind, guild_id: int, manager_id: int | None, due_on: date, clock: Clock
) -> None:
    """Note that there was nothing worth sending, so that the day is not looked at again."""
    await deliveries.claim(connection, new_delivery(kind, guild_id, manager_id, due_on, clock, DeliveryState.NOTHING))
