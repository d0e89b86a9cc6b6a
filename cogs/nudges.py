"""Nudges: due ones at every tick, `/nudges`, and the buttons in the DMs."""

import re
from datetime import date

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_io.answers import answer
from bot.domain.delivery import DeliveryKind, DeliveryState
from bot.domain.nudge import Action
from bot.schedule import Schedule
from bot.services.nudges import NudgeService
from bot.services.settlement import Settlement
from bot.views import answers
from bot.views.drafts import Writer
from bot.views.nudge import BUTTON_PATTERN, COLLEAGUE_PATTERN, already_settled, hand_over_letter, not_your_nudge

_WEEKDAYS = {
    "workdays": frozenset(range(5)),
    "every day": frozenset(range(7)),
    "Monday, Wednesday, Friday": frozenset({0, 2, 4}),
    "Monday": frozenset({0}),
}


@app_commands.guild_only()
class Nudges(commands.GroupCog, group_name="nudges", group_description="Your own short messages about who waits"):
    """Everybody steers their own nudges, and only managers get any."""

    def __init__(self, service: NudgeService, settlement: Settlement, schedule: Schedule, writer: Writer) -> None:
        super().__init__()
        self._service = service
        self._settlement = settlement
        self._schedule = schedule
        self._writer = writer

    async def cog_load(self) -> None:
        """Put the due work on the schedule."""
        self._settlement.add(DeliveryKind.NUDGE, self._service.resume)
        self._schedule.add("nudges", self._service.send_due)

    async def cog_unload(self) -> None:
        """Take it off."""
        self._schedule.remove("nudges")
        self._settlement.remove(DeliveryKind.NUDGE)

    @app_commands.command(name="on", description="Get a short DM about people who wait or were never met")
    async def turn_on(self, interaction: discord.Interaction) -> None:
        """Enrol the person who asks, and say hello by DM at once."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        assert interaction.guild_id is not None
        enrolled = await self._service.enrol(interaction.guild_id, interaction.user.id)
        if enrolled is None:
            await answer(interaction, answers.not_a_manager())
        elif enrolled.state is DeliveryState.REFUSED:
            await answer(interaction, answers.nudges_closed(enrolled.guild_name))
        elif enrolled.state is DeliveryState.UNKNOWN:
            await answer(interaction, answers.nudges_unsettled())
        else:
            await answer(interaction, self._writer.nudges_on(enrolled.manager, enrolled.guild, enrolled.guild_name))

    @app_commands.command(name="off", description="Get no more nudges")
    async def turn_off(self, interaction: discord.Interaction) -> None:
        """Take the person who asks off."""
        assert interaction.guild_id is not None
        were_on = await self._service.turn_off(interaction.guild_id, interaction.user.id)
        await answer(interaction, answers.not_a_manager() if were_on is None else answers.nudges_off(were_on=were_on))

    @app_commands.command(name="hour", description="The hour of the day at which your nudges come")
    @app_commands.describe(hour="0 to 23, in your time zone")
    async def set_hour(self, interaction: discord.Interaction, hour: app_commands.Range[int, 0, 23]) -> None:
        """Change the hour."""
        await self._change(interaction, nudge_hour=hour)

    @app_commands.command(name="days", description="The days of the week on which your nudges come")
    @app_commands.choices(days=[app_commands.Choice(name=name, value=name) for name in _WEEKDAYS])
    async def set_days(self, interaction: discord.Interaction, days: app_commands.Choice[str]) -> None:
        """Change the weekdays."""
        await self._change(interaction, nudge_weekdays=_WEEKDAYS[days.value])

    @app_commands.command(name="pause", description="No nudges until a day, for a holiday")
    @app_commands.describe(until="The first day on which they come again: 2026-08-31")
    async def pause(self, interaction: discord.Interaction, until: str) -> None:
        """Pause until a date."""
        try:
            day = date.fromisoformat(until.strip())
        except ValueError:
            await answer(interaction, answers.not_a_date(until))
            return
        await self._change(interaction, paused_until_on=day)

    async def _change(self, interaction: discord.Interaction, **changes: object) -> None:
        assert interaction.guild_id is not None
        changed = await self._service.change(interaction.guild_id, interaction.user.id, **changes)
        await answer(interaction, answers.not_a_manager() if changed is None else self._writer.schedule(*changed))

    @app_commands.command(name="now", description="Get today's nudge at once")
    async def send_now(self, interaction: discord.Interaction) -> None:
        """Send today's nudge now, if there is one."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        assert interaction.guild_id is not None
        state = await self._service.send_now(interaction.guild_id, interaction.user.id)
        await answer(interaction, answers.nudge_sent(state))

    @app_commands.command(name="preview", description="See what a nudge would say now; nothing is sent")
    async def preview(self, interaction: discord.Interaction) -> None:
        """Show the person who asks their nudge, without buttons."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        assert interaction.guild_id is not None
        draft = await self._service.preview_draft(interaction.guild_id, interaction.user.id)
        await answer(interaction, answers.not_a_manager() if draft is None else self._writer.preview(draft))

    # The buttons. They work after a restart, because their ids say all that is needed.

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """A press on a nudge: for its manager only, and once."""
        if interaction.type is not discord.InteractionType.component:
            return
        data: dict[str, object] = dict(interaction.data or {})
        custom_id = str(data.get("custom_id", ""))
        if found := re.fullmatch(BUTTON_PATTERN, custom_id):
            await self._pressed(interaction, found["delivery_id"], int(found["position"]), Action(found["action"]))
        elif found := re.fullmatch(COLLEAGUE_PATTERN, custom_id):
            values = data.get("values")
            chosen = values[0] if isinstance(values, list) and values else ""
            if str(chosen).isdecimal():
                await self._handed_over(interaction, found["delivery_id"], int(found["position"]), int(chosen))

    async def _pressed(self, interaction: discord.Interaction, delivery_id: str, position: int, action: Action) -> None:
        if action is Action.HAND_OVER:
            await interaction.response.defer(ephemeral=True, thinking=True)
            asked = await self._service.colleagues(delivery_id, position, interaction.user.id)
            if asked is None:
                await answer(interaction, not_your_nudge())
            else:
                await answer(
                    interaction,
                    hand_over_letter(
                        asked.colleagues,
                        delivery_id=delivery_id,
                        position=position,
                        member_name=asked.member_name,
                    ),
                )
            return
        await interaction.response.defer()
        pressed = await self._service.press(delivery_id, position, interaction.user.id, action)
        if pressed is None:
            await answer(interaction, not_your_nudge())
        elif not pressed.fresh:
            await answer(interaction, already_settled())

    async def _handed_over(
        self, interaction: discord.Interaction, delivery_id: str, position: int, colleague_id: int
    ) -> None:
        await interaction.response.defer()
        pressed = await self._service.press(delivery_id, position, interaction.user.id, Action.HAND_OVER, colleague_id)
        if pressed is None:
            text = not_your_nudge()
        elif not pressed.fresh:
            text = already_settled()
        else:
            text = self._writer.handed_over(pressed.draft, position)
        await interaction.edit_original_response(content=text, view=None)
