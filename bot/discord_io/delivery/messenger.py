"""Sends and edits messages, finds sent ones again, and looks up who and what is on Discord now."""

import logging
from collections.abc import Awaitable, Collection, Mapping
from datetime import timedelta
from io import BytesIO
from typing import Any

import aiohttp
import discord

from bot.discord_io.connection.problem import described, passes
from bot.discord_io.connection.timeout import request_timeout
from bot.discord_io.connection.unsure_requests import unsure_requests
from bot.discord_io.delivery.delivery_search import DeliverySearch
from bot.discord_io.delivery.members import MemberDirectory
from bot.discord_io.record.permissions import may_read_history
from bot.discord_io.record.places import MessageChannel
from bot.domain.delivery import Delivery
from bot.services.delivery.messenger import (
    DiscordUnreachableError,
    Present,
    RefusedError,
    SentMessage,
    UnknownOutcomeError,
)
from bot.views.kit.parcel import Parcel

log = logging.getLogger(__name__)

CLOSED_DMS = 50007
NO_MUTUAL_GUILD = 50278
UNKNOWN_USER = 10013
OUT_OF_REACH = frozenset({CLOSED_DMS, NO_MUTUAL_GUILD, UNKNOWN_USER})
"""Discord's codes for a person who cannot be sent a DM until they change something themselves."""
GONE = frozenset({10003, 50008, 50024})
"""Discord's codes for a channel that is deleted, or of a kind that takes no messages."""
UNAUTHORIZED = 401
REQUEST_SECONDS = 60.0
"""The timeout after which a request's outcome counts as unknown. It includes discord.py's waits for rate limits."""
_MARGIN = timedelta(minutes=10)
"""How far a message's time may lie before its claim, as clocks differ, or after its request."""


def sendable(parcel: Parcel) -> dict[str, Any]:
    """A parcel as the keyword arguments of discord.py's sending methods. It pings nobody."""
    letter = parcel.letter
    arguments: dict[str, Any] = {
        "content": letter.content,
        "embeds": letter.embeds(),
        "allowed_mentions": discord.AllowedMentions.none(),
    }
    view = letter.view()
    if view is not None:
        arguments["view"] = view
    if letter.attachment is not None and parcel.picture is not None:
        arguments["file"] = discord.File(
            BytesIO(parcel.picture),
            filename=letter.attachment.filename,
            description=letter.attachment.alt_text,
        )
    return arguments


class DiscordMessenger:
    """Sends parcels through a connected client. Satisfies `Messenger[Parcel]`."""

    def __init__(self, client: discord.Client, members: MemberDirectory) -> None:
        self._client = client
        self._search = DeliverySearch(client)
        self._members = members

    async def send_to_person(self, person_id: int, body: Parcel, nonce: str) -> SentMessage:
        """Send a DM. Raises RefusedError, or UnknownOutcomeError if the message may have been sent."""
        return await self._send(self._direct_channel(person_id), body, nonce)

    async def send_to_channel(self, channel_id: int, body: Parcel, nonce: str) -> SentMessage:
        """Post to a channel of a guild. Raises as `send_to_person` does."""
        return await self._send(self._guild_channel(channel_id), body, nonce)

    async def _send(self, target: Awaitable[discord.abc.Messageable], body: Parcel, nonce: str) -> SentMessage:
        unsure: list[str] = []
        try:
            async with request_timeout(REQUEST_SECONDS):
                channel = await target
                with unsure_requests() as unsure:
                    message = await channel.send(**sendable(body), nonce=nonce)
        except discord.InvalidData as error:
            raise RefusedError("the channel is not one to write to", final=True) from error
        except discord.HTTPException as error:
            if passes(error) or error.status == UNAUTHORIZED or unsure:  # refused at last, after an error or several
                raise UnknownOutcomeError(described(error)) from error
            raise _refusal(error) from error
        except (discord.RateLimited, aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UnknownOutcomeError(described(error)) from error
        return SentMessage(message.channel.id, message.id)

    async def _direct_channel(self, person_id: int) -> discord.DMChannel:
        return await self._client.create_dm(discord.Object(person_id))

    async def _guild_channel(self, channel_id: int) -> discord.abc.Messageable:
        channel = self._client.get_channel(channel_id) or await self._client.fetch_channel(channel_id)
        if not isinstance(channel, discord.abc.Messageable):
            raise RefusedError("the channel is not one to write to", final=True)
        return channel

    async def edit(self, sent: SentMessage, body: Parcel) -> None:
        """Replace a message that was sent; a failure is logged and not raised."""
        arguments = sendable(body)
        arguments.pop("file", None)
        arguments.setdefault("view", None)
        message = self._client.get_partial_messageable(sent.channel_id).get_partial_message(sent.message_id)
        try:
            async with request_timeout(REQUEST_SECONDS):
                await message.edit(**arguments)
        except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("A message could not be brought up to date: %s", described(error))

    async def find(self, delivery: Delivery, channel_id: int | None) -> SentMessage | None:
        """Look for a delivery's buttons in its DM or channel, from when it was claimed on; None if they are not there.

        Raises RefusedError, or UnknownOutcomeError if the history could not be read.
        """
        try:
            async with request_timeout(REQUEST_SECONDS):
                if channel_id is not None:
                    _refuse_to_guess(await self._guild_channel(channel_id))
                else:
                    assert delivery.manager_id is not None
                    channel_id = (await self._direct_channel(delivery.manager_id)).id
                from_at, until_at = delivery.claimed_at - _MARGIN, (delivery.tried_at or delivery.claimed_at) + _MARGIN
                found = await self._search.find(channel_id, delivery.delivery_id, from_at, until_at)
        except (discord.Forbidden, discord.NotFound) as error:
            raise _refusal(error) from error
        except (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UnknownOutcomeError(f"the history could not be read: {described(error)}") from error
        return None if found is None else SentMessage(channel_id, found)

    async def present(self, guild_id: int, people: Collection[int]) -> Mapping[int, Present]:
        """Those of these people who are in the guild now. Raises DiscordUnreachableError if that cannot be told."""
        return await self._members.present(guild_id, people)

    async def names(self, guild_id: int, people: Collection[int]) -> Mapping[int, str]:
        """The display names of those who are in the guild now; empty names if Discord does not answer."""
        try:
            found = await self._members.present(guild_id, people, check_absent=False)
        except DiscordUnreachableError as error:
            log.warning("Names are missing: %s", error)
            return dict.fromkeys(people, "")
        return {person_id: person.name for person_id, person in found.items()}

    async def guild_name(self, guild_id: int) -> str:
        """The guild's name; its id while Discord does not show the guild."""
        guild = self._client.get_guild(guild_id)
        return guild.name if guild is not None else str(guild_id)

    async def message_exists(self, channel_id: int, message_id: int) -> bool:
        """Whether a message is still there; True if Discord does not answer."""
        try:
            async with request_timeout(REQUEST_SECONDS):
                await self._client.http.get_message(channel_id, message_id)
        except discord.NotFound:
            return False
        except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError):
            return True
        return True


def _refuse_to_guess(channel: discord.abc.Messageable) -> None:
    """Without Read Message History Discord answers with an empty page, which says nothing."""
    if isinstance(channel, MessageChannel) and not may_read_history(channel):
        raise UnknownOutcomeError("the history must not be read (Read Message History)")


def _refusal(error: discord.HTTPException) -> RefusedError:
    return RefusedError(described(error), closed=error.code in OUT_OF_REACH, final=error.code in GONE)
