"""A guild's settings, joined with names and permissions from Discord."""

import discord

from bot.discord_io.record.permissions import TO_POST, TO_READ, missing_permissions, unreadable_channels
from bot.services.delivery.messenger import Directory
from bot.services.guild.settings import GuildState
from bot.views.guild.setup_summary import Setup


def missing_by_channel(guild: discord.Guild, state: GuildState) -> dict[int, list[str]]:
    """The permissions Spade lacks in the digest's channel, and in the channels it is to record."""
    missing: dict[int, list[str]] = {}
    channel_id = state.settings.digest_channel_id
    if channel_id is not None:
        missing[channel_id] = missing_permissions(guild, channel_id, TO_POST)
    for one in _unreadable(guild, state):
        missing[one] = [*missing.get(one, ()), *missing_permissions(guild, one, TO_READ)]
    return {channel: list(dict.fromkeys(names)) for channel, names in missing.items() if names}


async def setup_of(guild: discord.Guild, state: GuildState, messenger: Directory) -> Setup:
    """A guild's settings as the views show them."""
    settings = state.settings
    channel_id = settings.digest_channel_id
    names = await messenger.names(guild.id, sorted(state.managers))
    lacking = [] if channel_id is None else missing_permissions(guild, channel_id, TO_POST)
    return Setup(
        manager_names=[names.get(person_id, str(person_id)) for person_id in sorted(state.managers)],
        manager_roles=role_names(guild, state.manager_roles),
        zone_name=settings.zone.key,
        digest_channel_id=channel_id,
        digest_channel_writable=None if channel_id is None else not lacking,
        digest_missing=lacking,
        digest_weekday=settings.digest_weekday,
        digest_hour=settings.digest_hour,
        excluded_channel_ids=sorted(state.excluded_channels),
        unreadable_channel_ids=_unreadable(guild, state),
    )


def role_names(guild: discord.Guild, role_ids: frozenset[int]) -> list[str]:
    """The names of the roles that are still there."""
    return [role.name for role_id in sorted(role_ids) if (role := guild.get_role(role_id)) is not None]


def _unreadable(guild: discord.Guild, state: GuildState) -> list[int]:
    return [one for one in unreadable_channels(guild) if one not in state.excluded_channels]
