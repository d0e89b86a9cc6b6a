"""Reading a message: each field that a rule uses, missing, null and of another type; and none of the others."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from bot.discord_io.payload.fields import MalformedError
from bot.discord_io.payload.message import RawMessage, read, webhook_of
from bot.domain.message import DELETED_USER_ID, Message, MessageKind

REPLY: dict[str, Any] = {
    "id": "1478000000000000100",
    "channel_id": "1478000000000000001",
    "type": 19,
    "author": {"id": "201", "username": "mia", "bot": False, "system": False},
    "webhook_id": None,
    "mentions": [{"id": "101", "bot": False, "system": False}, {"id": "102"}],
    "mention_everyone": False,
    "mention_roles": ["7"],
    "message_reference": {"type": 0, "message_id": "1478000000000000050"},
    "referenced_message": {"id": "1478000000000000050", "type": 0, "author": {"id": "102"}},
    "content": "",
    "attachments": [],
    "embeds": [],
    "components": [],
    "timestamp": "2026-03-02T12:00:00+00:00",
    "flags": 0,
    "poll": {"answers": []},
}
WHOLE = RawMessage(
    Message(
        message_id=1478000000000000100,
        author_id=201,
        kind=MessageKind.REPLY,
        mentions=frozenset({101, 102}),
        mentions_crowd=True,
        reply_to_id=1478000000000000050,
        reply_to_author_id=102,
    )
)
UNUSED = ("channel_id", "content", "attachments", "embeds", "components", "timestamp", "flags", "poll")
OTHERS: tuple[Any, ...] = ("x", -1, 1.5, True, [], {}, [None], {"id": None})
MISSING = object()
WRONG_FLAGS: tuple[object, ...] = (None, "x", 0, [], {})
WRONG_IDS: tuple[object, ...] = ("x", True, [], {})


def changed(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    raw = copy.deepcopy(REPLY)
    place: Any = raw
    for step in path[:-1]:
        place = place[step]
    if value is MISSING:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return raw


def test_a_reply_is_read() -> None:
    assert read(REPLY) == WHOLE
    numbers = REPLY | {"id": 1478000000000000100, "mention_roles": [7]}
    assert read(numbers) == WHOLE


@pytest.mark.parametrize("key", UNUSED)
def test_what_no_rule_uses_is_never_looked_at(key: str) -> None:
    for value in (MISSING, None, *OTHERS):
        assert read(changed((key,), value)) == WHOLE


REQUIRED: tuple[tuple[str | int, ...], ...] = (
    ("id",),
    ("type",),
    ("author",),
    ("author", "id"),
    ("mentions",),
    ("mentions", 0),
    ("mentions", 0, "id"),
    ("mention_everyone",),
    ("mention_roles",),
    ("mention_roles", 0),
    ("message_reference",),
    ("message_reference", "message_id"),
)
FLAGS = (("author", "bot"), ("author", "system"), ("mentions", 0, "bot"), ("mentions", 0, "system"))


def of_another_type(path: tuple[str | int, ...]) -> Iterator[object]:
    """Values that are not what the field is, where a list or a truth would not be one again."""
    right = REPLY
    for step in path:
        right = right[step]
    yield from (one for one in OTHERS if type(one) is not type(right) or one == "x")
    yield from [[None]] if isinstance(right, list) else []


@pytest.mark.parametrize("path", REQUIRED)
def test_a_message_without_what_a_rule_needs_cannot_be_read(path: tuple[str | int, ...]) -> None:
    # A list that lacks an element is a list all the same.
    absent = [] if isinstance(path[-1], int) else [MISSING]
    for value in (*absent, None, *of_another_type(path)):
        with pytest.raises(MalformedError):
            read(changed(path, value))


@pytest.mark.parametrize("path", FLAGS)
def test_a_flag_may_be_missing_and_must_not_be_anything_but_true_or_false(path: tuple[str | int, ...]) -> None:
    assert read(changed(path, MISSING)) == WHOLE
    assert read(changed(path, True)) != WHOLE
    for value in WRONG_FLAGS:
        with pytest.raises(MalformedError):
            read(changed(path, value))


def test_a_webhook_is_no_person_and_an_odd_one_is_not_guessed() -> None:
    assert read(changed(("webhook_id",), MISSING)) == WHOLE
    for raw in (changed(("webhook_id",), "5"), changed(("webhook_id",), "5") | {"author": None}):
        assert read(raw).message.author_id is None
    for value in WRONG_IDS:
        with pytest.raises(MalformedError):
            read(changed(("webhook_id",), value))


def test_of_a_message_that_does_not_count_only_id_author_and_kind_are_read() -> None:
    odd: dict[str, Any] = {
        "mentions": None,
        "mention_everyone": "x",
        "mention_roles": 3,
        "message_reference": [],
        "referenced_message": 1,
    }
    notice = REPLY | odd | {"type": 7}
    assert read(notice).message == Message(WHOLE.message.message_id, 201, MessageKind.OTHER)
    by_bot = REPLY | odd | {"author": {"id": "9", "bot": True}, "type": 0, "message_reference": None}
    assert read(by_bot).message == Message(WHOLE.message.message_id, None, MessageKind.DEFAULT)
    gone = {"id": str(DELETED_USER_ID)}
    assert read(REPLY | {"author": gone}).message.author_id is None


@pytest.mark.parametrize("kind", [24, 36, 37, 38, 39])
def test_a_reply_to_a_notice_is_none_to_the_person_whose_name_it_bears(kind: int) -> None:
    """They neither wrote it nor see it, and the reply's ping reaches nobody else. Others who are named are named."""
    notice = {"id": "1478000000000000050", "type": kind, "author": {"id": "102"}}
    message = read(REPLY | {"referenced_message": notice}).message
    assert (message.reply_to_author_id, message.mentions) == (None, {101})
    assert (message.reply_to_id, read(REPLY | notice).message.author_id) == (1478000000000000050, None)
    by_bot = read(REPLY | {"referenced_message": notice | {"author": {"id": "102", "bot": True}}}).message
    assert (by_bot.reply_to_author_id, by_bot.mentions) == (None, {101, 102})
    greeting = read(REPLY | {"referenced_message": notice | {"type": 7}}).message
    assert (greeting.reply_to_author_id, greeting.mentions) == (102, {101, 102})


