"""One DiscordChatExporter JSON file, streamed: what it is an export of, and its messages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ijson

from bot.domain.message import Message
from bot.exports.error import ExportError
from bot.exports.facts import RecordError, message_of, snowflake
from bot.exports.reader import ExportReader

_READ_SIZE = 64 * 1024
_HEADER_READ_SIZE = 4 * 1024
_NOT_AN_EXPORT = "The file is JSON, but not an export of DiscordChatExporter."
# Versions of the tool that did not yet know a channel type wrote its number.
_DIRECT_NUMBERS = {"1", "3"}
_PRIVATE_THREAD_NUMBER = "12"
_THREAD_NUMBERS = {"10", "11", _PRIVATE_THREAD_NUMBER}


@dataclass(frozen=True, slots=True)
class ExportHeader:
    """What a file is an export of. `guild_id` is 0 for direct messages, `exported_at` None when the file says none."""

    guild_id: int
    channel_id: int
    is_thread: bool
    is_private_thread: bool
    is_direct: bool
    exported_at: datetime | None


class ExportFile:
    """A file on disk; nothing is read before it is asked for, and never more than a piece of it at a time.

    Indented or compact, with or without a byte order mark, from any version of the tool.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def header(self) -> ExportHeader:
        """What stands before the messages (or after them, should somebody have sorted the keys).

        Raises:
            ExportError: The file cannot be read or is no export.
        """
        with ExportReader(self.path) as reader, _sentences(reader):
            values = _header_values(reader)
        if "messages" not in values or "channel.id" not in values or "guild.id" not in values:
            raise ExportError(_NOT_AN_EXPORT)
        channel_type = str(values.get("channel.type", ""))
        guild_id = _guild_id(values["guild.id"])
        try:
            channel_id = snowflake(values["channel.id"])
        except RecordError:
            raise ExportError("The channel's id in the file is no Discord id.") from None
        return ExportHeader(
            guild_id=guild_id,
            channel_id=channel_id,
            is_thread=channel_type.endswith("Thread") or channel_type in _THREAD_NUMBERS,
            is_private_thread=channel_type.endswith("PrivateThread") or channel_type == _PRIVATE_THREAD_NUMBER,
            is_direct=channel_type.startswith("Direct") or channel_type in _DIRECT_NUMBERS or guild_id == 0,
            exported_at=_moment(values.get("exportedAt")),
        )

    def messages(self, on_read: Callable[[int], None] | None = None) -> Iterator[Message]:
        """Its messages as they come, with `reply_to_author_id` left open.

        A file that is broken at its end raises only there: whoever keeps messages must be ready to drop them again.

        Args:
            on_read: Told now and then how many bytes of the file were read.

        Raises:
            ExportError: The file cannot be read, is no export, or is cut off.
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
def _sentences(reader: ExportReader) -> Iterator[None]:
    """Every way in which the parser says no becomes a sentence; its own words quote the file."""
    try:
        yield
    except (ijson.JSONError, ValueError) as error:
        if reader.exhausted:
            raise ExportError("The file is cut off before its end: export it again.") from None
        if "trailing garbage" in str(error):
            raise ExportError("The file goes on after the end of the export.") from None
        raise ExportError("The file is not valid JSON.") from None
    except MemoryError:
        raise ExportError("The file is not an export of DiscordChatExporter: it holds too much in one piece.") from None


def _records(reader: ExportReader) -> Iterator[object]:
    """The entries of `messages`, as Python values. What the caller does with one is outside of the parser's errors."""
    with _sentences(reader):
        # use_float keeps numbers in C: the parser crashes when Python refuses to build an absurdly long integer.
        yield from ijson.items(reader, "messages.item", buf_size=_READ_SIZE, use_float=True)


def _header_values(reader: ExportReader) -> dict[str, Any]:
    """The few values wanted, by path; `messages` stands for a list that is there. Stops as soon as it can."""
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
        elif path in ("guild.id", "channel.id", "channel.type", "exportedAt") and event in ("string", "number"):
            values[path] = value
    return values


def _guild_id(value: object) -> int:
    """The guild's id; 0 is what the tool writes for direct messages."""
    if value in ("0", 0):
        return 0
    try:
        return snowflake(value)
    except RecordError:
        raise ExportError("The guild's id in the file is no Discord id.") from None


def _moment(value: object) -> datetime | None:
    """An ISO 8601 time in UTC; None when it cannot be read, as when it is missing."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
