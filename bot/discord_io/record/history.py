"""Pages of message history.

Permissions are checked before each request: without Read Message History Discord answers with an empty page, not with
an error.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot.discord_io.payload.fields import MalformedError, list_of, number, object_of
from bot.discord_io.payload.message import author_of
from bot.discord_io.payload.places import PRIVATE_THREAD, PUBLIC_THREADS
from bot.discord_io.record.archived_thread import ArchivedThread, read_thread
from bot.discord_io.record.history_request import history_request, unreadable
from bot.discord_io.record.messages import MessageReader
from bot.discord_io.record.permissions import may_read_history
from bot.discord_io.record.places import MessageChannel, is_recordable, place_of
from bot.domain.message import Message
from bot.domain.stretch import Place
from bot.services.record.history import PAGE, NoMessagesError, UnreadableHistoryError, UnreadableMessageError

log = logging.getLogger(__name__)

_ARCHIVED_KEPT = 100
_NO_MESSAGES = "not a channel with messages of its own"
_NOT_IN_SIGHT = "the channel is not in sight"
_NO_PARENT = "the thread's channel is not in sight"


@dataclass(frozen=True, slots=True)
class _Reachable:
    """A channel or thread, and the channel whose permissions are those of its messages."""

    place: Place
    permitting: MessageChannel | discord.ForumChannel
    owner_id: int | None = None


class DiscordHistory:
    """A channel's messages, oldest first, through a connected client. See the protocol `History` for what it raises.

    An answer that is not of the shape it should have is an outage, and raised as one.
    """

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._reader = MessageReader(client)
        self._archived: dict[int, ArchivedThread] = {}

    async def after(self, place: Place, after_id: int) -> tuple[Message, ...]:
        """The first messages after a position, about `PAGE`; fewer than that if there are no more."""
        return await self._page(place, PAGE, after_id=after_id)

    async def before(self, place: Place, before_id: int, limit: int) -> tuple[Message, ...]:
        """The last messages before a position, about `limit`; fewer than that if there are no more."""
        return await self._page(place, limit, before_id=before_id)

    async def opener(self, place: Place) -> int | None:
        """The author of the message a thread was started on; without one, the thread's owner. None: not a person."""
        thread = await self._channel(place)
        if not thread.place.is_thread:
            return None
        # A forum post's first message is in the thread itself; the one any other thread was started on is in its
        # channel. Both have the thread's id.
        thread_id, parent_id = thread.place.channel_id, thread.place.parent_id
        assert parent_id is not None
        home_id = thread_id if isinstance(self._client.get_channel(parent_id), discord.ForumChannel) else parent_id
        try:
            return await self._author_of(home_id, thread_id)
        except discord.NotFound:
            user = self._client.user
            return None if user is not None and thread.owner_id == user.id else thread.owner_id

    async def place(self, guild_id: int, channel_id: int) -> Place:
        """The place of a channel or thread, archived ones too."""
        return (await self._with_messages(Place(guild_id, channel_id))).place

    async def _author_of(self, channel_id: int, message_id: int) -> int | None:
        async with history_request():
            raw = object_of(await self._client.http.get_message(channel_id, message_id), "message")
        try:
            return author_of(raw)
        except MalformedError as error:
            log.warning("Message %s of channel %s cannot be read (%s)", message_id, channel_id, error)
            raise UnreadableMessageError(str(error)) from error

    async def _page(
        self, place: Place, limit: int, *, after_id: int | None = None, before_id: int | None = None
    ) -> tuple[Message, ...]:
        channel = await self._with_messages(place)
        found = await self._fetch(channel, limit, after_id, before_id)
        if not found:
            # The permission may just have been taken, before the client knows: then an empty page proves nothing.
            await self._check_readable(channel, after_id or before_id)
            found = await self._fetch(channel, limit, after_id, before_id)
        return await self._reader.page(place.channel_id, found, after_id, before_id)

    async def _fetch(
        self, channel: _Reachable, limit: int, after_id: int | None, before_id: int | None
    ) -> Sequence[object]:
        if not may_read_history(channel.permitting):
            raise UnreadableHistoryError("Spade may not read the message history there")
        try:
            async with history_request():
                # Not through discord.py's own iterator: one message that it cannot parse would hide the whole page.
                answer = await self._client.http.logs_from(
                    channel.place.channel_id, limit, before=before_id, after=after_id
                )
                return list_of(answer, "page")
        except discord.NotFound as error:
            raise unreadable(error) from error

    async def _check_readable(self, channel: _Reachable, position: int | None) -> None:
        """Request a single message: unlike a page, Discord refuses it if the history may not be read."""
        assert position is not None
        try:
            async with history_request():
                await self._client.http.get_message(channel.place.channel_id, position)
        except discord.NotFound:
            return

    async def _with_messages(self, place: Place) -> _Reachable:
        channel = await self._channel(place)
        if isinstance(channel.permitting, discord.ForumChannel) and not channel.place.is_thread:
            raise NoMessagesError(_NO_MESSAGES)
        return channel

    async def _channel(self, place: Place) -> _Reachable:
        """A channel from the client's cache, or an archived thread, which is not in it: fetched once a session."""
        known = self._client.get_channel(place.channel_id)
        if known is None:
            thread = self._archived.get(place.channel_id)
            # Without its channel, it may have gone with it.
            if thread is None or self._client.get_channel(thread.parent_id) is None:
                thread = await self._fetch_thread(place.channel_id)
            parent = self._client.get_channel(thread.parent_id)
            if not isinstance(parent, discord.TextChannel | discord.ForumChannel):
                raise UnreadableHistoryError(_NO_PARENT)
            return _Reachable(thread.place_in(parent), parent, thread.owner_id)
        if not is_recordable(known):
            raise NoMessagesError(_NO_MESSAGES)
        if not isinstance(known, discord.Thread):
            return _Reachable(place_of(known), known)
        if known.parent is None:
            raise UnreadableHistoryError(_NO_PARENT)
        return _Reachable(place_of(known), known, known.owner_id)

    async def _fetch_thread(self, channel_id: int) -> ArchivedThread:
        try:
            async with history_request():
                raw = object_of(await self._client.http.get_channel(channel_id), "channel")
                kind = number(raw, "type")
                thread = read_thread(raw) if kind in PUBLIC_THREADS else None
        except discord.NotFound as error:
            raise unreadable(error) from error
        if kind == PRIVATE_THREAD:
            raise NoMessagesError(_NO_MESSAGES)
        if thread is None:
            raise UnreadableHistoryError(_NOT_IN_SIGHT)
        self._archived[channel_id] = thread
        while len(self._archived) > _ARCHIVED_KEPT:
            del self._archived[next(iter(self._archived))]
        return thread
