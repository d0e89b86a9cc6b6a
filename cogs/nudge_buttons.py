"""The buttons in the DMs. Their custom ids hold all the state that a press needs, so they work after a restart."""

import re

import discord

from bot.discord_io.interactions.answering import defer, defer_update
from bot.discord_io.interactions.authorisation import Audience
from bot.discord_io.interactions.cooldowns import Cost
from bot.discord_io.interactions.guild_cog import GuildCog
from bot.discord_io.interactions.handlers import control
from bot.discord_io.interactions.responses import chosen, edit, respond
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


class NudgeButtons(GuildCog, audience=Audience.RECIPIENT, cost=Cost.PRESS):
    """The buttons of nudges and welcomes. A press counts once."""

    def __init__(self, presses: NudgePresses[Parcel], enrolments: Enrolments[Parcel], writer: NudgeWriter) -> None:
        self._presses = presses
        self._enrolments = enrolments
        self._writer = writer

    @control(BUTTON_PATTERN, Audience.RECIPIENT, cost=Cost.PRESS, not_yours=not_your_nudge)
    async def press(self, interaction: discord.Interaction, pressed: re.Match[str]) -> None:
        """Carry out an action on one member; *Hand over* asks for the colleague first."""
        press = _press_of(interaction, pressed, interaction.message)
        action = Action(pressed["action"])
        if action is Action.HAND_OVER:
            await self._ask_for_colleague(interaction, press)
            return
        await defer_update(interaction)
        result = await self._presses.press(press, action)
        if result.result is not PressResult.CARRIED_OUT:
            await respond(interaction, _REFUSALS[result.result]())

    async def _ask_for_colleague(self, interaction: discord.Interaction, press: ButtonPress) -> None:
        await defer(interaction)
        asked = await self._presses.colleagues(press)
        if asked.result is not PressResult.CARRIED_OUT:
            await respond(interaction, _REFUSALS[asked.result]())
            return
        await respond(
            interaction,
            hand_over_letter(
                asked.colleagues or {},
                delivery_id=press.delivery_id,
                position=press.position,
                member_name=asked.member_name,
            ),
        )

    @control(COLLEAGUE_PATTERN, Audience.RECIPIENT, cost=Cost.PRESS, not_yours=not_your_nudge)
    async def hand_over(self, interaction: discord.Interaction, pressed: re.Match[str]) -> None:
        """Hand the member over to the colleague who was chosen; what became of it replaces the list of colleagues."""
        colleague = next(iter(chosen(interaction)), "")
        if not re.fullmatch(ID_PATTERN, colleague):
            return  # no list of Spade's sends that
        await defer_update(interaction)
        press = _press_of(interaction, pressed, None)
        result = await self._presses.press(press, Action.HAND_OVER, int(colleague))
        if result.result is PressResult.CARRIED_OUT and result.draft is not None:
            text = self._writer.handed_over(result.draft, press.position)
        else:
            text = _REFUSALS.get(result.result, already_settled)()
        await edit(interaction, content=text, view=None)

    @control(STOP_PATTERN, Audience.RECIPIENT, cost=Cost.PRESS, not_yours=not_your_nudge)
    async def stop(self, interaction: discord.Interaction, pressed: re.Match[str]) -> None:
        """End the enrolment of the manager who was welcomed."""
        stopped = await self._enrolments.stop_pressed(pressed["delivery_id"], interaction.user.id)
        await respond(interaction, nudge_answers.nudges_stopped() if stopped else not_your_nudge())


def _press_of(interaction: discord.Interaction, pressed: re.Match[str], message: discord.Message | None) -> ButtonPress:
    """The press as the service takes it; `message` is where the button was, if that has to be the nudge itself."""
    return ButtonPress(
        delivery_id=pressed["delivery_id"],
        position=int(pressed["position"]),
        presser_id=interaction.user.id,
        message=None if message is None else SentMessage(message.channel.id, message.id),
        in_server=interaction.guild_id is not None,
    )
