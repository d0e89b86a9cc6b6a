"""Whatever the bytes of a file: its messages, or one sentence."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.message import Message
from bot.exports.error import ExportError
from bot.exports.export_file import ExportFile

VALID = {
    "guild": {"id": "200000000000000001", "name": "A guild"},
    "channel": {"id": "300000000000000001", "type": "GuildPublicThread", "name": "n", "topic": None},
    "exportedAt": "2026-04-24T06:10:00.0000000+00:00",
    "messages": [
        {
            "id": "900000000000000001",
            "type": "Default",
            "content": 'Grüße, "@here" \\ \n 🙂 [',
            "author": {"id": "100000000000000001", "isBot": False, "roles": []},
            "attachments": [{"id": "5", "fileSizeBytes": 12.5e3}],
            "mentions": [{"id": "100000000000000002", "isBot": True}],
        },
        {
            "id": 900000000000000002,
            "type": "19",
            "content": "",
            "author": {"id": "100000000000000002", "isBot": False},
            "mentions": [],
            "reference": {"messageId": "900000000000000001", "channelId": None},
        },
        {
            "id": "900000000000000003",
            "type": "Default",
            "content": "",
            "author": {"id": "456226577798135808"},
            "reference": {"type": "Forward", "messageId": "1"},
            "forwardedMessage": {"content": ""},
        },
    ],
    "messageCount": 3,
}
COMPACT = json.dumps(VALID, ensure_ascii=False, separators=(",", ":")).encode()
INDENTED = json.dumps(VALID, indent=2).encode()
ROUGH = [b"", b"\x00", b"\xff", b'"', b"\\", b"\\u", b"\\ud800", b"{", b"}", b"[", b"]", b",", b":", b"-", b"1e999"]
ROUGH += [b"9" * 5000, b"[" * 3000, b'{"a":' * 3000, b"null", b"true", b"\xef\xbb\xbf", b"/*", b"<", b"NaN", b"0x1"]

Edit = tuple[int, int, bytes]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], list[Message] | str]:
    """What a file with these bytes gives: messages, or the sentence; anything else fails the test."""
    path = tmp_path_factory.mktemp("fuzz") / "export.json"

    def read(content: bytes) -> list[Message] | str:
        path.write_bytes(content)
        export = ExportFile(path)
        try:
            export.header()
            return list(export.messages())
        except ExportError as error:
            sentence = str(error)
            assert sentence.endswith(".")
            assert len(sentence) < 120
            assert "\n" not in sentence
            return sentence

    return read


def edited(content: bytes, edits: list[Edit]) -> bytes:
    for start, length, new in edits:
        at = start % (len(content) + 1)
        content = content[:at] + new + content[at + length :]
    return content


edits = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(0, 40), st.sampled_from(ROUGH) | st.binary(max_size=8)),
    min_size=1,
    max_size=4,
)


def test_the_untouched_file_is_read(outcome: Callable[[bytes], list[Message] | str]) -> None:
    assert len(outcome(COMPACT)) == 3
    assert outcome(COMPACT) == outcome(INDENTED)


@settings(max_examples=400, deadline=None)
@given(content=st.sampled_from([COMPACT, INDENTED]), edits=edits)
def test_edited_bytes(outcome: Callable[[bytes], list[Message] | str], content: bytes, edits: list[Edit]) -> None:
    outcome(edited(content, edits))


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=300))
def test_any_bytes(outcome: Callable[[bytes], list[Message] | str], content: bytes) -> None:
    outcome(content)


def paths_in(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value stands inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, part in inner for place in paths_in(part, (*path, key))]


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["0", "19", "Forward", "900000000000000001", "item", "messages"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "item", "type", "messageId", "isBot", ""]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(
    changes=st.lists(st.tuples(st.sampled_from(paths_in(VALID)), st.none() | anything), min_size=1, max_size=3),
    remove=st.booleans(),
)
def test_any_value_in_any_place(
    outcome: Callable[[bytes], list[Message] | str], changes: list[tuple[tuple[Any, ...], object]], remove: bool
) -> None:
    content = json.loads(COMPACT)
    for path, value in changes:
        holder = content
        try:
            for key in path[:-1]:
                holder = holder[key]
            if remove and isinstance(holder, dict):
                holder.pop(path[-1], None)
            else:
                holder[path[-1]] = value
        except (TypeError, KeyError, IndexError):  # an earlier change took the place away
            continue
    outcome(json.dumps(content).encode())
