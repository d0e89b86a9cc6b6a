"""Discord's messages as domain messages, with what has to be asked for besides."""

import logging
from collections.abc import Iterator, Sequence

import discord

from bot.discord_io.connection.timeout import MalformedAnswerError
from bot.discord_io.payload.fields import MalformedError, object_of, readable_identity
from bot.discord_io.payload.message import RawMessage, Target, read, read_target
from bot.discord_io.record.history_request import history_request
from bot.domain.message import Message, MessageKind

log = logging.getLogger(__name__)


class TooManyRequestsError(Exception):
    """What a message replies to would have to be asked for, and that is not possible now."""


class MessageReader:
    """Reads messages, and asks for the author of a message replied to where Discord does not tell it at once."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def completed(self, channel_id: int, raw: RawMessage, *, may_ask: bool = True) -> Message:
        """A message that was read, with the author of the one that it replies to.

        That one is fetched once if need be; its author is None if it is deleted or a notice. Raises
        UnreadableHistoryError if it may not be read, TimeoutError, MalformedError, and other errors of discord.py and
        aiohttp; TooManyRequestsError instead of fetching if it may not ask.
        """
        message = raw.message
        if not raw.asks_for_target or message.reply_to_id is None:
            return message
        if not may_ask:
            raise TooManyRequestsError("too many replies wait for the message they reply to")
        return (await self._target(channel_id, message.reply_to_id)).answered_by(message)

    async def page(
        self, channel_id: int, found: Sequence[object], after_id: int | None, before_id: int | None
    ) -> tuple[Message, ...]:
        """The messages of a page of history, oldest first; `found` is newest first, as Discord sends it.

        One that cannot be read is logged, and is of kind UNREADABLE; see `History`. Raises as `completed` does, but not
        MalformedError; MalformedAnswerError if the newest message of a page that follows `after_id` has no readable id:
        then it is not known how far the page reaches.
        """
        ids = [_id_within(raw, after_id, before_id) for raw in found]
        if ids and ids[0] is None and before_id is None:
            raise MalformedAnswerError("the newest message of a page has no readable id")
        messages: dict[int, Message] = {}
        for message_id, raw in zip(ids, found, strict=True):
            if message_id is not None:
                messages[message_id] = await self._read(channel_id, message_id, raw)
        for older_id, newer_id, count in _between(ids, after_id, before_id):
            log.warning("Messages of channel %s cannot be read (id); number: %s", channel_id, count)
            # As many as there are, so that a full page stays one, and one at either end of where they may be.
            latest = range(newer_id - 1, max(older_id, newer_id - 1 - count), -1)
            for position in latest and {older_id + 1, *latest}:
                messages[position] = Message(position, None, MessageKind.UNREADABLE)
        return tuple(messages[message_id] for message_id in sorted(messages))

    async def _read(self, channel_id: int, message_id: int, raw: object) -> Message:
        try:
            return await self.completed(channel_id, read(object_of(raw, "message")))
        except (MalformedError, MalformedAnswerError) as error:  # of the message replied to, too
            log.warning("Message %s of channel %s cannot be read (%s)", message_id, channel_id, error)
            return Message(message_id, None, MessageKind.UNREADABLE)

    async def _target(self, channel_id: int, message_id: int) -> Target:
        try:
            async with history_request():
                answer = object_of(await self._client.http.get_message(channel_id, message_id), "message")
        except discord.NotFound:
            return Target()
        return read_target(answer)


def _id_within(raw: object, after_id: int | None, before_id: int | None) -> int | None:
    """A message's id, if it can be read and lies where the page does."""
    found = readable_identity(raw)
    if found is None or found <= (after_id or 0) or (before_id is not None and found >= before_id):
        return None
    return found


def _between(ids: Sequence[int | None], after_id: int | None, before_id: int | None) -> Iterator[tuple[int, int, int]]:
    """Where messages without an id are, newest first: the ids around them, and how many they are.

    At the end of a page without an `after_id` they count as right before the others: further back is not in the page.
    """
    newer_id, count = before_id, 0
    for one in (*ids, after_id) if after_id is not None else ids:
        if one is None:
            count += 1
            continue
        if count and newer_id is not None:
            yield one, newer_id, count
        newer_id, count = one, 0
    if count and newer_id is not None:
        yield newer_id - 1 - count, newer_id, count
