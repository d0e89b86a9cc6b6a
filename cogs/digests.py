"""The weekly digest: posted when it is due, and shown on request."""

from datetime import date, timedelta

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.responses import MANAGERS_SEE, answer, pressed, refused_to_manage
from bot.domain.calendar import monday_of
from bot.domain.delivery import DeliveryKind
from bot.domain.rules import Rules
from bot.schedule import Schedule
from bot.services.delivery.settlement import Settlement
from bot.services.digest.dispatch import DigestService
from bot.services.guild.access import Access
from bot.views.digest.about import BUTTON_PATTERN, about_letter
from bot.views.kit.parcel import Parcel
from bot.views.words import refusals

KINDS = (DeliveryKind.DIGEST, DeliveryKind.PERSONAL_DIGEST)


class Digests(commands.Cog):
    """Posts each week's digest, and answers `/digest`."""

    def __init__(
        self, service: DigestService[Parcel], settlement: Settlement, schedule: Schedule, access: Access, rules: Rules
    ) -> None:
        self._service = service
        self._settlement = settlement
        self._schedule = schedule
        self._access = access
        self._rules = rules

    async def cog_load(self) -> None:
        """Put the due work on the schedule."""
        for kind in KINDS:
            self._settlement.add(kind, self._service.resume)
        self._schedule.add("digests", self._service.post_due)

    async def cog_unload(self) -> None:
        """Take it off."""
        self._schedule.remove("digests")
        for kind in KINDS:
            self._settlement.remove(kind)

    @app_commands.command(name="digest", description="See a week's digest; only you see it")
    @app_commands.describe(
        week="A day of the week you mean, as 2026-03-02; the last whole week without it",
        mine="Your own week instead of the team's",
    )
    @app_commands.default_permissions(MANAGERS_SEE)
    @app_commands.guild_only()
    async def show(self, interaction: discord.Interaction, week: str | None = None, *, mine: bool = False) -> None:
        """Show a manager the digest of a week: the team's, or their own."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        if await refused_to_manage(interaction, self._access):
            return
        assert interaction.guild_id is not None
        try:
            week_on = monday_of(date.fromisoformat(week.strip())) if week else None
            if week_on is not None:
                _ = week_on - timedelta(weeks=60), week_on + timedelta(weeks=2)  # within what dates can say
        except (ValueError, OverflowError):
            await answer(interaction, refusals.not_a_date(week or ""))
            return
        if mine:
            body = await self._service.personal_on_request(interaction.guild_id, interaction.user.id, week_on)
        else:
            body = await self._service.on_request(interaction.guild_id, week_on)
        await answer(interaction, refusals.not_set_up() if body is None else body)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """A press on "How this is counted"."""
        if pressed(interaction, BUTTON_PATTERN):
            await answer(interaction, about_letter(self._rules))
