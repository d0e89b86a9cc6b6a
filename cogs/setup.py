"""`/setup`: sets a server up in one line with options, or with a guide without them."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from difflib import get_close_matches

import discord
from discord import app_commands

from bot.clock import Clock
from bot.discord_io.interactions.answering import answering, defer, defer_update
from bot.discord_io.interactions.authorisation import Audience
from bot.discord_io.interactions.cooldowns import Cost
from bot.discord_io.interactions.guard import Deferral
from bot.discord_io.interactions.guild import guild_id_of, guild_of
from bot.discord_io.interactions.guild_cog import GuildCog
from bot.discord_io.interactions.handlers import control, form
from bot.discord_io.interactions.overview import missing_by_channel, setup_of
from bot.discord_io.interactions.responses import all_shown_commands, chosen, filled, resolved, respond, update
from bot.discord_io.interactions.suggestions import suggestions
from bot.domain.calendar import local_day
from bot.domain.guild import LANGUAGES
from bot.domain.snowflake import EPOCH
from bot.domain.zones import ZONES, zone_named, zones_like
from bot.services.delivery.messenger import Directory
from bot.services.digest.dispatch import DigestService
from bot.services.guild.presentation import Presentation
from bot.services.guild.settings import GuildState, SettingsChange, SettingsService
from bot.services.record.history_reader import HistoryReader
from bot.views.guild import setup as words
from bot.views.guild import setup_summary
from bot.views.guild.setup import Guide, SetupPage
from bot.views.kit.parcel import Parcel
from bot.views.words.sentence import speaking

_MOST = {"weekday": 6, "hour": 23}


class SettingUp(GuildCog, audience=Audience.SERVER_MANAGERS, cost=Cost.LIGHT):
    """`/setup` and its guide. The guide keeps nothing in memory: each choice is saved at once."""

    def __init__(
        self,
        service: SettingsService,
        messenger: Directory,
        reader: HistoryReader,
        digests: DigestService[Parcel],
        presentation: Presentation,
        clock: Clock,
    ) -> None:
        self._service = service
        self._messenger = messenger
        self._reader = reader
        self._digests = digests
        self._presentation = presentation
        self._clock = clock

    @app_commands.command(
        name="setup", description="Managers, digest channel and time zone; a guide opens if you name nothing"
    )
    @app_commands.describe(
        manager="Somebody whose personal replies count; run it again for more people",
        manager_role="A role that makes whoever bears it a manager",
        remove_manager="Somebody to take off the list",
        digest_channel="Where the weekly digest is posted",
        time_zone="As Europe/Berlin; weeks and days begin there at midnight",
    )
    async def setup(
        self,
        interaction: discord.Interaction,
        manager: discord.User | None = None,
        manager_role: discord.Role | None = None,
        remove_manager: discord.User | None = None,
        digest_channel: discord.TextChannel | None = None,
        time_zone: str | None = None,
    ) -> None:
        """Change what is named, and show all settings; open the guide if nothing is named."""
        zone = None if time_zone is None else zone_named(time_zone)
        if time_zone is not None and zone is None:
            await respond(interaction, setup_summary.no_such_zone(time_zone))
            return
        if manager is not None and manager.bot:
            await respond(interaction, setup_summary.bots_are_no_managers())
            return
        await defer(interaction)
        guild = guild_of(interaction)
        if (manager, manager_role, remove_manager, digest_channel, time_zone) == (None,) * 5:
            state = await self._service.state(guild.id)
            await respond(interaction, words.guide_letter(await self._guide(guild, state), SetupPage.WHO))
            return
        state = await self._change(
            guild.id,
            SettingsChange(
                zone=zone,
                digest_channel_id=digest_channel.id if digest_channel else None,
                add_managers=[manager.id] if manager else (),
                remove_managers=[remove_manager.id] if remove_manager else (),
                add_manager_role_id=manager_role.id if manager_role else None,
            ),
        )
        added = ([manager.id] if manager else [], [manager_role.id] if manager_role else [])
        setup = (await self._guide(guild, state)).setup
        await respond(interaction, words.saved(setup, all_shown_commands=all_shown_commands(interaction, *added)))

    @setup.autocomplete("time_zone")
    async def suggest_zones(self, _interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Time zones that contain what was typed."""
        return suggestions(zones_like(typed))

    @control(words.BUTTON_PATTERN, Audience.SERVER_MANAGERS, cost=Cost.PRESS)
    async def turn_page(self, interaction: discord.Interaction, pressed: re.Match[str]) -> None:
        """Show another page of the guide, or finish it."""
        page, guild = SetupPage(pressed["page"]), guild_of(interaction)
        if page is SetupPage.FINISH:
            await defer(interaction)
            await self._finish(interaction, guild)
        else:
            await defer_update(interaction)
            await self._show(interaction, guild, page)

    @control(words.CHOICE_PATTERN, Audience.SERVER_MANAGERS, Deferral.UPDATE, cost=Cost.PRESS)
    async def choose(self, interaction: discord.Interaction, pressed: re.Match[str]) -> None:
        """Save what was chosen in one of the guide's lists."""
        await self._choose(interaction, guild_of(interaction), pressed["field"])

    @control(words.ZONE_PATTERN, Audience.SERVER_MANAGERS, cost=Cost.PRESS)
    async def ask_zone(self, interaction: discord.Interaction, _pressed: re.Match[str]) -> None:
        """Open the form for the time zone."""
        state = await self._service.state(guild_id_of(interaction))
        async with answering(interaction):
            await interaction.response.send_modal(words.zone_form(state.settings).modal())

    @form(words.FORM_PATTERN, Audience.SERVER_MANAGERS, Deferral.UPDATE, cost=Cost.LIGHT)
    async def name_zone(self, interaction: discord.Interaction, _sent: re.Match[str]) -> None:
        """Save the time zone that was written, or name those that come near."""
        await self._name_zone(interaction, guild_of(interaction), filled(interaction).get(words.ZONE_ENTRY, ""))

    async def _choose(self, interaction: discord.Interaction, guild: discord.Guild, field: str) -> None:
        values = [int(value) for value in chosen(interaction) if value.isdecimal()]
        match field:
            case "managers":
                await self._choose_managers(interaction, guild, values)
            case "digest":
                await self._change(guild.id, SettingsChange(digest_channel_id=values[0] if values else 0))
                await self._show(interaction, guild, SetupPage.WHO)
            case "exclude":
                before = (await self._service.state(guild.id)).excluded_channels
                shown = sorted(before)[: words.MOST_CHOSEN]
                await self._change(guild.id, SettingsChange(exclude=values, include=set(shown) - set(values)))
                await self._show(interaction, guild, SetupPage.WHO)
            case "weekday" | "hour" if values and values[0] <= _MOST[field]:
                day = field == "weekday"
                await self._change(
                    guild.id,
                    SettingsChange(digest_weekday=values[0]) if day else SettingsChange(digest_hour=values[0]),
                )
                await self._show(interaction, guild, SetupPage.WHEN)
            case "language" if chosen(interaction)[0] in LANGUAGES:
                await self._change(guild.id, SettingsChange())
                await self._presentation.change(guild.id, language=chosen(interaction)[0])
                with speaking(chosen(interaction)[0]):
                    await self._show(interaction, guild, SetupPage.WHEN)
            case _:
                await self._read(interaction, guild, (chosen(interaction) or ["0"])[0])

    async def _choose_managers(self, interaction: discord.Interaction, guild: discord.Guild, values: list[int]) -> None:
        users, roles = resolved(interaction, "users"), resolved(interaction, "roles")
        people = {value for value in values if value in users and not users[value].get("bot")}
        chosen_roles = {value for value in values if value in roles and value != guild.id}
        before = await self._service.state(guild.id)
        shown = [*sorted(before.named), *sorted(before.manager_roles)][: words.MOST_CHOSEN]
        state = await self._change(
            guild.id,
            SettingsChange(
                add_managers=people,
                remove_managers=before.named.intersection(shown) - people,
                add_manager_roles=chosen_roles,
                remove_manager_roles=before.manager_roles.intersection(shown) - chosen_roles,
            ),
        )
        notes = [words.bots_left_out()] if any(one.get("bot") for one in users.values()) else []
        if left_out := len(people - state.managers):
            notes.append(words.not_added(left_out))
        if not all_shown_commands(interaction, people, chosen_roles):
            notes.append(words.commands_hidden())
        await self._show(interaction, guild, SetupPage.WHO, notes=notes)

    async def _name_zone(self, interaction: discord.Interaction, guild: discord.Guild, text: str) -> None:
        wanted = text.strip().replace(" ", "_")
        found = zones_like(wanted) if wanted else []
        zone = zone_named(found[0] if len(found) == 1 else wanted)
        if zone is not None:
            await self._change(guild.id, SettingsChange(zone=zone))
            await self._show(interaction, guild, SetupPage.WHEN)
            return
        near = found[:3] or get_close_matches(wanted, ZONES, 3)
        await self._show(interaction, guild, SetupPage.WHEN, notes=[words.no_such_zone_but(text, near)])

    async def _read(self, interaction: discord.Interaction, guild: discord.Guild, span: str) -> None:
        if span in words.HISTORY and span != "0":
            zone = (await self._service.state(guild.id)).settings.zone
            today = local_day(self._clock.now(), zone)
            first_on = EPOCH.date() if span == "all" else today - timedelta(days=int(span))
            await self._reader.backfill_from(guild.id, first_on)
        await self._show(interaction, guild, SetupPage.HISTORY, reading=words.reading(span))

    async def _show(
        self,
        interaction: discord.Interaction,
        guild: discord.Guild,
        page: SetupPage,
        *,
        notes: Sequence[str] = (),
        reading: str | None = None,
    ) -> None:
        state = await self._service.state(guild.id)
        guide = replace(await self._guide(guild, state), notes=notes, reading=reading)
        await update(interaction, words.guide_letter(guide, page))

    async def _finish(self, interaction: discord.Interaction, guild: discord.Guild) -> None:
        state = await self._change(guild.id, SettingsChange())
        preview = await self._digests.preview(guild.id)
        guide = await self._guide(guild, state)
        await respond(interaction, words.finished(guide, preview))

    async def _change(self, guild_id: int, change: SettingsChange) -> GuildState:
        state = await self._service.change(guild_id, change)
        if state.new_managers:
            await self._reader.resume(guild_id)
        return state

    async def _guide(self, guild: discord.Guild, state: GuildState) -> Guide:
        return Guide(
            settings=state.settings,
            setup=await setup_of(guild, state, self._messenger),
            named=sorted(state.named),
            roles=[role_id for role_id in sorted(state.manager_roles) if guild.get_role(role_id) is not None],
            missing=missing_by_channel(guild, state),
        )
