"""What a live message replies to: asked for by a few at a time, and else left to the history."""

from types import SimpleNamespace
from typing import Any
from unittest import mock

import discord
import pytest

from bot.discord_io.record.messages import TooManyRequestsError, read_message
from bot.services.record.follower import Follower
from cogs.tracking import MOST_BEING_READ, Tracking


def reply() -> Any:
    """A Reply whose event does not contain what it replies to."""
    author = SimpleNamespace(id=5, bot=False)
    reference = SimpleNamespace(
        type=discord.MessageReferenceType.default, message_id=7, resolved=None, cached_message=None
    )
    return mock.Mock(
        id=9,
        author=author,
        webhook_id=None,
        type=discord.MessageType.reply,
        reference=reference,
        mentions=[],
        mention_everyone=False,
        raw_role_mentions=[],
        role_mentions=[],
        channel=mock.Mock(fetch_message=mock.AsyncMock(return_value=mock.Mock(author=author, webhook_id=None))),
    )


async def test_nothing_is_asked_when_it_may_not_be() -> None:
    message = reply()
    with pytest.raises(TooManyRequestsError):
        await read_message(message, may_ask=False)
    message.channel.fetch_message.assert_not_awaited()
    assert (await read_message(message)).reply_to_author_id == 5
    message.reference.resolved = mock.Mock(spec=discord.DeletedReferencedMessage)
    assert (await read_message(message, may_ask=False)).reply_to_author_id is None


@pytest.mark.parametrize(("being_read", "may_ask"), [(MOST_BEING_READ, True), (MOST_BEING_READ + 1, False)])
async def test_a_live_message_asks_only_while_few_are_being_read(
    monkeypatch: pytest.MonkeyPatch, being_read: int, may_ask: bool
) -> None:
    asked: list[bool] = []

    async def read(_message: object, *, may_ask: bool) -> None:
        asked.append(may_ask)

    monkeypatch.setattr("cogs.tracking.read_message", read)
    monkeypatch.setattr("cogs.tracking.is_recordable", lambda _channel: True)
    monkeypatch.setattr("cogs.tracking.place_of", lambda *_: None)
    follower = mock.MagicMock(spec=Follower, being_read=being_read)
    follower.receiving.return_value.__aenter__.return_value = mock.Mock()
    others: list[Any] = [mock.Mock() for _ in range(7)]
    await Tracking(follower, *others).on_message(reply())
    assert asked == [may_ask]
