"""Who is who to the team: one relationship, the unmet, coverage, and the contact Discord cannot show."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.responses import MANAGERS_SEE, answer, pressed, refused_to_manage, update
from bot.domain.coverage import PeriodChoice
from bot.domain.logged import WhenProblem
from bot.domain.relationship import Standing
from bot.services.digest.coverage import CoverageService
from bot.services.guild.access import Access
from bot.services.members.relationship import Relationships
from bot.services.members.unmet import UnmetList
from bot.services.members.waiting import WaitingService
from bot.views.digest.coverage import PERIODS, coverage_parcel
from bot.views.members import relationship as words
from bot.views.members.unmet import BUTTON_PATTERN, PAGE_SIZE, unmet_letter
from bot.views.words import refusals
from bot.views.words.names import name_of

Person = discord.User | discord.Member


class Members(commands.Cog):
    """For managers only, whatever Discord shows to whom; every answer is for the one who asks."""

    def __init__(
        self,
        relationships: Relationships,
        unmet: UnmetList,
        coverage: CoverageService,
        waiting: WaitingService,
        access: Access,
    ) -> None:
        self._relationships = relationships
        self._unmet = unmet
        self._coverage = coverage
        self._waiting = waiting
        self._access = access
        self.context_menus = [
            app_commands.ContextMenu(name="Relationship", callback=self.show_relationship),
            app_commands.ContextMenu(name="Log 1:1", callback=self.log_at_once),
            app_commands.ContextMenu(name="Mark answered", callback=self.mark_answered),
        ]
        for menu in self.context_menus:
            menu.guild_only = True
            menu.default_permissions = MANAGERS_SEE

    @app_commands.command(name="member", description="What the team and one person have had with each other")
    @app_commands.describe(user="Whom you want to know about")
    @app_commands.default_permissions(MANAGERS_SEE)
    @app_commands.guild_only()
    async def member(self, interaction: discord.Interaction, user: discord.User) -> None:
        """Show one relationship."""
        await self._show(interaction, user)

    async def show_relationship(self, interaction: discord.Interaction, user: discord.User) -> None:
        """The same, from a person's menu."""
        await self._show(interaction, user)

    async def _show(self, interaction: discord.Interaction, user: Person) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        if await refused_to_manage(interaction, self._access):
            return
        if user.bot:
            await answer(interaction, words.bots_are_no_members())
            return
        assert interaction.guild_id is not None
        facts = await self._relationships.of(interaction.guild_id, user.id)
        await answer(interaction, words.relationship_letter(facts))

    @app_commands.command(name="unmet", description="Active members whom nobody on the team has talked to yet")
    @app_commands.default_permissions(MANAGERS_SEE)
    @app_commands.guild_only()
    async def unmet(self, interaction: discord.Interaction) -> None:
        """Show the first page."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        if await refused_to_manage(interaction, self._access):
            return
        assert interaction.guild_id is not None
        page = await self._unmet.page(interaction.guild_id, 1, PAGE_SIZE)
        await answer(interaction, refusals.not_set_up() if page is None else unmet_letter(page))

    @app_commands.command(name="coverage", description="How far the team's attention reached in a stretch of time")
    @app_commands.describe(period="The last whole week without it")
    @app_commands.choices(period=[app_commands.Choice(name=name, value=one.value) for one, name in PERIODS.items()])
    @app_commands.default_permissions(MANAGERS_SEE)
    @app_commands.guild_only()
    async def coverage(self, interaction: discord.Interaction, period: str = PeriodChoice.LAST_WEEK.value) -> None:
        """Show the figures of a period, with a picture."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        if await refused_to_manage(interaction, self._access):
            return
        assert interaction.guild_id is not None
        facts = await self._coverage.of(interaction.guild_id, interaction.user.id, PeriodChoice(period))
        await answer(interaction, refusals.not_set_up() if facts is None else coverage_parcel(facts))

    @app_commands.command(
        name="log", description="Note that you were in touch with somebody where Discord cannot see it"
    )
    @app_commands.describe(
        user="Whom you were in touch with: by DM, in a call, at a meeting",
        when="The day, as 2026-03-02, or with a time as 2026-03-02 14:30; now without it",
    )
    @app_commands.default_permissions(MANAGERS_SEE)
    @app_commands.guild_only()
    async def log(self, interaction: discord.Interaction, user: discord.User, when: str | None = None) -> None:
        """Put a contact on record: the fact and the time, nothing else."""
        await self._log(interaction, user, when)

    async def log_at_once(self, interaction: discord.Interaction, user: discord.User) -> None:
        """The same for this moment, from a person's menu."""
        await self._log(interaction, user, None)

    async def _log(self, interaction: discord.Interaction, user: Person, when: str | None) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        if await refused_to_manage(interaction, self._access):
            return
        if user.bot:
            await answer(interaction, words.bots_are_no_members())
            return
        if user.id == interaction.user.id:
            await answer(interaction, words.cannot_log_yourself())
            return
        assert interaction.guild_id is not None
        logged = await self._relationships.log(
            interaction.guild_id,
            interaction.user.id,
            user.id,
            interaction_id=interaction.id,
            when=when,
        )
        names = await self._relationships.names(interaction.guild_id, user.id)
        if isinstance(logged, Standing):
            await answer(interaction, words.no_member(logged, name_of(user.id, names)))
        elif isinstance(logged, WhenProblem):
            await answer(interaction, words.when_problem(logged, when or ""))
        else:
            await answer(interaction, words.logged_letter(logged, names))

    async def mark_answered(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Set a message aside: it waits no longer."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        if await refused_to_manage(interaction, self._access):
            return
        assert interaction.guild_id is not None
        was_open = await self._waiting.set_aside(interaction.guild_id, message.id)
        await answer(interaction, words.set_aside(was_open=was_open))

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """A press on a list's page buttons, or on "Take it back"."""
        if found := pressed(interaction, BUTTON_PATTERN):
            await interaction.response.defer()
            if await refused_to_manage(interaction, self._access):
                return
            assert interaction.guild_id is not None
            page = await self._unmet.page(interaction.guild_id, int(found["page"]), PAGE_SIZE)
            await update(interaction, refusals.not_set_up() if page is None else unmet_letter(page))
        elif found := pressed(interaction, words.TAKE_BACK_PATTERN):
            await interaction.response.defer(ephemeral=True, thinking=True)
            if await refused_to_manage(interaction, self._access):
                return
            assert interaction.guild_id is not None
            changed = await self._relationships.take_back(
                interaction.guild_id, interaction.user.id, int(found["member_id"]), int(found["message_id"])
            )
            await answer(interaction, words.taken_back(changed=changed))
