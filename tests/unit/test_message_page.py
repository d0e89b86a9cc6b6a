"""A page of history with messages whose ids cannot be read: as long as it was, and the places where they may be."""

from typing import Any
from unittest.mock import Mock

import pytest

from bot.discord_io.connection.timeout import MalformedAnswerError
from bot.discord_io.record.messages import MessageReader

CHANNEL = 7


def raw(message_id: object) -> dict[str, Any]:
    return {"id": message_id, "type": 7, "author": {"id": "1"}}


@pytest.mark.parametrize(
    ("ids", "after_id", "before_id", "missing"),
    [
        ([300, None, 200], 100, None, {201, 299}),
        ([300, None, None, None, 200], 100, None, {201, 297, 298, 299}),
        ([300, None, 298], 100, None, {299}),
        ([300, None], 100, None, {101, 299}),
        ([None, 300], None, 400, {301, 399}),
        ([300, None, None], None, 400, {298, 299}),
        ([None, None], None, 400, {398, 399}),
    ],
)
async def test_a_page_stays_as_long_as_it_was(
    ids: list[int | None], after_id: int | None, before_id: int | None, missing: set[int]
) -> None:
    reader = MessageReader(Mock())
    found = [raw("?" if one is None else str(one)) for one in ids]
    page = await reader.page(CHANNEL, found, after_id, before_id)
    assert {message.message_id for message in page if not message.readable} == missing
    assert {message.message_id for message in page if message.readable} == {one for one in ids if one is not None}
    assert len(page) >= len(ids)


async def test_how_far_a_page_reaches_must_be_known() -> None:
    with pytest.raises(MalformedAnswerError):
        await MessageReader(Mock()).page(CHANNEL, [raw(None), raw("300")], 100, None)
