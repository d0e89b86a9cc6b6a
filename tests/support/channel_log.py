"""A guild's channels as plain logs, with Discord's own way of paging through them."""

from collections.abc import Awaitable, Callable

from bot.domain.message import Message
from bot.domain.stretch import Place
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.history import PAGE, GoneChannelError, UnreadableHistoryError


class ChannelLog:
    """What Discord has; a `History` for services. Messages and channels can be deleted, channels made unreadable.

    `during_page` is called when a page has been read and before it is handed over.
    """

    def __init__(self) -> None:
        self.messages: dict[int, dict[int, Message]] = {}
        self.unreadable: set[int] = set()
        self.gone: set[int] = set()
        self.places: dict[int, Place] = {}
        self.openers: dict[int, int | None] = {}
        self.requests = 0
        self.asked: list[int] = []
        self.opener_requests = 0
        self.during_page: Callable[[Place, tuple[Message, ...]], Awaitable[None]] | None = None

    def post(self, place: Place, *messages: Message) -> None:
        self.places[place.channel_id] = place
        for message in messages:
            self.messages.setdefault(place.channel_id, {})[message.message_id] = message

    def delete(self, place: Place, *message_ids: int) -> None:
        for message_id in message_ids:
            del self.messages[place.channel_id][message_id]

    def all_of(self, place: Place) -> tuple[Message, ...]:
        return tuple(message for _, message in sorted(self.messages.get(place.channel_id, {}).items()))

    def snapshot(self, place: Place) -> ChannelSnapshot:
        return ChannelSnapshot(place, max(self.messages.get(place.channel_id, {}), default=0))

    async def after(self, place: Place, after_id: int) -> tuple[Message, ...]:
        found = [message for message in self.all_of(place) if message.message_id > after_id][:PAGE]
        return await self._hand_over(place, tuple(found))

    async def before(self, place: Place, before_id: int, limit: int) -> tuple[Message, ...]:
        found = [message for message in self.all_of(place) if message.message_id < before_id][-limit:]
        return await self._hand_over(place, tuple(found))

    async def opener(self, place: Place) -> int | None:
        self.opener_requests += 1
        if place.channel_id in self.unreadable:
            raise UnreadableHistoryError("not for Spade")
        return self.openers.get(place.channel_id)

    async def place(self, guild_id: int, channel_id: int) -> Place:
        self.asked.append(channel_id)
        if channel_id in self.unreadable:
            raise UnreadableHistoryError("not for Spade")
        if channel_id in self.gone:
            raise GoneChannelError("unknown channel")
        return self.places[channel_id]

    async def _hand_over(self, place: Place, page: tuple[Message, ...]) -> tuple[Message, ...]:
        self.requests += 1
        if place.channel_id in self.unreadable:
            raise UnreadableHistoryError("not for Spade")
        if self.during_page is not None:
            await self.during_page(place, page)
        return page
