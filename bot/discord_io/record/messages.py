"""Discord's messages and events as domain messages: ids, kinds and addressees, no content."""

import discord

from bot.discord_io.record.history_request import history_request
from bot.domain.message import DELETED_USER_ID, Message, MessageKind

_KINDS = {discord.MessageType.default: MessageKind.DEFAULT, discord.MessageType.reply: MessageKind.REPLY}


def person_id(user: discord.abc.User | None, *, webhook: bool = False) -> int | None:
    """A user's id; None if the user is no person: a bot, a webhook, a system account or the Deleted User."""
    if user is None or user.bot or webhook or user.id == DELETED_USER_ID:
        return None
    return None if getattr(user, "system", False) else user.id


def author_id(message: discord.Message) -> int | None:
    """The id of a message's author; None if the author is no person."""
    return person_id(message.author, webhook=message.webhook_id is not None)


def kind_of(message: discord.Message) -> MessageKind:
    """The kind of a message, as far as the rules distinguish it."""
    if message.reference is not None and message.reference.type is discord.MessageReferenceType.forward:
        return MessageKind.FORWARD
    return _KINDS.get(message.type, MessageKind.OTHER)


async def read_message(message: discord.Message) -> Message:
    """A Discord message as the domain sees it.

    The event usually contains the message replied to, which tells its author. If it does not, that message is fetched
    once; its author is None if it is deleted. Raises UnreadableHistoryError if it may not be read, TimeoutError, and
    other errors of discord.py.
    """
    kind = kind_of(message)
    reply_to_id = None
    reply_to_author_id = None
    if kind is MessageKind.REPLY and message.reference is not None:
        reply_to_id = message.reference.message_id
        reply_to_author_id = await _replied_to(message, message.reference)
    people = frozenset(person for user in message.mentions if (person := person_id(user)) is not None)
    return Message(
        message_id=message.id,
        author_id=author_id(message),
        kind=kind,
        mentions=people,
        mentions_no_person=len(people) < len({user.id for user in message.mentions}),
        mentions_crowd=message.mention_everyone or bool(message.raw_role_mentions or message.role_mentions),
        reply_to_id=reply_to_id,
        reply_to_author_id=reply_to_author_id,
    )


async def _replied_to(message: discord.Message, reference: discord.MessageReference) -> int | None:
    found = reference.resolved or reference.cached_message
    if isinstance(found, discord.Message):
        return author_id(found)
    if isinstance(found, discord.DeletedReferencedMessage) or reference.message_id is None:
        return None
    try:
        async with history_request():
            return author_id(await message.channel.fetch_message(reference.message_id))
    except discord.NotFound:
        return None
