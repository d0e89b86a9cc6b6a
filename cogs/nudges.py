"""`/nudges`, and the due ones at every tick."""

from datetime import date
from zoneinfo import ZoneInfo, available_timezones

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.responses import MANAGERS_SEE, answer, refused_to_manage
from bot.domain.delivery import DeliveryKind
from bot.domain.nudge_time import NudgeSchedule, PauseProblem
from bot.schedule import Schedule
from bot.services.delivery.messenger import DiscordUnreachableError
from bot.services.delivery.settlement import Settlement
from bot.services.guild.access import Access
from bot.services.nudge.dispatch import NudgeService
from bot.services.nudge.enrolment import Enrolments
from bot.services.nudge.previews import NudgePreviews
from bot.views.guild import setup_summary
from bot.views.kit.parcel import Parcel
from bot.views.nudge import answers
from bot.views.nudge.writer import NudgeWriter
from bot.views.words import refusals
from bot.views.words.weekdays import weekday_suggestions, weekdays_from

_ZONES = sorted(available_timezones())
_SUGGESTIONS = 25


@app_commands.guild_only()
@app_commands.default_permissions(MANAGERS_SEE)
class Nudges(commands.GroupCog, group_name="nudges", group_description="Your own short messages about who waits"):
    """Managers steer their own nudges, and nobody else's. Every command is deferred by the check before it."""

    def __init__(
        self,
        service: NudgeService[Parcel],
        enrolments: Enrolments[Parcel],
        previews: NudgePreviews,
        settlement: Settlement,
        schedule: Schedule,
        writer: NudgeWriter,
        access: Access,
    ) -> None:
        super().__init__()
        self._service = service
        self._enrolments = enrolments
        self._previews = previews
        self._settlement = settlement
        self._schedule = schedule
        self._writer = writer
        self._access = access

    async def cog_load(self) -> None:
        """Put the due work on the schedule."""
        self._settlement.add(DeliveryKind.NUDGE, self._service.resume)
        self._settlement.add(DeliveryKind.WELCOME, self._enrolments.resume)
        self._schedule.add("nudges", self._service.send_due)

    async def cog_unload(self) -> None:
        """Take it off."""
        self._schedule.remove("nudges")
        self._settlement.remove(DeliveryKind.WELCOME)
        self._settlement.remove(DeliveryKind.NUDGE)

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Only for managers, whatever Discord shows."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        return not await refused_to_manage(interaction, self._access)

    @app_commands.command(name="on", description="Get a short DM about people who wait or were never met")
    async def turn_on(self, interaction: discord.Interaction) -> None:
        """Enrol the person who asks, and say hello by DM at once."""
        assert interaction.guild_id is not None
        enrolled = await self._enrolments.turn_on(interaction.guild_id, interaction.user.id)
        await answer(interaction, refusals.not_a_manager() if enrolled is None else self._writer.enrolled(enrolled))

    @app_commands.command(name="off", description="Get no more nudges")
    async def turn_off(self, interaction: discord.Interaction) -> None:
        """Take the person who asks off."""
        assert interaction.guild_id is not None
        were_on = await self._enrolments.turn_off(interaction.guild_id, interaction.user.id)
        await answer(interaction, refusals.not_a_manager() if were_on is None else answers.nudges_off(were_on=were_on))

    @app_commands.command(name="status", description="When your nudges come, and what came of the last ones")
    async def status(self, interaction: discord.Interaction) -> None:
        """Show how things stand."""
        assert interaction.guild_id is not None
        status = await self._previews.status(interaction.guild_id, interaction.user.id)
        await answer(interaction, refusals.not_a_manager() if status is None else self._writer.status(status))

    @app_commands.command(name="hour", description="The hour of the day at which your nudges come")
    @app_commands.describe(hour="0 to 23, in your time zone")
    async def set_hour(self, interaction: discord.Interaction, hour: app_commands.Range[int, 0, 23]) -> None:
        """Change the hour."""
        assert interaction.guild_id is not None
        await self._changed(
            interaction, await self._enrolments.set_hour(interaction.guild_id, interaction.user.id, hour)
        )

    @app_commands.command(name="days", description="The days of the week on which your nudges come")
    @app_commands.describe(days="As: workdays, every day, or Mon, Wed, Fri")
    async def set_days(self, interaction: discord.Interaction, days: str) -> None:
        """Change the weekdays."""
        assert interaction.guild_id is not None
        weekdays = weekdays_from(days)
        if weekdays is None:
            await answer(interaction, answers.not_weekdays(days))
            return
        await self._changed(
            interaction, await self._enrolments.set_weekdays(interaction.guild_id, interaction.user.id, weekdays)
        )

    @set_days.autocomplete("days")
    async def suggest_days(self, _interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Days that may be meant."""
        return [app_commands.Choice(name=label, value=label) for label in weekday_suggestions(typed)[:_SUGGESTIONS]]

    @app_commands.command(name="zone", description="The time zone your nudges keep; without one, the server's")
    @app_commands.describe(zone="As Europe/Berlin; leave it out for the server's own")
    async def set_zone(self, interaction: discord.Interaction, zone: str | None = None) -> None:
        """Change the time zone."""
        assert interaction.guild_id is not None
        if zone is not None and zone not in _ZONES:
            await answer(interaction, setup_summary.no_such_zone(zone))
            return
        chosen = ZoneInfo(zone) if zone else None
        await self._changed(
            interaction, await self._enrolments.set_zone(interaction.guild_id, interaction.user.id, chosen)
        )

    @set_zone.autocomplete("zone")
    async def suggest_zones(self, _interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Time zones that contain what was typed."""
        wanted = typed.strip().lower().replace(" ", "_")
        found = [zone for zone in _ZONES if wanted in zone.lower()]
        return [app_commands.Choice(name=zone, value=zone) for zone in found[:_SUGGESTIONS]]

    @app_commands.command(name="pause", description="No nudges until a day, for a holiday; /nudges on ends it early")
    @app_commands.describe(until="The first day on which they may come again: 2026-08-31")
    async def pause(self, interaction: discord.Interaction, until: str) -> None:
        """Pause until a date."""
        assert interaction.guild_id is not None
        try:
            day = date.fromisoformat(until.strip())
        except ValueError:
            await answer(interaction, refusals.not_a_date(until))
            return
        paused = await self._enrolments.pause(interaction.guild_id, interaction.user.id, day)
        if isinstance(paused, PauseProblem):
            await answer(interaction, answers.pause_refused(paused, day))
        else:
            await self._changed(interaction, paused)

    async def _changed(self, interaction: discord.Interaction, changed: NudgeSchedule | None) -> None:
        await answer(interaction, refusals.not_a_manager() if changed is None else self._writer.schedule(changed))

    @app_commands.command(name="again", description="Be nudged again about somebody you snoozed or set aside")
    @app_commands.describe(person="For whom you pressed Snooze, or Not this person")
    async def name_again(self, interaction: discord.Interaction, person: discord.User) -> None:
        """Take back a snooze or a dismissal."""
        assert interaction.guild_id is not None
        taken_back = await self._enrolments.name_again(interaction.guild_id, interaction.user.id, person.id)
        await answer(interaction, answers.named_again(person.display_name, taken_back=taken_back))

    @app_commands.command(name="now", description="Get today's nudge at once")
    async def send_now(self, interaction: discord.Interaction) -> None:
        """Send today's nudge now, if there is one."""
        assert interaction.guild_id is not None
        try:
            state = await self._service.send_now(interaction.guild_id, interaction.user.id)
        except DiscordUnreachableError:
            await answer(interaction, answers.discord_silent())
        else:
            await answer(interaction, answers.nudge_sent(state))

    @app_commands.command(name="preview", description="See what a nudge would say now; nothing is sent")
    @app_commands.describe(why_not="Somebody you miss in it, or wonder about: which rule decides?")
    async def preview(self, interaction: discord.Interaction, why_not: discord.User | None = None) -> None:
        """Show the person who asks their nudge, without buttons; or why somebody is, or is not, in it."""
        assert interaction.guild_id is not None
        guild_id, manager_id = interaction.guild_id, interaction.user.id
        try:
            if why_not is not None:
                found = await self._previews.why(guild_id, manager_id, why_not.id)
                await answer(interaction, refusals.not_a_manager() if found is None else self._writer.why(found))
            else:
                draft = await self._previews.preview(guild_id, manager_id)
                await answer(interaction, refusals.not_a_manager() if draft is None else self._writer.preview(draft))
        except DiscordUnreachableError:
            await answer(interaction, answers.discord_silent())
