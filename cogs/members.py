"""The team's relationships: with one person, the unmet, the coverage, and contacts that Discord cannot show."""

import re
from collections.abc import Sequence

import discord
from discord import app_commands

from bot.discord_io.interactions.authorisation import Audience
from bot.discord_io.interactions.cooldowns import Cost, heavy
from bot.discord_io.interactions.guard import Deferral
from bot.discord_io.interactions.guild import guild_id_of
from bot.discord_io.interactions.guild_cog import GuildCog
from bot.discord_io.interactions.handlers import control
from bot.discord_io.interactions.responses import respond, update
from bot.domain.coverage import PeriodChoice
from bot.domain.logged import WhenProblem
from bot.domain.relationship import Standing
from bot.services.digest.coverage import CoverageService
from bot.services.members.relationship import Relationships
from bot.services.members.unmet import UnmetList
from bot.services.members.waiting import WaitingService
from bot.views.digest.coverage import PERIODS, coverage_parcel
from bot.views.members import relationship as words
from bot.views.members.unmet import BUTTON_PATTERN, PAGE_SIZE, unmet_letter
from bot.views.words import refusals
from bot.views.words.names import name_of

Person = discord.User | discord.Member


class Members(GuildCog, audience=Audience.MANAGERS, cost=Cost.LIGHT):
    """`/member`, `/unmet`, `/coverage`, `/log` and the context menus. Only the manager who asks sees a response."""

    def __init__(
        self,
        relationships: Relationships,
        unmet: UnmetList,
        coverage: CoverageService,
        waiting: WaitingService,
    ) -> None:
        self._relationships = relationships
        self._unmet = unmet
        self._coverage = coverage
        self._waiting = waiting

    def build_context_menus(self) -> Sequence[app_commands.ContextMenu]:
        """Two on people, one on messages."""
        return (
            app_commands.ContextMenu(name="Relationship", callback=self.show_relationship),
            app_commands.ContextMenu(name="Log 1:1", callback=self.log_at_once),
            app_commands.ContextMenu(name="Mark answered", callback=self.mark_answered),
        )

    @app_commands.command(name="member", description="What the team and one person have had with each other")
    @app_commands.describe(user="Whom you want to know about")
    async def member(self, interaction: discord.Interaction, user: discord.User) -> None:
        """Show one relationship."""
        await self._show(interaction, user)

    async def show_relationship(self, interaction: discord.Interaction, user: discord.User) -> None:
        """Show one relationship, from a person's context menu."""
        await self._show(interaction, user)

    async def _show(self, interaction: discord.Interaction, user: Person) -> None:
        if user.bot:
            await respond(interaction, words.bots_are_no_members())
            return
        facts = await self._relationships.of(guild_id_of(interaction), user.id)
        await respond(interaction, words.relationship_letter(facts))

    @app_commands.command(name="unmet", description="Active members whom nobody on the team has talked to yet")
    async def unmet(self, interaction: discord.Interaction) -> None:
        """Show the first page."""
        page = await self._unmet.page(guild_id_of(interaction), 1, PAGE_SIZE)
        await respond(interaction, refusals.not_set_up() if page is None else unmet_letter(page))

    @heavy
    @app_commands.command(name="coverage", description="How far the team's attention reached in a stretch of time")
    @app_commands.describe(period="The last whole week without it")
    @app_commands.choices(period=[app_commands.Choice(name=name, value=one.value) for one, name in PERIODS.items()])
    async def coverage(self, interaction: discord.Interaction, period: str = PeriodChoice.LAST_WEEK.value) -> None:
        """Show the figures of a period, with a picture."""
        facts = await self._coverage.of(guild_id_of(interaction), interaction.user.id, PeriodChoice(period))
        await respond(interaction, refusals.not_set_up() if facts is None else coverage_parcel(facts))

    @app_commands.command(
        name="log", description="Note that you were in touch with somebody where Discord cannot see it"
    )
    @app_commands.describe(
        user="Whom you were in touch with: by DM, in a call, at a meeting",
        when="The day, as 2026-03-02, or with a time as 2026-03-02 14:30; now without it",
    )
    async def log(self, interaction: discord.Interaction, user: discord.User, when: str | None = None) -> None:
        """Put a contact on record: its person and its time, nothing else."""
        await self._log(interaction, user, when)

    async def log_at_once(self, interaction: discord.Interaction, user: discord.User) -> None:
        """Put a contact on record as of now, from a person's context menu."""
        await self._log(interaction, user, None)

    async def _log(self, interaction: discord.Interaction, user: Person, when: str | None) -> None:
        if user.bot:
            await respond(interaction, words.bots_are_no_members())
            return
        if user.id == interaction.user.id:
            await respond(interaction, words.cannot_log_yourself())
            return
        logged = await self._relationships.log(
            guild_id_of(interaction),
            interaction.user.id,
            user.id,
            interaction_id=interaction.id,
            when=when,
        )
        names = await self._relationships.names(guild_id_of(interaction), user.id)
        if isinstance(logged, Standing):
            await respond(interaction, words.no_member(logged, name_of(user.id, names)))
        elif isinstance(logged, WhenProblem):
            await respond(interaction, words.when_problem(logged, when or ""))
        else:
            await respond(interaction, words.logged_letter(logged, names))

    async def mark_answered(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Set a message aside, so that it waits no longer."""
        was_open = await self._waiting.set_aside(guild_id_of(interaction), message.id)
        await respond(interaction, words.set_aside(was_open=was_open))

    @control(BUTTON_PATTERN, Audience.MANAGERS, Deferral.UPDATE, cost=Cost.PRESS)
    async def turn_page(self, interaction: discord.Interaction, pressed: re.Match[str]) -> None:
        """Replace the page of the unmet with another one, or the same, as the list is now."""
        page = await self._unmet.page(guild_id_of(interaction), int(pressed["page"]), PAGE_SIZE)
        await update(interaction, refusals.not_set_up() if page is None else unmet_letter(page))

    @control(words.TAKE_BACK_PATTERN, Audience.MANAGERS, Deferral.RESPONSE, cost=Cost.PRESS)
    async def take_back(self, interaction: discord.Interaction, pressed: re.Match[str]) -> None:
        """Delete a contact that the manager logged."""
        changed = await self._relationships.take_back(
            guild_id_of(interaction), interaction.user.id, int(pressed["member_id"]), int(pressed["message_id"])
        )
        await respond(interaction, words.taken_back(changed=changed))
