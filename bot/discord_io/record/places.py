"""Discord's channels and threads as the domain's places: which can be recorded, and which are visible."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TypeGuard

import discord

from bot.domain.message import Message
from bot.domain.stretch import Place

MessageChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
"""The kinds of channels that have messages of their own. A forum has only threads."""


_CHANNELS = 4096
"""Of how many channels the place is kept, since it is needed for each message."""


def is_recordable(channel: object) -> TypeGuard[MessageChannel | discord.ForumChannel]:
    """Whether messages there, or in its threads, can count: it is a guild's channel or thread, and not private."""
    if isinstance(channel, discord.Thread):
        return not channel.is_private()
    return isinstance(channel, MessageChannel | discord.ForumChannel)


def is_visible(channel: MessageChannel | discord.ForumChannel, spade: discord.Member | None = None) -> bool:
    """Whether Discord sends Spade the events of a channel or thread. For a voice channel that takes Connect, too.

    `spade` is Spade as a member with the roles that are to be judged; None for those it has now.
    """
    parent = channel.parent if isinstance(channel, discord.Thread) else channel
    if parent is None:
        return False
    judged: object = spade or parent.guild.me
    if not isinstance(judged, discord.Member):
        return False  # the guild was not shown yet: its GUILD_CREATE tells of the channel again
    granted = parent.permissions_for(judged)
    voice = isinstance(parent, discord.VoiceChannel | discord.StageChannel)
    return granted.view_channel and (granted.connect or not voice)


def visible_channels(guild: discord.Guild) -> Iterator[MessageChannel | discord.ForumChannel]:
    """The visible channels and active threads of a guild that can be recorded; each channel before its threads."""
    found: list[MessageChannel | discord.ForumChannel] = [
        *guild.forums,
        *guild.text_channels,
        *guild.voice_channels,
        *guild.stage_channels,
        *guild.threads,
    ]
    for channel in found:
        if is_recordable(channel) and is_visible(channel):
            yield channel


def place_of(channel: MessageChannel | discord.ForumChannel, message: Message | None = None) -> Place:
    """The place of a channel or thread, made of what the client holds; no request is sent.

    `opener_known` is False if the client cannot tell who opened the thread. `message`, a message there, tells it if
    it is the thread's first.
    """
    if not isinstance(channel, discord.Thread):
        return _channel_place(channel.guild.id, channel.id)
    known, opener_id = _opener_at_hand(channel, message)
    return Place(
        guild_id=channel.guild.id,
        channel_id=channel.id,
        is_thread=True,
        opener_id=opener_id,
        parent_id=channel.parent_id,
        opener_known=known,
    )


@lru_cache(_CHANNELS)
def _channel_place(guild_id: int, channel_id: int) -> Place:
    return Place(guild_id, channel_id, parent_id=None)


def _opener_at_hand(thread: discord.Thread, message: Message | None) -> tuple[bool, int | None]:
    """Whether the opener is known, and their id if it is a person."""
    if message is not None and message.opens(thread.id):
        return True, message.author_id
    if isinstance(thread.parent, discord.ForumChannel):
        # The owner of a post is the author of its first message. Without an owner that message has to tell.
        return bool(thread.owner_id), thread.owner_id or None
    return False, None
