"""Reads an export that is laid out as DiscordChatExporter writes it, many times faster than any JSON can be read.

The tool puts every value on a line of its own. So the lines between two messages are known, and a file is cut there
into pieces of a few messages, which msgspec decodes into the fields that are needed. A string holds no line break, and
a piece that decodes as a list begins and ends where messages do: so a file is what its pieces are, wherever it was cut.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import ijson
import msgspec

from bot.domain.message import DELETED_USER_ID, MessageKind
from bot.domain.snowflake import HIGHEST_ID
from bot.exports.error import ExportError
from bot.exports.facts import CROWD, KINDS, RecordError, message_of
from bot.exports.nesting import DEEPEST_NESTING, Nesting
from bot.exports.reader import regular_file
from bot.store.staged_piece import MENTIONS_CROWD, MENTIONS_NO_PERSON, NUMBER_OF_KIND, StagedMessage, staged

_READ_SIZE = 256 * 1024
_PIECE = 12 * 1024
"""So small that the brackets of a piece need seldom be counted one by one."""
_LONGEST_HEADER = 64 * 1024
_LONGEST_MESSAGE = 16 * 1024 * 1024
_LONGEST_END = 256
_NEW_LINES = (b"\n", b"\r\n")
_MESSAGES = b'  "messages": ['
_BEFORE_END = b"  ]"
_END = re.compile(rb'  \](?:,\r?\n  "messageCount": [0-9]{1,18})?\r?\n\}[ \t\r\n]*')
_NO_BRACKET = bytes(set(range(256)) - set(b'[]{}"'))
_SPARE = 10
"""So many brackets fewer are left to the other reader, whose limit depends a little on how it cuts the file."""
# The other reader refuses a number that does not fit into 64 bits, wherever it stands. The tool writes none. What is
# left of a text without most of its letters tells in half the time that there is none.
_LARGE_NUMBER = re.compile(rb'": -?(?:[0-9]{19}|[0-9.]+[eE])')
_PERHAPS_LARGE_NUMBER = re.compile(rb'":0(?:0{18}|0*e)')
_AS_ZEROS = bytes.maketrans(b"123456789E", b"000000000e")
_IN_NO_NUMBER = bytes(set(range(256)) - set(b'":/0123456789eE'))
_SIMPLE = frozenset({MessageKind.DEFAULT, MessageKind.REPLY, MessageKind.OTHER, MessageKind.STARTER})
_NOT_SIMPLE = -1
_OTHER = NUMBER_OF_KIND[MessageKind.OTHER]
_DEFAULT = NUMBER_OF_KIND[MessageKind.DEFAULT]
_REPLY = NUMBER_OF_KIND[MessageKind.REPLY]
_NUMBERS = {None: _DEFAULT} | {
    name: NUMBER_OF_KIND[kind] if kind in _SIMPLE else _NOT_SIMPLE for name, kind in KINDS.items()
}
_LONGEST_ID = len(str(HIGHEST_ID))
_NO_VALUE = msgspec.Raw()


class LayoutError(Exception):
    """A file is not laid out as the tool does it, or is not what it writes: the other reader can tell what it is."""


class _Person(msgspec.Struct, gc=False):
    id: str
    isBot: bool | None = False  # noqa: N815 - the tool's name


class _Reference(msgspec.Struct, gc=False):
    messageId: str | None = None  # noqa: N815 - the tool's name
    type: str | msgspec.UnsetType | None = msgspec.UNSET


class _Entry(msgspec.Struct, gc=False):
    id: str
    author: _Person
    type: str | None = None
    content: str | None = None
    mentions: list[_Person] | None = None
    reference: _Reference | None = None
    forwardedMessage: msgspec.Raw = _NO_VALUE  # noqa: N815 - the tool's name


class _OddEntryError(Exception):
    """A message that is converted from all of its fields."""


_entries = msgspec.json.Decoder(list[_Entry])


def laid_out_messages(path: Path, on_read: Callable[[int], None] | None = None) -> Iterator[list[StagedMessage]]:
    """The messages of a file in its order, some at a time, exactly as `ExportFile.messages` gives them.

    Args:
        path: The file.
        on_read: Called from time to time with the number of bytes read so far.

    Raises:
        LayoutError: The file has to be read by `ExportFile.messages`, from its start; be it sound or broken.
        ExportError: The file cannot be read.
    """
    regular_file(path)
    try:
        with path.open("rb") as file:
            left, new_line = _after_header(file.read(_LONGEST_HEADER))
            boundary = new_line.join((b"", b"    },", b"    {", b""))
            read = _LONGEST_HEADER
            while chunk := file.read(_READ_SIZE):
                read += len(chunk)
                left += chunk
                end = left.rfind(boundary)
                if end < 0:
                    if len(left) > _LONGEST_MESSAGE:
                        raise LayoutError
                    continue
                end += len(new_line) + len(b"    }")
                yield _messages(left[:end], boundary)
                left = left[end + 1 :]
                if on_read is not None:
                    on_read(read)
    except OSError:
        raise LayoutError from None
    end = left.rfind(new_line + _BEFORE_END, max(0, len(left) - _LONGEST_END))
    if end < 0 or not _END.fullmatch(left, end + len(new_line)):
        raise LayoutError
    yield _messages(left[:end], boundary)


def _after_header(start: bytes) -> tuple[bytes, bytes]:
    """What follows the header, from the line break before the first message on, and the line break of the file."""
    for new_line in _NEW_LINES:
        header, found, rest = start.partition(new_line + _MESSAGES + new_line)
        if found:
            _require_header(header + new_line + _MESSAGES)
            return new_line + rest, new_line
    raise LayoutError


def _require_header(header: bytes) -> None:
    """Require that this is the beginning of an object whose last key is its list of messages, and the only such key."""
    try:
        _require_shallow(header + b"]}")
        paths = [path for path, _, _ in ijson.parse(header + b"]}", use_float=True)]
    except (ijson.JSONError, ValueError):
        raise LayoutError from None
    if paths[-4:] != ["", "messages", "messages", ""] or paths.count("messages") != 2:
        raise LayoutError


def _messages(text: bytes, boundary: bytes) -> list[StagedMessage]:
    """The messages of some bytes of the list, which end where a message does."""
    if _PERHAPS_LARGE_NUMBER.search(text.translate(_AS_ZEROS, _IN_NO_NUMBER)) and _LARGE_NUMBER.search(text):
        raise LayoutError
    found: list[StagedMessage] = []
    start, closing = 0, boundary.index(b",")
    while start < len(text):
        end = text.find(boundary, start + _PIECE)
        end = len(text) if end < 0 else end + closing
        found += _converted(text[start:end])
        start = end + 1
    return found


def _converted(piece: bytes) -> Sequence[StagedMessage]:
    text = b"[" + piece + b"]"
    if _deepest(piece) + _SPARE > DEEPEST_NESTING:
        _require_shallow(piece)
    try:
        if not piece.isascii():
            piece.decode()
        return _simple(_entries.decode(text))
    except (_OddEntryError, msgspec.ValidationError):
        pass
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise LayoutError from None
    try:
        return [staged(message_of(entry)) for entry in msgspec.json.decode(text)]
    except (RecordError, msgspec.DecodeError, RecursionError):
        raise LayoutError from None


def _deepest(piece: bytes) -> int:
    """How deep the brackets of a piece nest at the very most: as if none were closed, but those around nothing."""
    # With no quote between them, both brackets of such a pair stand in the same string, or in none.
    marks = piece.translate(None, _NO_BRACKET).replace(b"[]", b"").replace(b"{}", b"")
    return marks.count(b"[") + marks.count(b"{") + 1


def _require_shallow(whole: bytes) -> None:
    """Require that some bytes in which every bracket is closed do not nest too deep."""
    try:
        Nesting().follow(b"[" * _SPARE + whole + b"]" * _SPARE)
    except ExportError:
        raise LayoutError from None


def _simple(entries: list[_Entry]) -> list[StagedMessage]:
    """Messages as `message_of` converts them, if all of them are of the usual kinds."""
    texts = [entry.id for entry in entries]
    texts += [entry.author.id for entry in entries]
    ids = _ids(texts)
    found: list[StagedMessage] = []
    for entry, message_id, author_id in zip(entries, ids, ids[len(entries) :], strict=False):
        flags, reply_to_id, mentions, kind = 0, 0, "", _NUMBERS.get(entry.type, _OTHER)
        if kind == _NOT_SIMPLE or entry.forwardedMessage is not _NO_VALUE:
            raise _OddEntryError
        if entry.mentions:
            flags, mentions = _mentioned(entry.mentions)
        content = entry.content
        if content and "@" in content and CROWD.search(content):
            flags |= MENTIONS_CROWD
        reference = entry.reference
        if reference is not None and kind in (_REPLY, _DEFAULT):
            if (kind == _DEFAULT and reference.type != "Default") or reference.type in ("Forward", "1"):
                raise _OddEntryError
            if kind == _REPLY and reference.messageId:
                reply_to_id = _one_id(reference.messageId)
        if author_id == DELETED_USER_ID or entry.author.isBot:
            author_id = 0  # noqa: PLW2901 - nobody
        found.append((message_id, author_id, kind, flags, reply_to_id, mentions))
    return found


def _mentioned(people: list[_Person]) -> tuple[int, str]:
    ids = _ids([person.id for person in people])
    everyone = {0 if person.isBot or one == DELETED_USER_ID else one for one, person in zip(ids, people, strict=True)}
    return MENTIONS_NO_PERSON * (0 in everyone), " ".join(map(str, sorted(everyone - {0})))


def _ids(texts: list[str]) -> list[int]:
    """Discord ids; an odd one is left to `message_of`."""
    joined = "".join(texts)
    if not (joined.isascii() and joined.isdecimal() and all(texts) and max(map(len, texts)) <= _LONGEST_ID):
        raise _OddEntryError
    ids = list(map(int, texts))
    if min(ids) <= 0 or max(ids) > HIGHEST_ID:
        raise _OddEntryError
    return ids


def _one_id(text: str) -> int:
    """The same for a single one."""
    if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID and 0 < (one := int(text)) <= HIGHEST_ID:
        return one
    raise _OddEntryError
