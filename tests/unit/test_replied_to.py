"""What a live message replies to: asked for by a few at a time, and else left to the history."""

from typing import Any
from unittest import mock

import pytest

from bot.discord_io.record.messages import MessageReader, TooManyRequestsError
from bot.services.record.follower import Follower
from cogs.tracking import MOST_BEING_READ, Tracking
from tests.support.messages import said


def reply() -> Any:
    """A Reply whose event does not contain what it replies to."""
    return mock.Mock(message=said(2, 5, to=(1, None)), asks_for_target=True)


async def test_nothing_is_asked_when_it_may_not_be() -> None:
    client: Any = mock.Mock()
    client.http.get_message = mock.AsyncMock(return_value={"id": "7", "type": 0, "author": {"id": "5"}})
    reader, raw = MessageReader(client), reply()
    with pytest.raises(TooManyRequestsError):
        await reader.completed(1, raw, may_ask=False)
    client.http.get_message.assert_not_awaited()
    assert (await reader.completed(1, raw)).reply_to_author_id == 5
    raw.asks_for_target = False
    assert (await reader.completed(1, raw, may_ask=False)).reply_to_author_id is None


@pytest.mark.parametrize(("being_read", "may_ask"), [(MOST_BEING_READ, True), (MOST_BEING_READ + 1, False)])
async def test_a_live_message_asks_only_while_few_are_being_read(
    monkeypatch: pytest.MonkeyPatch, being_read: int, may_ask: bool
) -> None:
    monkeypatch.setattr("cogs.tracking.is_recordable", lambda _channel: True)
    monkeypatch.setattr("cogs.tracking.place_of", lambda *_: None)
    follower = mock.MagicMock(spec=Follower, being_read=being_read)
    follower.receiving.return_value.__enter__.return_value = mock.Mock()
    messages: Any = mock.create_autospec(MessageReader)
    others: list[Any] = [*(mock.Mock() for _ in range(7)), messages, mock.Mock(), mock.Mock()]
    Tracking(follower, *others).hear(mock.Mock(raw=reply(), guild=mock.Mock(unavailable=False)))
    await others[2].start.call_args.args[0]
    assert messages.completed.await_args.kwargs == {"may_ask": may_ask}
