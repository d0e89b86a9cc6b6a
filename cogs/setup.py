"""Setting Spade up for a server."""

from zoneinfo import ZoneInfo, available_timezones

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.answers import answer, may_set_up
from bot.discord_io.places import unreadable_channels
from bot.services.history_reader import HistoryReader
from bot.services.messenger import Messenger
from bot.services.settings import SettingsChange, SettingsService
from bot.views import answers
from bot.views.answers import Setup

_ZONES = sorted(available_timezones())
_SUGGESTIONS = 25


class SettingUp(commands.Cog):
    """`/setup`, for whoever may manage the server."""

    def __init__(self, service: SettingsService, messenger: Messenger, reader: HistoryReader) -> None:
        self._service = service
        self._messenger = messenger
        self._reader = reader

    @app_commands.command(
        name="setup", description="Managers, digest channel and time zone; run it again to change them"
    )
    @app_commands.describe(
        manager="Somebody whose personal replies count; run it again for more people",
        manager_role="A role that makes whoever bears it a manager",
        remove_manager="Somebody to take off the list",
        digest_channel="Where the weekly digest is posted",
        time_zone="As Europe/Berlin; weeks and days begin there at midnight",
    )
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def setup(
        self,
        interaction: discord.Interaction,
        manager: discord.User | None = None,
        manager_role: discord.Role | None = None,
        remove_manager: discord.User | None = None,
        digest_channel: discord.TextChannel | None = None,
        time_zone: str | None = None,
    ) -> None:
        """Change what is named, and say what holds then."""
        if not may_set_up(interaction):
            await answer(interaction, answers.not_allowed())
            return
        if time_zone is not None and time_zone not in _ZONES:
            await answer(interaction, answers.no_such_zone(time_zone))
            return
        if manager is not None and manager.bot:
            await answer(interaction, answers.bots_are_no_managers())
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild = interaction.guild
        assert guild is not None
        state = await self._service.change(
            guild.id,
            SettingsChange(
                zone=ZoneInfo(time_zone) if time_zone else None,
                digest_channel_id=digest_channel.id if digest_channel else None,
                add_managers=[manager.id] if manager else (),
                remove_managers=[remove_manager.id] if remove_manager else (),
                add_manager_role_id=manager_role.id if manager_role else None,
            ),
        )
        for person_id in sorted(state.new_managers):
            await self._reader.read_again(guild.id, person_id)
        names = await self._messenger.names(guild.id, sorted(state.managers))
        channel_id = state.settings.digest_channel_id
        await answer(
            interaction,
            answers.setup_saved(
                Setup(
                    manager_names=[names.get(person_id, str(person_id)) for person_id in sorted(state.managers)],
                    zone_name=state.settings.zone.key,
                    digest_channel_id=channel_id,
                    digest_channel_writable=None if channel_id is None else _may_post(guild, channel_id),
                    digest_weekday=state.settings.digest_weekday,
                    digest_hour=state.settings.digest_hour,
                    excluded_channel_ids=sorted(state.excluded_channels),
                    unreadable_channel_ids=unreadable_channels(guild),
                )
            ),
        )

    @setup.autocomplete("time_zone")
    async def suggest_zones(self, _interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Time zones that contain what was typed."""
        wanted = typed.strip().lower().replace(" ", "_")
        found = [zone for zone in _ZONES if wanted in zone.lower()]
        return [app_commands.Choice(name=zone, value=zone) for zone in found[:_SUGGESTIONS]]


def _may_post(guild: discord.Guild, channel_id: int) -> bool:
    channel = guild.get_channel(channel_id)
    if channel is None:
        return False
    granted = channel.permissions_for(guild.me)
    return granted.view_channel and granted.send_messages and granted.embed_links and granted.attach_files