def test_what_is_replied_to_is_known_or_deleted_or_has_to_be_looked_up() -> None:
    deleted = read(changed(("referenced_message",), None))
    assert (deleted.message.reply_to_author_id, deleted.asks_for_target) == (None, False)
    for value in (MISSING, "x", 7, [], {}, {"author": {"id": None}}, {"author": {"id": "1", "bot": None}}):
        unknown = read(changed(("referenced_message",), value))
        assert (unknown.message.reply_to_author_id, unknown.asks_for_target) == (None, True)


def test_a_forward_is_told_by_its_reference() -> None:
    forward = REPLY | {"type": 0, "message_reference": {"type": 1}}
    assert read(forward).message.kind is MessageKind.FORWARD
    assert read(forward | {"message_reference": None}).message.kind is MessageKind.DEFAULT
    assert read(forward | {"message_reference": {}}).message.kind is MessageKind.DEFAULT
    wrong: tuple[object, ...] = ("x", 1, [], {"type": None}, {"type": "1"}, {"type": True})
    for reference in wrong:
        with pytest.raises(MalformedError):
            read(forward | {"message_reference": reference})


def test_what_a_webhook_wrote_by_itself_is_told_from_answers_and_followed_channels() -> None:
    posted = REPLY | {"type": 0, "webhook_id": "5"}
    del posted["message_reference"]
    assert webhook_of(posted) == 5
    assert webhook_of(posted | {"webhook_id": None}) is None
    assert webhook_of(posted | {"type": 19}) is None
    assert webhook_of(posted | {"type": 20, "interaction_metadata": {"id": "6"}}) is None
    for key in ("interaction", "interaction_metadata", "message_reference"):
        assert webhook_of(posted | {key: {"id": "6"}}) is None
