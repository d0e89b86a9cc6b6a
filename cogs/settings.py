"""`/settings`: shows a server's settings, and changes one at a time."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.interactions.answering import defer
from bot.discord_io.interactions.authorisation import Audience
from bot.discord_io.interactions.cooldowns import Cost
from bot.discord_io.interactions.guild import guild_of
from bot.discord_io.interactions.guild_cog import GuildCog
from bot.discord_io.interactions.overview import role_names, setup_of
from bot.discord_io.interactions.responses import respond
from bot.discord_io.interactions.suggestions import suggestions
from bot.domain.guild import LANGUAGES
from bot.domain.retention import KEEP_CHOICES
from bot.domain.zones import zone_named, zones_like
from bot.services.delivery.messenger import Directory
from bot.services.guild.presentation import Presentation
from bot.services.guild.settings import GuildState, SettingsChange, SettingsService
from bot.views.guild import settings as words
from bot.views.guild import setup_summary
from bot.views.guild.setup import LANGUAGE_NAMES
from bot.views.words.dates import weekday_name
from bot.views.words.sentence import mark, speaking

_FOREVER = mark("everything")
_WEEKDAYS = [app_commands.Choice(name=weekday_name(day), value=day) for day in range(7)]
_MONTHS = [app_commands.Choice(name=_FOREVER, value=0)] + [
    app_commands.Choice(name=str(months), value=months) for months in KEEP_CHOICES
]
_LANGUAGES = [app_commands.Choice(name=LANGUAGE_NAMES[code], value=code) for code in LANGUAGES]
Channel = discord.TextChannel | discord.ForumChannel | discord.VoiceChannel | discord.StageChannel


class SettingsCommands(
    GuildCog,
    commands.GroupCog,
    audience=Audience.SERVER_MANAGERS,
    cost=Cost.LIGHT,
    group_name="settings",
    group_description="What is set for this server",
):
    """`/settings`."""

    def __init__(self, service: SettingsService, presentation: Presentation, messenger: Directory) -> None:
        super().__init__()
        self._service = service
        self._presentation = presentation
        self._messenger = messenger

    @app_commands.command(name="show", description="See everything that is set")
    async def show(self, interaction: discord.Interaction) -> None:
        """Show all settings."""
        await self._change(interaction, None)

    @app_commands.command(name="digest", description="Where and when the weekly digest is posted")
    @app_commands.describe(
        channel="The channel it is posted in",
        weekday="The day it comes",
        hour="The hour it comes, 0 to 23",
        off="Post no digest any more",
        verdict="Whether it gives its verdict in a word",
    )
    @app_commands.choices(weekday=_WEEKDAYS)
    async def digest(
        self,
        interaction: discord.Interaction,
        channel: discord.TextChannel | None = None,
        weekday: int | None = None,
        hour: app_commands.Range[int, 0, 23] | None = None,
        *,
        off: bool = False,
        verdict: bool | None = None,
    ) -> None:
        """Change the digest."""
        if (channel, weekday, hour, verdict) == (None,) * 4 and not off:
            await respond(interaction, words.nothing_named())
            return
        channel_id = 0 if off else None if channel is None else channel.id
        change = SettingsChange(digest_channel_id=channel_id, digest_weekday=weekday, digest_hour=hour)
        await self._change(interaction, change, show_verdict=verdict)

    @app_commands.command(name="time-zone", description="Where this server's days and weeks begin")
    @app_commands.describe(zone="As Europe/Berlin")
    async def time_zone(self, interaction: discord.Interaction, zone: str) -> None:
        """Change the time zone."""
        chosen = zone_named(zone)
        if chosen is None:
            await respond(interaction, setup_summary.no_such_zone(zone))
            return
        await self._change(interaction, SettingsChange(zone=chosen))

    @time_zone.autocomplete("zone")
    async def suggest_zones(self, _interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Time zones that contain what was typed."""
        return suggestions(zones_like(typed))

    @app_commands.command(name="language", description="What Spade speaks on this server")
    @app_commands.choices(language=_LANGUAGES)
    async def language(self, interaction: discord.Interaction, language: str) -> None:
        """Change the language, and respond in the new one."""
        await self._change(interaction, SettingsChange(), language=language)

    @app_commands.command(name="exclude", description="Let a channel, with its threads, not count")
    async def exclude(self, interaction: discord.Interaction, channel: Channel) -> None:
        """Exclude a channel."""
        await self._change(interaction, SettingsChange(exclude=[channel.id]), words.excluded_now(channel.id))

    @app_commands.command(name="include", description="Let a channel count again")
    async def include(self, interaction: discord.Interaction, channel: Channel) -> None:
        """Include a channel that was excluded."""
        await self._change(interaction, SettingsChange(include=[channel.id]), words.included_again(channel.id))

    @app_commands.command(name="ignore", description="Never count, nudge or wait for somebody: staff, helpers")
    @app_commands.describe(person="Somebody to ignore", role="A role whose bearers are ignored")
    async def ignore(
        self, interaction: discord.Interaction, person: discord.User | None = None, role: discord.Role | None = None
    ) -> None:
        """Put a person or a role on the ignore list."""
        if person is None and role is None:
            await respond(interaction, words.nothing_named())
            return
        change = SettingsChange(ignore=[person.id] if person else (), ignore_roles=[role.id] if role else ())
        await self._change(interaction, change, words.role_noted(role.name) if role else None)

    @app_commands.command(name="unignore", description="Count somebody again")
    @app_commands.describe(person="Somebody to count again", role="A role to take off the list")
    async def unignore(
        self, interaction: discord.Interaction, person: discord.User | None = None, role: discord.Role | None = None
    ) -> None:
        """Take a person or a role off the ignore list."""
        if person is None and role is None:
            await respond(interaction, words.nothing_named())
            return
        change = SettingsChange(notice=[person.id] if person else (), notice_roles=[role.id] if role else ())
        await self._change(interaction, change)

    @app_commands.command(name="keep", description="How many months of the record are kept")
    @app_commands.choices(months=_MONTHS)
    async def keep(self, interaction: discord.Interaction, months: int) -> None:
        """Change how long the record is kept."""
        await self._change(interaction, SettingsChange(keep_months=months), words.keeps(months or None))

    async def _change(
        self,
        interaction: discord.Interaction,
        change: SettingsChange | None,
        note: str | None = None,
        *,
        language: str | None = None,
        show_verdict: bool | None = None,
    ) -> None:
        await defer(interaction)
        guild = guild_of(interaction)
        if change is not None:
            await self._service.change(guild.id, change)
        if language is not None or show_verdict is not None:
            await self._presentation.change(guild.id, language=language, show_verdict=show_verdict)
        state = await self._service.state(guild.id)
        with speaking(state.settings.language):
            await respond(interaction, words.settings_text(await self._facts(guild, state), note))

    async def _facts(self, guild: discord.Guild, state: GuildState) -> words.SettingsFacts:
        names = await self._messenger.names(guild.id, sorted(state.ignored)[:25])
        return words.SettingsFacts(
            settings=state.settings,
            setup=await setup_of(guild, state, self._messenger),
            ignored=[names.get(person_id, str(person_id)) for person_id in sorted(state.ignored)],
            ignored_roles=role_names(guild, state.ignored_roles),
        )
