"""One DiscordChatExporter JSON file, streamed: its header and its messages."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ijson

from bot.domain.message import Message
from bot.domain.snowflake import first_id_at
from bot.exports.diagnosis import invalid_json
from bot.exports.error import ExportError
from bot.exports.facts import RecordError, message_of, snowflake
from bot.exports.layout import laid_out_messages
from bot.exports.reader import ExportReader
from bot.store.staged_piece import StagedMessage

_HEADER = ("guild.id", "channel.id", "channel.type", "channel.categoryId", "dateRange.after", "exportedAt")
_READ_SIZE = 64 * 1024
_HEADER_READ_SIZE = 4 * 1024
_LATER_PART = re.compile(r"\[part (?!1\])\d+\]")
_NOT_AN_EXPORT = "The file is JSON, but not an export of DiscordChatExporter."
# The tool writes the number of a channel type that its version does not know.
_DIRECT_NUMBERS = {"1", "3"}
_PRIVATE_THREAD_NUMBER = "12"
_THREAD_NUMBERS = {"10", "11", _PRIVATE_THREAD_NUMBER}


@dataclass(frozen=True, slots=True)
class ExportHeader:
    """What a file is an export of. `guild_id` is 0 for direct messages, `exported_at` None if missing or unreadable.

    `parent_id` is a thread's channel, if the file names it. `begins`: it is certain that the file begins at the start
    of the channel, unless it was made with a message filter, which no file tells.
    """

    guild_id: int
    channel_id: int
    parent_id: int | None
    begins: bool
    is_thread: bool
    is_private_thread: bool
    is_direct: bool
    exported_at: datetime | None


class ExportFile:
    """A file on disk, which is opened by each method and read in pieces.

    It may be indented or compact, have a byte order mark or not, and be from any version of the tool.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def header(self) -> ExportHeader:
        """Read the header, which comes before the messages (or after them, if the keys were sorted).

        Raises:
            ExportError: The file cannot be read or is not an export.
        """
        with ExportReader(self.path) as reader, _as_export_errors(reader):
            values = _header_values(reader)
        if "messages" not in values or "channel.id" not in values or "guild.id" not in values:
            raise ExportError(_NOT_AN_EXPORT)
        channel_type = str(values.get("channel.type", ""))
        guild_id = _guild_id(values["guild.id"])
        try:
            channel_id = snowflake(values["channel.id"])
        except RecordError:
            raise ExportError("The channel's id in the file is no Discord id.") from None
        is_thread = channel_type.endswith("Thread") or channel_type in _THREAD_NUMBERS
        return ExportHeader(
            guild_id=guild_id,
            channel_id=channel_id,
            parent_id=_parent_id(values.get("channel.categoryId")) if is_thread else None,
            begins=_begins(values.get("dateRange.after"), channel_id) and not _LATER_PART.search(self.path.name),
            is_thread=is_thread,
            is_private_thread=channel_type.endswith("PrivateThread") or channel_type == _PRIVATE_THREAD_NUMBER,
            is_direct=channel_type.startswith("Direct") or channel_type in _DIRECT_NUMBERS or guild_id == 0,
            exported_at=_moment(values.get("exportedAt")),
        )

    def laid_out_messages(self, on_read: Callable[[int], None] | None = None) -> Iterator[list[StagedMessage]]:
        """The same messages as they are staged, fast, if the file is laid out as the tool does it; else LayoutError."""
        return laid_out_messages(self.path, on_read)

    def messages(self, on_read: Callable[[int], None] | None = None) -> Iterator[Message]:
        """The messages in the order of the file; `reply_to_author_id` is not set.

        A file that is broken at its end raises only there: the caller must then discard the messages before it.

        Args:
            on_read: Called from time to time with the number of bytes read so far.

        Raises:
            ExportError: The file cannot be read, is not an export, or is cut off.
        """
        with ExportReader(self.path) as reader:
            told = 0
            for number, record in enumerate(_records(reader), start=1):
                try:
                    message = message_of(record)
                except RecordError as error:
                    raise ExportError(f"Message {number} of the file cannot be used: {error}.") from None
                if on_read is not None and told != reader.position:
                    told = reader.position
                    on_read(told)
                yield message


@contextmanager
def _as_export_errors(reader: ExportReader) -> Iterator[None]:
    """Turn the parser's errors into ExportError, without their text, which quotes the file."""
    try:
        yield
    except (ijson.JSONError, ValueError) as error:
        if reader.exhausted:
            raise ExportError("The file is cut off before its end: export it again.") from None
        if "trailing garbage" in str(error):
            raise ExportError("The file goes on after the end of the export.") from None
        raise invalid_json(reader.path, surrogates=isinstance(error, UnicodeDecodeError)) from None
    except MemoryError:
        raise ExportError("The file is not an export of DiscordChatExporter: it holds too much in one piece.") from None


def _records(reader: ExportReader) -> Iterator[object]:
    """The entries of `messages`, as Python values."""
    with _as_export_errors(reader):
        # use_float converts numbers in C: otherwise the parser crashes if Python refuses to build a very long integer.
        yield from ijson.items(reader, "messages.item", buf_size=_READ_SIZE, use_float=True)


def _header_values(reader: ExportReader) -> dict[str, Any]:
    """The values of the header by path, and True for `messages` if it is a list. Stops reading as early as possible."""
    values: dict[str, Any] = {}
    for path, event, value in ijson.parse(reader, buf_size=_HEADER_READ_SIZE, use_float=True):
        if path == "" and event not in ("start_map", "map_key", "end_map"):
            raise ExportError(_NOT_AN_EXPORT)
        if path == "messages":
            if event == "start_array":
                values[path] = True
            elif event != "end_array":
                raise ExportError(_NOT_AN_EXPORT)
            if "guild.id" in values and "channel.id" in values:
                break
        elif path in _HEADER and event in ("string", "number"):
            values[path] = value
    return values


def _guild_id(value: object) -> int:
    """The guild's id; 0, which the tool writes for direct messages, stays 0."""
    if value in ("0", 0):
        return 0
    try:
        return snowflake(value)
    except RecordError:
        raise ExportError("The guild's id in the file is no Discord id.") from None


def _parent_id(value: object) -> int | None:
    """The channel of a thread, which the tool writes as its category; None if it is missing or no id."""
    try:
        return snowflake(value)
    except RecordError:
        return None


def _begins(after: object, channel_id: int) -> bool:
    """Whether messages were asked for from no later than a channel's beginning on. Its id is the time of that."""
    if after is None:
        return True
    moment = _moment(after)
    return moment is not None and first_id_at(moment) <= channel_id


def _moment(value: object) -> datetime | None:
    """An ISO 8601 time in UTC; None if it is missing or cannot be parsed."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
