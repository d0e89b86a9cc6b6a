"""Pages of message history, fetched with the permissions checked first: without them Discord answers an empty page."""

import discord

from bot.discord_io.messages import author_id, person_id, read_message
from bot.discord_io.places import Recordable, is_recorded, place_of
from bot.discord_io.timeout import patience
from bot.domain.message import Message
from bot.domain.stretch import Place
from bot.services.record.history import PAGE, UnreadableHistoryError

_ARCHIVED_KEPT = 100


class DiscordHistory:
    """A channel's messages, oldest first, through a connected client."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._archived: dict[int, discord.Thread] = {}

    async def after(self, place: Place, after_id: int) -> tuple[Message, ...]:
        """The up to 100 messages that follow a position."""
        return await self._page(place, PAGE, after=discord.Object(after_id))

    async def before(self, place: Place, before_id: int, limit: int) -> tuple[Message, ...]:
        """The up to `limit` messages just before a position."""
        return await self._page(place, limit, before=discord.Object(before_id))

    async def opener(self, place: Place) -> int | None:
        """The author of the message a thread was started on; without one, whoever made the thread."""
        thread = await self._channel(place)
        if not isinstance(thread, discord.Thread):
            return None
        parent = thread.parent
        if parent is None:
            raise UnreadableHistoryError("the thread's channel is not in sight")
        # A forum post's first message is in the thread itself, any other thread's in the channel it hangs on.
        home = thread if isinstance(parent, discord.ForumChannel) else parent
        try:
            async with patience():
                return author_id(await home.fetch_message(thread.id))
        except discord.NotFound:
            return person_id(thread.owner) if thread.owner is not None else thread.owner_id
        except discord.Forbidden as error:
            raise UnreadableHistoryError(f"Discord refused: {error.text}") from error

    async def place(self, guild_id: int, channel_id: int) -> Place:
        """The place of a channel or thread, in the archive too."""
        return place_of(await self._with_messages(Place(guild_id, channel_id)))

    async def _page(
        self, place: Place, limit: int, *, after: discord.Object | None = None, before: discord.Object | None = None
    ) -> tuple[Message, ...]:
        channel = await self._with_messages(place)
        found = await self._found(channel, limit, after, before)
        if not found:
            # So answers Discord too when the permission has just been taken: the news of that may be on its way.
            await self._may_read(channel, after or before)
            found = await self._found(channel, limit, after, before)
        found.sort(key=lambda message: message.id)
        return tuple([await read_message(message) for message in found])

    async def _found(
        self, channel: Recordable, limit: int, after: discord.Object | None, before: discord.Object | None
    ) -> list[discord.Message]:
        if not channel.permissions_for(channel.guild.me).read_message_history:
            raise UnreadableHistoryError("Spade may not read the message history there")
        try:
            async with patience():
                return [
                    message
                    async for message in channel.history(
                        limit=limit, after=after, before=before, oldest_first=after is not None
                    )
                ]
        except (discord.Forbidden, discord.NotFound) as error:
            raise UnreadableHistoryError(f"Discord refused: {error.text}") from error

    async def _may_read(self, channel: Recordable, position: discord.Object | None) -> None:
        """Ask for one message: unlike a page, it is refused where the history may not be read."""
        assert position is not None
        try:
            async with patience():
                await channel.fetch_message(position.id)
        except discord.NotFound:
            return
        except discord.Forbidden as error:
            raise UnreadableHistoryError(f"Discord refused: {error.text}") from error

    async def _with_messages(self, place: Place) -> Recordable:
        channel = await self._channel(place)
        if not is_recorded(channel) or not isinstance(channel, Recordable):
            raise UnreadableHistoryError("not a channel with messages of its own")
        return channel

    async def _channel(self, place: Place) -> object:
        """What the client keeps in sight, or a thread in the archive, which it does not: asked for once a session."""
        known = self._client.get_channel(place.channel_id)
        if known is not None:
            return known
        # One of an earlier session knows nothing of the permissions of now.
        archived = self._archived.get(place.channel_id)
        if archived is not None and archived.guild is self._client.get_guild(place.guild_id):
            return archived
        try:
            async with patience():
                found = await self._client.fetch_channel(place.channel_id)
        except (discord.Forbidden, discord.NotFound) as error:
            raise UnreadableHistoryError(f"Discord refused: {error.text}") from error
        if isinstance(found, discord.Thread):
            self._archived[found.id] = found
            while len(self._archived) > _ARCHIVED_KEPT:
                del self._archived[next(iter(self._archived))]
        return found
