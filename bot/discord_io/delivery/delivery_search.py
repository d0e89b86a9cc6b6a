"""Looking for a delivery among the messages of a channel."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import discord

from bot.discord_io.payload.controls import custom_ids
from bot.discord_io.payload.fields import MalformedError, child, identity, list_of, object_of, readable_identity
from bot.domain.snowflake import first_id_at, moment_of

_PAGE = 100


class DeliverySearch:
    """Searches a channel for a message of Spade's whose controls name a delivery."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def find(self, channel_id: int, delivery_id: str, from_at: datetime, until_at: datetime) -> int | None:
        """The id of the message, if it is among those that were written between two moments; None if it is not there.

        Raises MalformedError if it is not found and a message cannot be read that may be it.
        """
        position, unreadable = first_id_at(from_at) - 1, ""
        while True:
            answer: Any = await self._client.http.logs_from(channel_id, _PAGE, after=position)
            page = [object_of(raw, "message") for raw in list_of(answer, "page")]
            for raw in page:
                try:
                    message_id = self._carrying(raw, delivery_id)
                except MalformedError as error:
                    unreadable = str(error)
                else:
                    if message_id is not None and moment_of(message_id) <= until_at:
                        return message_id
            ids = [one for raw in page if (one := readable_identity(raw)) is not None]
            newest_id = max(ids, default=position)
            if len(page) < _PAGE or newest_id <= position or moment_of(newest_id) > until_at:
                break
            position = newest_id
        if unreadable:
            raise MalformedError(unreadable)
        return None

    def _carrying(self, raw: Mapping[str, Any], delivery_id: str) -> int | None:
        """The id of a message of Spade's that carries a delivery; None for others. Raises MalformedError."""
        author_id = readable_identity(raw.get("author"))
        user = self._client.user
        if user is None or author_id not in {user.id, None}:
            return None
        found = list(custom_ids(raw))
        if any(one is not None and f":{delivery_id}:" in one for one in found):
            identity(child(raw, "author"))
            return identity(raw)
        if None in found:
            raise MalformedError("components")
        return None
