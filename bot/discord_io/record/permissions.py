"""What Spade may do in a channel, and what it lacks."""

from collections.abc import Iterable

import discord

from bot.discord_io.record.places import MessageChannel, visible_channels

TO_POST = ("view_channel", "send_messages", "embed_links", "attach_files")
"""What Spade needs in the digest's channel, as discord.py names it."""
TO_READ = ("view_channel", "read_message_history")
"""What Spade needs in every channel that it records."""


def may_read_history(channel: MessageChannel | discord.ForumChannel) -> bool:
    """Whether Spade may read the message history of a channel or thread, and list its archived threads."""
    return channel.permissions_for(channel.guild.me).read_message_history


def missing_permissions(guild: discord.Guild, channel_id: int, needed: Iterable[str]) -> list[str]:
    """Those of the `needed` permissions that Spade lacks in a channel; all of them if there is no such channel."""
    channel = guild.get_channel(channel_id)
    if channel is None:
        return list(needed)
    granted = channel.permissions_for(guild.me)
    return [permission for permission in needed if not getattr(granted, permission)]


def unreadable_channels(guild: discord.Guild) -> list[int]:
    """The ids of the channels, without threads, that Spade sees and whose history it may not read."""
    return [
        channel.id
        for channel in visible_channels(guild)
        if not isinstance(channel, discord.Thread) and not may_read_history(channel)
    ]
