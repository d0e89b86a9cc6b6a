"""The weekly digest: posted when it is due, and shown on request."""

import re
from datetime import date, timedelta

import discord
from discord import app_commands

from bot.discord_io.interactions.authorisation import Audience
from bot.discord_io.interactions.cooldowns import Cost
from bot.discord_io.interactions.guild import guild_id_of
from bot.discord_io.interactions.guild_cog import GuildCog
from bot.discord_io.interactions.handlers import control
from bot.discord_io.interactions.responses import respond
from bot.domain.calendar import monday_of
from bot.domain.delivery import DeliveryKind
from bot.domain.rules import Rules
from bot.schedule import Schedule
from bot.services.delivery.settlement import Settlement
from bot.services.digest.dispatch import DigestService
from bot.views.digest.about import BUTTON_PATTERN, about_letter
from bot.views.kit.parcel import Parcel
from bot.views.words import refusals

KINDS = (DeliveryKind.DIGEST, DeliveryKind.PERSONAL_DIGEST)


class Digests(GuildCog, audience=Audience.MANAGERS, cost=Cost.HEAVY):
    """Posts each week's digest, and responds to `/digest`."""

    def __init__(
        self, service: DigestService[Parcel], settlement: Settlement, schedule: Schedule, rules: Rules
    ) -> None:
        self._service = service
        self._settlement = settlement
        self._schedule = schedule
        self._rules = rules

    async def cog_load(self) -> None:
        """Add the due work to the schedule."""
        for kind in KINDS:
            self._settlement.add(kind, self._service.resume)
        self._schedule.add("digests", self._service.post_due)

    async def cog_unload(self) -> None:
        """Remove the due work from the schedule."""
        self._schedule.remove("digests")
        for kind in KINDS:
            self._settlement.remove(kind)

    @app_commands.command(name="digest", description="See a week's digest; only you see it")
    @app_commands.describe(
        week="A day of the week you mean, as 2026-03-02; the last whole week without it",
        mine="Your own week instead of the team's",
    )
    async def show(self, interaction: discord.Interaction, week: str | None = None, *, mine: bool = False) -> None:
        """Show the digest of a week: the team's, or the manager's own."""
        guild_id = guild_id_of(interaction)
        try:
            week_on = monday_of(date.fromisoformat(week.strip())) if week else None
            if week_on is not None:
                _ = (
                    week_on - timedelta(weeks=60),
                    week_on + timedelta(weeks=2),
                )  # Raises OverflowError outside of what dates can hold.
        except (ValueError, OverflowError):
            await respond(interaction, refusals.not_a_date(week or ""))
            return
        if mine:
            body = await self._service.personal_on_request(guild_id, interaction.user.id, week_on)
        else:
            body = await self._service.on_request(guild_id, week_on)
        await respond(interaction, refusals.not_set_up() if body is None else body)

    @control(BUTTON_PATTERN, Audience.ANYBODY, cost=Cost.PRESS)
    async def explain(self, interaction: discord.Interaction, _pressed: re.Match[str]) -> None:
        """Explain how the figures are counted; a personal digest has this button in a DM."""
        await respond(interaction, about_letter(self._rules))
