"""Addresses of things on Discord."""


def message_link(guild_id: int, channel_id: int, message_id: int) -> str:
    """The address that opens a message in its channel."""
    return f"https://discord.com/channels/{guild_id}/{channel_id}/{message_id}"
