"""Discord's channels and threads as the domain's places."""

import asyncio
from collections.abc import Iterator

import discord

from bot.discord_io.messages import author_id, person_id
from bot.domain.stretch import Place

Recordable = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
Parent = discord.TextChannel | discord.ForumChannel


def is_recorded(channel: object) -> bool:
    """Whether messages there, or in its threads, can count: guild channels and threads that are not private."""
    if isinstance(channel, discord.Thread):
        return not channel.is_private()
    return isinstance(channel, Recordable | discord.ForumChannel)


def recorded_channels(guild: discord.Guild) -> Iterator[Recordable | discord.ForumChannel]:
    """The channels and active threads of a guild that Spade can see; a channel comes before its threads."""
    found: list[Recordable | discord.ForumChannel] = [
        *guild.forums,
        *guild.text_channels,
        *guild.voice_channels,
        *guild.stage_channels,
        *guild.threads,
    ]
    for channel in found:
        parent = channel.parent if isinstance(channel, discord.Thread) else channel
        if is_recorded(channel) and parent is not None and parent.permissions_for(guild.me).view_channel:
            yield channel


def unreadable_channels(guild: discord.Guild) -> list[int]:
    """The channels that Spade sees and whose history it may not read."""
    return [
        channel.id
        for channel in recorded_channels(guild)
        if not isinstance(channel, discord.Thread) and not channel.permissions_for(guild.me).read_message_history
    ]


class Places:
    """Knows who opened each thread; asks Discord once a thread at most, and keeps nothing on disk."""

    def __init__(self) -> None:
        self._openers: dict[int, asyncio.Future[int | None]] = {}

    async def of(
        self, channel: Recordable | discord.ForumChannel, first_message: discord.Message | None = None
    ) -> Place:
        """The place of a channel. `first_message`, when it is a thread's very first, saves the question."""
        if not isinstance(channel, discord.Thread):
            return Place(channel.guild.id, channel.id, parent_id=None)
        return Place(
            guild_id=channel.guild.id,
            channel_id=channel.id,
            is_thread=True,
            opener_id=await self._opener(channel, first_message),
            parent_id=channel.parent_id,
        )

    async def _opener(self, thread: discord.Thread, message: discord.Message | None) -> int | None:
        known = self._openers.get(thread.id)
        if known is None:
            known = self._openers[thread.id] = asyncio.get_running_loop().create_future()
            try:
                if message is not None and message.id == thread.id:
                    known.set_result(author_id(message))
                else:
                    known.set_result(await _ask_for_opener(thread))
            except BaseException as error:
                del self._openers[thread.id]
                known.cancel()
                if isinstance(error, discord.DiscordServerError):
                    return person_id(thread.owner)
                raise
        return await asyncio.shield(known)


async def _ask_for_opener(thread: discord.Thread) -> int | None:
    """The author of the message the thread was started on; without one, whoever made the thread."""
    parent = thread.parent
    starter = thread.starter_message
    if starter is None:
        # A forum post's first message is in the thread itself, any other thread's in the channel it hangs on.
        home = thread if isinstance(parent, discord.ForumChannel) or parent is None else parent
        try:
            starter = await home.fetch_message(thread.id)
        except (discord.NotFound, discord.Forbidden):
            owner = thread.owner
            return person_id(owner) if owner is not None else thread.owner_id
    return author_id(starter)
