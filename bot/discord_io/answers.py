"""Answering interactions: privately, without pinging, and after checking who asks."""

from typing import Any

import discord

from bot.discord_io.messenger import sendable
from bot.views.drafts import Parcel
from bot.views.letter import Letter


def _arguments(answer: str | Letter | Parcel) -> dict[str, Any]:
    if isinstance(answer, str):
        return {"content": answer, "allowed_mentions": discord.AllowedMentions.none()}
    return sendable(answer if isinstance(answer, Parcel) else Parcel(answer))


async def answer(interaction: discord.Interaction, body: str | Letter | Parcel) -> None:
    """Answer so that only the person who asked sees it, whether or not the answer was deferred."""
    if interaction.response.is_done():
        await interaction.followup.send(**_arguments(body), ephemeral=True)
    else:
        await interaction.response.send_message(**_arguments(body), ephemeral=True)


def may_set_up(interaction: discord.Interaction) -> bool:
    """Whether Discord says that this person has Manage Server in this guild."""
    return interaction.guild_id is not None and interaction.permissions.manage_guild
