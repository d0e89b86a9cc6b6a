"""Discord's channels and threads as the domain's places."""

from collections.abc import Iterable, Iterator
from typing import TypeGuard

import discord

from bot.discord_io.messages import author_id
from bot.domain.stretch import Place

Recordable = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
Parent = discord.TextChannel | discord.ForumChannel


def is_recorded(channel: object) -> TypeGuard[Recordable | discord.ForumChannel]:
    """Whether messages there, or in its threads, can count: guild channels and threads that are not private."""
    if isinstance(channel, discord.Thread):
        return not channel.is_private()
    return isinstance(channel, Recordable | discord.ForumChannel)


def is_in_sight(channel: Recordable | discord.ForumChannel, spade: discord.Member | None = None) -> bool:
    """Whether Spade is told what happens in a channel or thread. A voice channel's chat takes its Connect too.

    `spade`: with the roles that it bore then, rather than now.
    """
    parent = channel.parent if isinstance(channel, discord.Thread) else channel
    if parent is None:
        return False
    granted = parent.permissions_for(spade or parent.guild.me)
    voice = isinstance(parent, discord.VoiceChannel | discord.StageChannel)
    return granted.view_channel and (granted.connect or not voice)


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
        if is_recorded(channel) and is_in_sight(channel):
            yield channel


TO_POST = ("view_channel", "send_messages", "embed_links", "attach_files")
TO_READ = ("view_channel", "read_message_history")
"""What Spade needs in the digest's channel, and in every channel that it records, as discord.py names it."""


def missing_permissions(guild: discord.Guild, channel_id: int, needed: Iterable[str]) -> list[str]:
    """Which of these permissions Spade does not have in a channel; all of them where there is no such channel."""
    channel = guild.get_channel(channel_id)
    if channel is None:
        return list(needed)
    granted = channel.permissions_for(guild.me)
    return [permission for permission in needed if not getattr(granted, permission)]


def unreadable_channels(guild: discord.Guild) -> list[int]:
    """The channels that Spade sees and whose history it may not read."""
    return [
        channel.id
        for channel in recorded_channels(guild)
        if not isinstance(channel, discord.Thread) and not channel.permissions_for(guild.me).read_message_history
    ]


def place_of(channel: Recordable | discord.ForumChannel, message: discord.Message | None = None) -> Place:
    """The place of a channel or thread, made of what the client holds; no request is sent.

    `opener_known` is False if the client cannot tell who opened the thread. `message`, a message there, tells it if
    it is the thread's first.
    """
    if not isinstance(channel, discord.Thread):
        return Place(channel.guild.id, channel.id, parent_id=None)
    known, opener_id = _opener_at_hand(channel, message)
    return Place(
        guild_id=channel.guild.id,
        channel_id=channel.id,
        is_thread=True,
        opener_id=opener_id,
        parent_id=channel.parent_id,
        opener_known=known,
    )


def _opener_at_hand(thread: discord.Thread, message: discord.Message | None) -> tuple[bool, int | None]:
    """Whether the opener is known, and who it is if a person."""
    if message is not None and message.id == thread.id:
        return True, author_id(message)
    if isinstance(thread.parent, discord.ForumChannel):
        return True, thread.owner_id  # whoever made a post wrote its first message
    return False, None
