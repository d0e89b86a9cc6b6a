"""The buttons in the DMs. They work after a restart, because their ids say all that is needed."""

import re

import discord
from discord.ext import commands

from bot.discord_io.responses import answer
from bot.domain.nudge import Action
from bot.services.delivery.messenger import SentMessage
from bot.services.nudge.enrolment import Enrolments
from bot.services.nudge.presses import ButtonPress, NudgePresses, PressResult
from bot.views.kit.letter import ID_PATTERN
from bot.views.kit.parcel import Parcel
from bot.views.nudge import answers as nudge_answers
from bot.views.nudge.direct_message import BUTTON_PATTERN
from bot.views.nudge.presses import (
    COLLEAGUE_PATTERN,
    already_settled,
    colleague_not_there,
    hand_over_letter,
    not_a_manager_any_more,
    not_your_nudge,
)
from bot.views.nudge.welcome import STOP_PATTERN
from bot.views.nudge.writer import NudgeWriter

_REFUSALS = {
    PressResult.AGAIN: already_settled,
    PressResult.NOT_YOURS: not_your_nudge,
    PressResult.NO_MANAGER: not_a_manager_any_more,
    PressResult.NO_COLLEAGUE: colleague_not_there,
}


class NudgeButtons(commands.Cog):
    """A press is for the DM's owner only, and counts once."""

    def __init__(self, presses: NudgePresses[Parcel], enrolments: Enrolments[Parcel], writer: NudgeWriter) -> None:
        self._presses = presses
        self._enrolments = enrolments
        self._writer = writer

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Find out which button it was."""
        if interaction.type is not discord.InteractionType.component:
            return
        data: dict[str, object] = dict(interaction.data or {})
        custom_id = str(data.get("custom_id", ""))
        if found := re.fullmatch(BUTTON_PATTERN, custom_id):
            await self._pressed(interaction, found["delivery_id"], int(found["position"]), Action(found["action"]))
        elif found := re.fullmatch(COLLEAGUE_PATTERN, custom_id):
            values = data.get("values")
            chosen = str(values[0]) if isinstance(values, list) and values else ""
            if re.fullmatch(ID_PATTERN, chosen):
                await self._handed_over(interaction, found["delivery_id"], int(found["position"]), int(chosen))
        elif found := re.fullmatch(STOP_PATTERN, custom_id):
            await self._stopped(interaction, found["delivery_id"])

    async def _pressed(self, interaction: discord.Interaction, delivery_id: str, position: int, action: Action) -> None:
        press = _press(interaction, delivery_id, position)
        if action is Action.HAND_OVER:
            await interaction.response.defer(ephemeral=True, thinking=True)
            asked = await self._presses.colleagues(press)
            if asked.result is not PressResult.CARRIED_OUT:
                await answer(interaction, _REFUSALS[asked.result]())
                return
            await answer(
                interaction,
                hand_over_letter(
                    asked.colleagues or {},
                    delivery_id=delivery_id,
                    position=position,
                    member_name=asked.member_name,
                ),
            )
            return
        await interaction.response.defer()
        pressed = await self._presses.press(press, action)
        if pressed.result is not PressResult.CARRIED_OUT:
            await answer(interaction, _REFUSALS[pressed.result]())

    async def _handed_over(
        self, interaction: discord.Interaction, delivery_id: str, position: int, colleague_id: int
    ) -> None:
        await interaction.response.defer()
        press = ButtonPress(delivery_id, position, interaction.user.id, in_server=interaction.guild_id is not None)
        pressed = await self._presses.press(press, Action.HAND_OVER, colleague_id)
        if pressed.result is PressResult.CARRIED_OUT and pressed.draft is not None:
            text = self._writer.handed_over(pressed.draft, position)
        else:
            text = _REFUSALS.get(pressed.result, already_settled)()
        await interaction.edit_original_response(content=text, view=None)

    async def _stopped(self, interaction: discord.Interaction, delivery_id: str) -> None:
        stopped = interaction.guild_id is None and await self._enrolments.stop_pressed(delivery_id, interaction.user.id)
        await answer(interaction, nudge_answers.nudges_stopped() if stopped else not_your_nudge())


def _press(interaction: discord.Interaction, delivery_id: str, position: int) -> ButtonPress:
    message = interaction.message
    return ButtonPress(
        delivery_id=delivery_id,
        position=position,
        presser_id=interaction.user.id,
        message=SentMessage(message.channel.id, message.id) if message is not None else None,
        in_server=interaction.guild_id is not None,
    )
