"""Pages of message history.

Permissions are checked before each request: without Read Message History Discord answers with an empty page, not with
an error.
"""

import discord

from bot.discord_io.record.history_request import history_request, unreadable
from bot.discord_io.record.messages import author_id, person_id, read_message
from bot.discord_io.record.permissions import may_read_history
from bot.discord_io.record.places import MessageChannel, is_recordable, place_of
from bot.domain.message import Message
from bot.domain.stretch import Place
from bot.services.record.history import PAGE, UnreadableHistoryError

_ARCHIVED_KEPT = 100


class DiscordHistory:
    """A channel's messages, oldest first, through a connected client. See the protocol `History` for what it raises."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._archived: dict[int, discord.Thread] = {}

    async def after(self, place: Place, after_id: int) -> tuple[Message, ...]:
        """The first messages after a position, at most `PAGE`; fewer if there are no more."""
        return await self._page(place, PAGE, after=discord.Object(after_id))

    async def before(self, place: Place, before_id: int, limit: int) -> tuple[Message, ...]:
        """The last messages before a position, at most `limit`; fewer if there are no more."""
        return await self._page(place, limit, before=discord.Object(before_id))

    async def opener(self, place: Place) -> int | None:
        """The author of the message a thread was started on; without one, the thread's owner. None: not a person."""
        thread = await self._channel(place)
        if not isinstance(thread, discord.Thread):
            return None
        parent = thread.parent
        if parent is None:
            raise UnreadableHistoryError("the thread's channel is not in sight")
        # A forum post's first message is in the thread itself; the one any other thread was started on is in its
        # channel. Both have the thread's id.
        home = thread if isinstance(parent, discord.ForumChannel) else parent
        try:
            async with history_request():
                return author_id(await home.fetch_message(thread.id))
        except discord.NotFound:
            return person_id(thread.owner) if thread.owner is not None else thread.owner_id

    async def place(self, guild_id: int, channel_id: int) -> Place:
        """The place of a channel or thread, archived ones too."""
        return place_of(await self._with_messages(Place(guild_id, channel_id)))

    async def _page(
        self, place: Place, limit: int, *, after: discord.Object | None = None, before: discord.Object | None = None
    ) -> tuple[Message, ...]:
        channel = await self._with_messages(place)
        found = await self._fetch(channel, limit, after, before)
        if not found:
            # The permission may just have been taken, before the client knows: then an empty page proves nothing.
            await self._check_readable(channel, after or before)
            found = await self._fetch(channel, limit, after, before)
        found.sort(key=lambda message: message.id)
        return tuple([await read_message(message) for message in found])

    async def _fetch(
        self, channel: MessageChannel, limit: int, after: discord.Object | None, before: discord.Object | None
    ) -> list[discord.Message]:
        if not may_read_history(channel):
            raise UnreadableHistoryError("Spade may not read the message history there")
        try:
            async with history_request():
                return [
                    message
                    async for message in channel.history(
                        limit=limit, after=after, before=before, oldest_first=after is not None
                    )
                ]
        except discord.NotFound as error:
            raise unreadable(error) from error

    async def _check_readable(self, channel: MessageChannel, position: discord.Object | None) -> None:
        """Request a single message: unlike a page, Discord refuses it if the history may not be read."""
        assert position is not None
        try:
            async with history_request():
                await channel.fetch_message(position.id)
        except discord.NotFound:
            return

    async def _with_messages(self, place: Place) -> MessageChannel:
        channel = await self._channel(place)
        if not is_recordable(channel) or not isinstance(channel, MessageChannel):
            raise UnreadableHistoryError("not a channel with messages of its own")
        return channel

    async def _channel(self, place: Place) -> object:
        """A channel from the client's cache, or an archived thread, which is not in it: fetched once a session."""
        known = self._client.get_channel(place.channel_id)
        if known is not None:
            return known
        # One of an earlier session belongs to a guild object whose permissions are not updated any more.
        archived = self._archived.get(place.channel_id)
        if archived is not None and archived.guild is self._client.get_guild(place.guild_id):
            return archived
        try:
            async with history_request():
                found = await self._client.fetch_channel(place.channel_id)
        except discord.NotFound as error:
            raise unreadable(error) from error
        if isinstance(found, discord.Thread):
            self._archived[found.id] = found
            while len(self._archived) > _ARCHIVED_KEPT:
                del self._archived[next(iter(self._archived))]
        return found
