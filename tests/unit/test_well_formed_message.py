"""The quick reading of messages says what the general reading says, or leaves them to it."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord_io.payload import message
from bot.discord_io.payload.fields import child, identities, identity
from bot.discord_io.payload.well_formed import well_formed_message

_USER = {"id": "301", "username": "mia", "avatar": None, "discriminator": "0"}
_BOT = {"id": "302", "username": "a bot", "bot": True}
_PLAIN: dict[str, Any] = {
    "id": "9000",
    "type": 0,
    "channel_id": "2000",
    "guild_id": "1000",
    "author": _USER,
    "member": {"roles": ["77", "78"], "joined_at": None, "deaf": False},
    "content": "",
    "mentions": [],
    "mention_roles": [],
    "mention_everyone": False,
    "attachments": [{"id": "5"}],
    "embeds": [],
    "pinned": False,
    "tts": False,
}
_REPLY = _PLAIN | {
    "type": 19,
    "mentions": [_USER | {"id": "303"}, _BOT],
    "message_reference": {"type": 0, "message_id": "8000", "channel_id": "2000"},
    "referenced_message": {"id": "8000", "type": 0, "author": _USER | {"id": "303"}, "content": ""},
}
USUAL = {
    "plain": _PLAIN,
    "reply": _REPLY,
    "to a message that is gone": _REPLY | {"referenced_message": None},
    "to an unknown message": {key: value for key, value in _REPLY.items() if key != "referenced_message"},
    "forward": _PLAIN | {"message_reference": {"type": 1, "message_id": "8000"}},
    "to everybody": _PLAIN | {"mention_everyone": True, "mention_roles": ["77"]},
    "by a bot": _PLAIN | {"author": _BOT},
    "join": _PLAIN | {"type": 7},
    "without a member": {key: value for key, value in _PLAIN.items() if key != "member"},
}
"""What comes all day."""
_ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        7,
        19,
        24,
        -1,
        2.0,
        1.5,
        10**19,
        "",
        "0",
        "1",
        "303",
        "x",
        "\uff11\uff12",
        "-5",
        " 7",
        "9" * 30,
    ),
    *([], [None], ["77"], [7], {}, {"id": "303"}, {"id": 303}, {"roles": []}, "456226577798135808", "\ud800"),
)
_KEYS = (
    *("id", "type", "channel_id", "guild_id", "author", "member", "mentions", "mention_roles", "mention_everyone"),
    *("message_reference", "referenced_message", "webhook_id", "interaction_metadata"),
)
_INNER = {
    "author": ("id", "bot", "system"),
    "member": ("roles",),
    "message_reference": ("type", "message_id"),
    "referenced_message": ("type", "author", "webhook_id", "id"),
}


def text_of(data: object, **more: Any) -> str:
    return json.dumps({"op": 0, "t": "MESSAGE_CREATE", "s": 5, "d": data} | more)


@pytest.mark.parametrize("usual", USUAL.values(), ids=USUAL)
def test_what_is_usual_is_read_at_once(usual: dict[str, Any]) -> None:
    found = well_formed_message(text_of(usual))
    assert found is not None
    assert (found.sequence, found.guild_id, found.channel_id) == (5, 1000, 2000)
    assert found.raw == message.read(usual)
    assert found.role_ids == ((77, 78) if "member" in usual else None)


@given(
    usual=st.sampled_from(list(USUAL.values())),
    changes=st.lists(st.tuples(st.sampled_from(_KEYS), st.booleans(), st.sampled_from(_ODD)), min_size=1, max_size=3),
    data=st.data(),
)
def test_what_is_odd_is_read_alike_or_left_to_the_general_reading(
    usual: dict[str, Any], changes: list[tuple[str, bool, object]], data: st.DataObject
) -> None:
    event = copy.deepcopy(usual)
    for key, inside, value in changes:
        if inside and isinstance(event.get(key), dict) and key in _INNER:
            event[key][data.draw(st.sampled_from(_INNER[key]))] = copy.deepcopy(value)
        elif data.draw(st.integers(0, 4)) == 0:
            event.pop(key, None)
        else:
            event[key] = copy.deepcopy(value)
    found = well_formed_message(text_of(event))
    if found is None:
        return
    assert found.raw == message.read(event)
    assert message.webhook_of(event) is None
    assert (found.channel_id, found.guild_id) == (identity(event, "channel_id"), identity(event, "guild_id"))
    assert found.role_ids == (tuple(identities(child(event, "member"), "roles")) if "member" in event else None)
    assert found.raw.message.message_id >= found.channel_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        text_of(_PLAIN)[:-1],
        text_of(_PLAIN, op=True),
        text_of(_PLAIN, op=11),
        text_of(_PLAIN, t="MESSAGE_UPDATE"),
        text_of(_PLAIN, t=None),
        text_of(_PLAIN, s=None),
        text_of(_PLAIN, s="5"),
        text_of([]),
        text_of({"member": {"roles": []}}),
        text_of({**_PLAIN, "guild_id": None}),
        text_of({**_PLAIN, "id": "1999"}),
        '{"op": 0, "t": "MESSAGE_CREATE", "s": 5, "d": ' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
)
def test_what_is_no_well_formed_message_is_none(text: str) -> None:
    assert well_formed_message(text) is None
