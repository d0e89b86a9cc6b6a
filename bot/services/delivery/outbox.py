"""The outbox: each delivery is sent once, and its outcome is always settled (docs/rules.md#sending).

A delivery is *claimed* in the database before the request is made, so that nothing else sends it. The request carries
a nonce made of the delivery's id, which makes repeating it idempotent for a while. An outcome that is not known, after
a crash or a dropped connection, is *settled* by looking for the message.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Generic

from bot.clock import Clock
from bot.domain.delivery import (
    EXPIRED,
    SETTLE_AFTER,
    UNNEEDED,
    UNSETTLEABLE,
    Delivery,
    DeliveryKind,
    DeliveryState,
    SendOutcome,
)
from bot.services.delivery import periods
from bot.services.delivery.messenger import Body, Messenger, RefusedError, SentMessage, UnknownOutcomeError
from bot.store import deliveries, managers
from bot.store.database import Connection, Database

GIVE_UP_AFTER = timedelta(days=7)
"""How long an outcome that cannot be found out, as where the history must not be read, stays open."""


class UnneededError(Exception):
    """Nobody needs a delivery any more, so it is not sent again."""


def new_delivery(
    kind: DeliveryKind, guild_id: int, manager_id: int | None, due_on: date, clock: Clock, state: DeliveryState
) -> Delivery:
    """A new delivery with a random id, and with a nonce made of the id. It is not stored yet.

    Raises UnsureTimeError: a day or a week is dealt with only while it is certain which it is.
    """
    delivery_id = secrets.token_hex(8)
    now = clock.sure_now()
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


class Outbox(Generic[Body]):
    """Makes the request for a claimed delivery, and stores its outcome."""

    def __init__(self, database: Database, messenger: Messenger[Body], clock: Clock) -> None:
        self._database = database
        self._messenger = messenger
        self._clock = clock
        self._in_flight: set[str] = set()

    @contextmanager
    def holding(self, delivery: Delivery) -> Iterator[None]:
        """Keep a delivery from being settled while it is claimed and its body is made."""
        self._in_flight.add(delivery.delivery_id)
        try:
            yield
        finally:
            self._in_flight.discard(delivery.delivery_id)

    async def send(self, delivery: Delivery, channel_id: int | None, body: Body) -> SendOutcome:
        """Send a delivery that is stored as claimed; returns its new state: sent, pending, refused or unknown.

        `channel_id` None sends it to its manager's DM.
        """
        with self.holding(delivery):
            return await self._send(delivery, channel_id, body)

    async def _send(self, delivery: Delivery, channel_id: int | None, body: Body) -> SendOutcome:
        try:
            if channel_id is None:
                assert delivery.manager_id is not None
                sent = await self._messenger.send_to_person(delivery.manager_id, body, delivery.nonce)
            else:
                sent = await self._messenger.send_to_channel(channel_id, body, delivery.nonce)
        except RefusedError as error:
            return await self._refuse(delivery, error)
        except UnknownOutcomeError as error:
            # The request may still be in flight: settling waits `SETTLE_AFTER` from now.
            await self._move(delivery, DeliveryState.UNKNOWN, problem=str(error), tried_at=self._clock.now())
            return SendOutcome(DeliveryState.UNKNOWN, str(error))
        await self._sent(delivery, sent)
        return SendOutcome(DeliveryState.SENT)

    async def settle(
        self,
        delivery: Delivery,
        channel_id: int | None,
        rebuild: Callable[[Delivery], Awaitable[Body | None]],
    ) -> bool:
        """Settle a delivery whose outcome is not known; returns False if that is not possible yet.

        Looks for the message, unless Discord refused it. If it is not found, the delivery is claimed again and sent
        with the same nonce; `rebuild` makes its body anew, or returns None if it is too late to send it, or raises
        UnneededError: both make it refused. Raises RefusedError if Discord refuses it once more, and
        UnsureTimeError.
        """
        if self._may_be_in_flight(delivery):
            return False
        if delivery.state is DeliveryState.PENDING:
            return await self._send_again(delivery, channel_id, rebuild)
        try:
            found = await self._messenger.find(delivery, channel_id) if delivery.tried_at is not None else None
        except RefusedError as error:
            return await self._may_not_look(delivery, error)
        except UnknownOutcomeError:
            return await self._give_up_in_time(delivery)
        if found is not None:
            await self._sent(delivery, found)
            return True
        return await self._send_again(delivery, channel_id, rebuild)

    def _may_be_in_flight(self, delivery: Delivery) -> bool:
        if delivery.delivery_id in self._in_flight:
            return True
        now = self._clock.sure_now()
        if delivery.state is DeliveryState.PENDING or delivery.tried_at is None:
            return False
        return timedelta() <= now - delivery.tried_at < SETTLE_AFTER

    async def _may_not_look(self, delivery: Delivery, error: RefusedError) -> bool:
        """Discord refused the look at the history: whether the message was sent is as open as before."""
        if error.closed:
            await self._refuse(delivery, error)
            return True
        return await self.give_up(delivery) if error.final else await self._give_up_in_time(delivery)

    async def _send_again(
        self,
        delivery: Delivery,
        channel_id: int | None,
        rebuild: Callable[[Delivery], Awaitable[Body | None]],
    ) -> bool:
        try:
            body = await rebuild(delivery)
        except UnneededError:
            await self._move(delivery, DeliveryState.REFUSED, problem=UNNEEDED, settled_at=self._clock.now())
            return True
        if body is None:
            await self.expire(delivery)
            return True
        async with self._database.writing() as connection:
            now = self._clock.now()
            if not await deliveries.move(connection, delivery, DeliveryState.CLAIMED, tried_at=now):
                return True
            claimed = await deliveries.by_id(connection, delivery.delivery_id)
        assert claimed is not None
        outcome = await self.send(claimed, channel_id, body)
        if outcome.state is DeliveryState.PENDING:
            raise RefusedError(outcome.problem or "")
        return True

    async def expire(self, delivery: Delivery) -> None:
        """Settle a delivery that was not sent while it was due. If Discord refused it, its reason stays."""
        problem = delivery.problem if delivery.state is DeliveryState.PENDING and delivery.problem else EXPIRED
        await self._move(delivery, DeliveryState.REFUSED, problem=problem, settled_at=self._clock.now())

    async def _give_up_in_time(self, delivery: Delivery) -> bool:
        return self._clock.now() - delivery.claimed_at >= GIVE_UP_AFTER and await self.give_up(delivery)

    async def give_up(self, delivery: Delivery) -> bool:
        """Settle a delivery as refused, since there is no way to find out whether it was sent; returns True."""
        await self._move(delivery, DeliveryState.REFUSED, problem=UNSETTLEABLE, settled_at=self._clock.now())
        return True

    async def confirm(self, delivery: Delivery, sent: SentMessage) -> None:
        """Settle a delivery as sent: one of its buttons was pressed, so its message exists."""
        await self._sent(delivery, sent)

    async def _sent(self, delivery: Delivery, sent: SentMessage) -> None:
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

    async def _refuse(self, delivery: Delivery, error: RefusedError) -> SendOutcome:
        """Note a refusal: what can pass leaves the delivery due. Closed DMs wait until the manager does something."""
        ends = error.closed or error.final
        state, now = DeliveryState.REFUSED if ends else DeliveryState.PENDING, self._clock.now()
        async with self._database.writing() as connection:
            settled_at = now if ends else None
            await deliveries.move(connection, delivery, state, problem=error.problem, settled_at=settled_at)
            if error.closed and delivery.manager_id is not None:
                await managers.mark_refused(connection, delivery.manager_id, now)
        return SendOutcome(state, error.problem)

    async def _move(self, delivery: Delivery, state: DeliveryState, **changes: datetime | str | None) -> None:
        async with self._database.writing() as connection:
            await deliveries.move(connection, delivery, state, **changes)


async def claim_nothing(
    connection: Connection, kind: DeliveryKind, guild_id: int, manager_id: int | None, due_on: date, clock: Clock
) -> None:
    """Claim a delivery for which there is nothing worth sending, so that its day is not evaluated again."""
    await periods.claim(connection, new_delivery(kind, guild_id, manager_id, due_on, clock, DeliveryState.NOTHING))
