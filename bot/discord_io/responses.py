"""Answering interactions: privately, without pinging, and after checking who asks."""

import re
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import discord

from bot.discord_io.messenger import sendable
from bot.services.guild.access import Access
from bot.views.kit.letter import Letter
from bot.views.kit.parcel import Parcel
from bot.views.words.refusals import not_a_manager, not_a_manager_yet, not_allowed, only_in_server

Answer = str | Letter | Parcel

MANAGERS_SEE = discord.Permissions(manage_messages=True)
"""Whom Discord shows the managers' commands by default. Whoever uses one is asked about on the server side."""


def _arguments(body: Answer) -> dict[str, Any]:
    if isinstance(body, str):
        return {"content": body, "allowed_mentions": discord.AllowedMentions.none()}
    parcel = body if isinstance(body, Parcel) else Parcel(body)
    arguments = sendable(parcel)
    if parcel.documents:
        arguments["files"] = [
            discord.File(BytesIO(document.content), filename=document.filename) for document in parcel.documents
        ]
    return arguments


async def answer(interaction: discord.Interaction, body: Answer) -> None:
    """Answer so that only the person who asked sees it, whether or not the answer was deferred."""
    if interaction.response.is_done():
        await interaction.followup.send(**_arguments(body), ephemeral=True)
    else:
        await interaction.response.send_message(**_arguments(body), ephemeral=True)


def may_set_up(interaction: discord.Interaction) -> bool:
    """Whether Discord says that this person has Manage Server in this guild."""
    return interaction.guild_id is not None and interaction.permissions.manage_guild


async def update(interaction: discord.Interaction, body: Answer) -> None:
    """Put something else in the place of the message whose button was pressed; the press was deferred before."""
    arguments = {"embeds": [], "view": None, "attachments": []} | _arguments(body)
    files = [file for file in (arguments.pop("file", None), *arguments.pop("files", ())) if file is not None]
    await interaction.edit_original_response(**arguments | {"attachments": files})


def role_ids(interaction: discord.Interaction) -> list[int]:
    """The roles of whoever pressed or ran something in a guild."""
    return [role.id for role in interaction.user.roles] if isinstance(interaction.user, discord.Member) else []


async def refused_to_manage(interaction: discord.Interaction, access: Access) -> bool:
    """Whether this is no manager in this guild; then they have been told so."""
    if interaction.guild_id is None:
        await answer(interaction, only_in_server())
        return True
    if await access.is_manager(interaction.guild_id, interaction.user.id, role_ids(interaction)):
        return False
    await answer(interaction, not_a_manager_yet() if may_set_up(interaction) else not_a_manager())
    return True


async def refused_to_set_up(interaction: discord.Interaction) -> bool:
    """Whether this person has no Manage Server in this guild; then they have been told so."""
    if may_set_up(interaction):
        return False
    await answer(interaction, not_allowed() if interaction.guild_id is not None else only_in_server())
    return True


def pressed(
    interaction: discord.Interaction,
    pattern: re.Pattern[str],
    kind: discord.InteractionType = discord.InteractionType.component,
) -> re.Match[str] | None:
    """What a press (or a form that was sent) says, if its custom id is of this pattern."""
    if interaction.type is not kind:
        return None
    return pattern.fullmatch(str(dict(interaction.data or {}).get("custom_id", "")))


def chosen(interaction: discord.Interaction) -> list[str]:
    """The values that were chosen in a list."""
    values = dict(interaction.data or {}).get("values")
    return [str(value) for value in values] if isinstance(values, list) else []


def resolved(interaction: discord.Interaction, kind: str) -> dict[int, dict[str, Any]]:
    """The people (`users`, as `members` of the guild) or `roles` that were named, by id, as Discord describes them."""
    data: dict[str, Any] = dict(interaction.data or {})
    found = (data.get("resolved") or {}).get(kind) or {}
    return {int(key): value for key, value in found.items()}


def all_shown_commands(interaction: discord.Interaction, people: Iterable[int], roles: Iterable[int]) -> bool:
    """Whether Discord, left to itself, shows the managers' commands to all of these people and roles just named.

    Of people outside the guild Discord says nothing; they pass.
    """
    members, known = resolved(interaction, "members"), resolved(interaction, "roles")
    everybody = interaction.guild.default_role.permissions if interaction.guild is not None else MANAGERS_SEE
    bits = [
        *(int(members[one]["permissions"]) for one in people if "permissions" in members.get(one, ())),
        *(int(known[one]["permissions"]) | everybody.value for one in roles if one in known),
    ]
    found = map(discord.Permissions, bits)
    return all(one.administrator or one >= MANAGERS_SEE for one in found)


def filled(interaction: discord.Interaction) -> dict[str, str]:
    """What was written into a form, by the lines' custom ids."""
    data: dict[str, Any] = dict(interaction.data or {})
    texts: dict[str, str] = {}
    for item in data.get("components") or ():
        for entry in (*(item.get("components") or ()), *([item["component"]] if "component" in item else ())):
            texts[str(entry.get("custom_id"))] = str(entry.get("value") or "")
    return texts
