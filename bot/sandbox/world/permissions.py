"""Discord's permission bits, and how roles and overwrites combine."""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.sandbox.world.entities import Channel, Guild, Member


class Permission(IntFlag):
    """The permission bits the sandbox looks at."""

    KICK_MEMBERS = 1 << 1
    BAN_MEMBERS = 1 << 2
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    CONNECT = 1 << 20
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38


NOTHING = Permission(0)
ALL = (1 << 50) - 1
ORDINARY = (
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.CONNECT
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.CREATE_PRIVATE_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
)
MANAGER = ORDINARY | Permission.MANAGE_GUILD | Permission.MANAGE_MESSAGES | Permission.MANAGE_THREADS


def guild_permissions(guild: Guild, member: Member) -> int:
    """Return a member's permission bits in a guild, before the overwrites of a channel."""
    if guild.owner_id == member.user.id:
        return ALL
    allowed = guild.roles[guild.id].permissions
    for role_id in member.roles:
        allowed |= guild.roles[role_id].permissions
    return ALL if allowed & Permission.ADMINISTRATOR else allowed


def channel_permissions(guild: Guild, member: Member, channel: Channel) -> int:
    """Return a member's permission bits in a channel.

    For a thread give its parent; whether a private thread is open to the member is not checked.
    """
    allowed = guild_permissions(guild, member)
    if allowed & Permission.ADMINISTRATOR:
        return allowed
    overwrites = channel.overwrites
    if overwrites:
        everyone = overwrites.get(guild.id)
        if everyone is not None:
            allowed = allowed & ~everyone.deny | everyone.allow
        ofs = [overwrites[role_id] for role_id in member.roles if role_id in overwrites]
        deny = allow = 0
        for overwrite in ofs:
            deny |= overwrite.deny
            allow |= overwrite.allow
        allowed = allowed & ~deny | allow
        own = overwrites.get(member.user.id)
        if own is not None:
            allowed = allowed & ~own.deny | own.allow
    if not allowed & Permission.VIEW_CHANNEL:
        return 0
    return allowed
