"""`/nudges`, and the nudges that are due at a tick."""

from datetime import date

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.interactions.authorisation import Audience
from bot.discord_io.interactions.cooldowns import Cost
from bot.discord_io.interactions.guild import guild_id_of
from bot.discord_io.interactions.guild_cog import GuildCog
from bot.discord_io.interactions.responses import respond
from bot.discord_io.interactions.suggestions import suggestions
from bot.domain.delivery import DeliveryKind
from bot.domain.nudge_time import NoNudge, NudgeSchedule, PauseProblem
from bot.domain.zones import zone_named, zones_like
from bot.schedule import Schedule
from bot.services.delivery.messenger import DiscordUnreachableError
from bot.services.delivery.settlement import Settlement
from bot.services.nudge.dispatch import NudgeService
from bot.services.nudge.enrolment import Enrolments
from bot.services.nudge.previews import NudgePreviews
from bot.views.guild import setup_summary
from bot.views.kit.parcel import Parcel
from bot.views.nudge import answers
from bot.views.nudge.writer import NudgeWriter
from bot.views.words import refusals
from bot.views.words.weekdays import weekday_suggestions, weekdays_from


class Nudges(
    GuildCog,
    commands.GroupCog,
    audience=Audience.MANAGERS,
    cost=Cost.LIGHT,
    group_name="nudges",
    group_description="Your own short messages about who waits",
):
    """`/nudges`, by which managers change their own nudges only. Sends the due ones at every tick."""

    def __init__(
        self,
        service: NudgeService[Parcel],
        enrolments: Enrolments[Parcel],
        previews: NudgePreviews,
        settlement: Settlement,
        schedule: Schedule,
        writer: NudgeWriter,
    ) -> None:
        super().__init__()
        self._service = service
        self._enrolments = enrolments
        self._previews = previews
        self._settlement = settlement
        self._schedule = schedule
        self._writer = writer

    async def cog_load(self) -> None:
        """Add the due work to the schedule."""
        self._settlement.add(DeliveryKind.NUDGE, self._service.resume)
        self._settlement.add(DeliveryKind.WELCOME, self._enrolments.resume)
        self._schedule.add("nudges", self._service.send_due)

    async def cog_unload(self) -> None:
        """Remove the due work from the schedule."""
        self._schedule.remove("nudges")
        self._settlement.remove(DeliveryKind.WELCOME)
        self._settlement.remove(DeliveryKind.NUDGE)

    @app_commands.command(name="on", description="Get a short DM about people who wait or were never met")
    async def turn_on(self, interaction: discord.Interaction) -> None:
        """Enrol the manager, and welcome them by DM at once."""
        enrolled = await self._enrolments.turn_on(guild_id_of(interaction), interaction.user.id)
        await respond(interaction, refusals.not_a_manager() if enrolled is None else self._writer.enrolled(enrolled))

    @app_commands.command(name="off", description="Get no more nudges")
    async def turn_off(self, interaction: discord.Interaction) -> None:
        """End the manager's enrolment."""
        were_on = await self._enrolments.turn_off(guild_id_of(interaction), interaction.user.id)
        await respond(interaction, refusals.not_a_manager() if were_on is None else answers.nudges_off(were_on=were_on))

    @app_commands.command(name="status", description="When your nudges come, and what came of the last ones")
    async def status(self, interaction: discord.Interaction) -> None:
        """Show the schedule, and what became of the last nudges."""
        status = await self._previews.status(guild_id_of(interaction), interaction.user.id)
        await respond(interaction, refusals.not_a_manager() if status is None else self._writer.status(status))

    @app_commands.command(name="hour", description="The hour of the day at which your nudges come")
    @app_commands.describe(hour="0 to 23, in your time zone")
    async def set_hour(self, interaction: discord.Interaction, hour: app_commands.Range[int, 0, 23]) -> None:
        """Change the hour."""
        await self._changed(
            interaction, await self._enrolments.set_hour(guild_id_of(interaction), interaction.user.id, hour)
        )

    @app_commands.command(name="days", description="The days of the week on which your nudges come")
    @app_commands.describe(days="As: workdays, every day, or Mon, Wed, Fri")
    async def set_days(self, interaction: discord.Interaction, days: str) -> None:
        """Change the weekdays."""
        weekdays = weekdays_from(days)
        if weekdays is None:
            await respond(interaction, answers.not_weekdays(days))
            return
        await self._changed(
            interaction, await self._enrolments.set_weekdays(guild_id_of(interaction), interaction.user.id, weekdays)
        )

    @set_days.autocomplete("days")
    async def suggest_days(self, _interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Weekdays that match what was typed."""
        return suggestions(weekday_suggestions(typed))

    @app_commands.command(name="zone", description="The time zone your nudges keep; without one, the server's")
    @app_commands.describe(zone="As Europe/Berlin; leave it out for the server's own")
    async def set_zone(self, interaction: discord.Interaction, zone: str | None = None) -> None:
        """Change the time zone."""
        chosen = None if zone is None else zone_named(zone)
        if zone is not None and chosen is None:
            await respond(interaction, setup_summary.no_such_zone(zone))
            return
        await self._changed(
            interaction, await self._enrolments.set_zone(guild_id_of(interaction), interaction.user.id, chosen)
        )

    @set_zone.autocomplete("zone")
    async def suggest_zones(self, _interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Time zones that contain what was typed."""
        return suggestions(zones_like(typed))

    @app_commands.command(name="pause", description="No nudges until a day, for a holiday; /nudges on ends it early")
    @app_commands.describe(until="The first day on which they may come again: 2026-08-31")
    async def pause(self, interaction: discord.Interaction, until: str) -> None:
        """Pause until a date."""
        try:
            day = date.fromisoformat(until.strip())
        except ValueError:
            await respond(interaction, refusals.not_a_date(until))
            return
        paused = await self._enrolments.pause(guild_id_of(interaction), interaction.user.id, day)
        if isinstance(paused, PauseProblem):
            await respond(interaction, answers.pause_refused(paused, day))
        else:
            await self._changed(interaction, paused)

    async def _changed(self, interaction: discord.Interaction, changed: NudgeSchedule | None) -> None:
        await respond(interaction, refusals.not_a_manager() if changed is None else self._writer.schedule(changed))

    @app_commands.command(name="again", description="Be nudged again about somebody you snoozed or set aside")
    @app_commands.describe(person="For whom you pressed Snooze, or Not this person")
    async def name_again(self, interaction: discord.Interaction, person: discord.User) -> None:
        """Take back a snooze or a dismissal."""
        taken_back = await self._enrolments.name_again(guild_id_of(interaction), interaction.user.id, person.id)
        await respond(interaction, answers.named_again(person.display_name, taken_back=taken_back))

    @app_commands.command(name="now", description="Get today's nudge at once")
    async def send_now(self, interaction: discord.Interaction) -> None:
        """Send today's nudge now, if there is one to send."""
        try:
            sent = await self._service.send_now(guild_id_of(interaction), interaction.user.id)
        except DiscordUnreachableError:
            await respond(interaction, answers.discord_silent())
        else:
            problem = None if isinstance(sent, NoNudge) else sent.problem
            await respond(interaction, answers.nudge_sent(sent if isinstance(sent, NoNudge) else sent.state, problem))

    @app_commands.command(name="preview", description="See what a nudge would say now; nothing is sent")
    @app_commands.describe(why_not="Somebody you miss in it, or wonder about: which rule decides?")
    async def preview(self, interaction: discord.Interaction, why_not: discord.User | None = None) -> None:
        """Show the manager's nudge as of now, without buttons; or why somebody is, or is not, in it."""
        guild_id, manager_id = guild_id_of(interaction), interaction.user.id
        try:
            if why_not is not None:
                found = await self._previews.why(guild_id, manager_id, why_not.id)
                await respond(interaction, refusals.not_a_manager() if found is None else self._writer.why(found))
            else:
                draft = await self._previews.preview(guild_id, manager_id)
                await respond(interaction, refusals.not_a_manager() if draft is None else self._writer.preview(draft))
        except DiscordUnreachableError:
            await respond(interaction, answers.discord_silent())
