"""Responds to interactions, privately and without pinging, and reads what they carry."""

import logging
from collections.abc import Iterable
from http import HTTPStatus
from io import BytesIO
from typing import Any

import aiohttp
import discord

from bot.discord_io.delivery.messenger import sendable
from bot.discord_io.interactions.answering import answering
from bot.discord_io.interactions.authorisation import MANAGERS_SEE
from bot.services.guild_reader import unwritten_for_answer
from bot.views.kit.letter import Letter
from bot.views.kit.parcel import Parcel
from bot.views.kit.unwritten import not_on_record_yet

log = logging.getLogger(__name__)

ResponseBody = str | Letter | Parcel
"""What a person is shown in response to a command, a press or a form."""


def _arguments(body: ResponseBody) -> dict[str, Any]:
    if isinstance(body, str):
        return {"content": body, "allowed_mentions": discord.AllowedMentions.none()}
    parcel = body if isinstance(body, Parcel) else Parcel(body)
    arguments = sendable(parcel)
    if parcel.documents:
        arguments["files"] = [
            discord.File(BytesIO(document.content), filename=document.filename) for document in parcel.documents
        ]
    return arguments


async def respond(interaction: discord.Interaction, body: ResponseBody) -> None:
    """Respond so that only the person who asked sees it, whether or not the interaction was deferred.

    A note follows if the record was read for it and lacks messages that could not be written.
    """
    arguments = _arguments(body)
    async with answering(interaction):
        if interaction.response.is_done():
            await interaction.followup.send(**arguments, ephemeral=True)
        else:
            await interaction.response.send_message(**arguments, ephemeral=True)
    if unwritten := unwritten_for_answer():
        async with answering(interaction):
            await interaction.followup.send(not_on_record_yet(unwritten), ephemeral=True)


async def edit(interaction: discord.Interaction, **arguments: Any) -> bool:
    """Edit a response, so that it shows how things are now; False if that is not possible any more.

    The message may have been deleted, its fifteen minutes be over, or Discord be out of order. What was done stays
    done, so that ends with a line at debug level. Raises HTTPException if Discord finds fault with the message itself.
    """
    try:
        async with answering(interaction):
            await interaction.edit_original_response(**arguments)
    except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
        if isinstance(error, discord.HTTPException) and error.status == HTTPStatus.BAD_REQUEST:
            raise
        log.debug("A response could not be brought up to date: %s", type(error).__name__)
        return False
    return True


async def update(interaction: discord.Interaction, body: ResponseBody) -> None:
    """Replace the message whose control was pressed, see `edit`. The press must have been deferred as an update."""
    arguments = {"embeds": [], "view": None, "attachments": []} | _arguments(body)
    files = [file for file in (arguments.pop("file", None), *arguments.pop("files", ())) if file is not None]
    await edit(interaction, **arguments | {"attachments": files})


def custom_id_of(interaction: discord.Interaction) -> str:
    """The custom id of the control that was pressed or of the form that was sent; empty if there is none."""
    return str(dict(interaction.data or {}).get("custom_id", ""))


def chosen(interaction: discord.Interaction) -> list[str]:
    """The values that were chosen in a list; empty for anything else."""
    values = dict(interaction.data or {}).get("values")
    return [str(value) for value in values] if isinstance(values, list) else []


def resolved(interaction: discord.Interaction, kind: str) -> dict[int, dict[str, Any]]:
    """The `users`, `members` or `roles` that were named, by id: Discord's objects as they arrived."""
    data: dict[str, Any] = dict(interaction.data or {})
    found = (data.get("resolved") or {}).get(kind) or {}
    return {int(key): value for key, value in found.items()}


def all_shown_commands(interaction: discord.Interaction, people: Iterable[int], roles: Iterable[int]) -> bool:
    """Whether Discord by default shows the managers' commands to all of these people and roles just named.

    People outside the guild pass, since Discord sends no permissions for them.
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
    """The texts of a form that was sent, by the custom ids of its lines."""
    data: dict[str, Any] = dict(interaction.data or {})
    texts: dict[str, str] = {}
    for item in data.get("components") or ():
        for entry in (*(item.get("components") or ()), *([item["component"]] if "component" in item else ())):
            texts[str(entry.get("custom_id"))] = str(entry.get("value") or "")
    return texts
