"""Merges any number of export files: each message once, replies joined to their targets, in stretches to record."""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.domain.message import Message
from bot.domain.stretch import Place, Stretch
from bot.exports.error import ExportError
from bot.exports.export_file import ExportFile, ExportHeader
from bot.exports.file_search import BrokenFile, FoundFile, find_exports
from bot.store.staging import Staging

CONTEXT_MESSAGES = 50
"""The number of messages before a stretch that it has as context at first."""

Progress = Callable[[int, int], None]
"""Called with the bytes read and the bytes in total, from (0, total) to (total, total); the first never decreases."""


class Archive:
    """The exports under some paths: files, or folders with files in them.

    A context manager: entering it reads every file once into a temporary database, leaving it removes that database.
    The result does not depend on the order of the files, nor on whether they overlap, repeat one another or are parts
    of one export. A broken file contributes nothing but its entry in `broken_files`. Different threads may use an
    archive, but only one at a time.
    """

    def __init__(self, paths: Iterable[Path], progress: Progress | None = None) -> None:
        self._paths = tuple(paths)
        self._progress = progress
        self._held = ExitStack()
        self._first: tuple[Path, int] | None = None
        self.files = 0
        """The number of usable files, including those without a message."""
        self.broken_files: tuple[BrokenFile, ...] = ()
        """The other files, in the order in which they were found."""
        self.messages = 0
        """The number of distinct messages."""
        self.unresolved_replies = 0
        """The number of counted replies to a message that is in none of the files."""

    def __enter__(self) -> Self:
        """Read all files.

        Raises:
            ExportError: The files are from two different guilds.
            StoreError: The temporary database cannot be written.
        """
        with ExitStack() as held:
            self._staging = held.enter_context(Staging())
            self._read()
            self._staging.close_intake()
            self.messages = self._staging.count_messages()
            self.unresolved_replies = self._staging.count_unresolved_replies()
            self._held = held.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._held.close()

    @property
    def guild_id(self) -> int | None:
        """The guild of all files; None if no file is usable."""
        return None if self._first is None else self._first[1]

    def count_members(self, managers: AbstractSet[int] = frozenset()) -> int:
        """The number of people with a counted message, without the managers."""
        return self._staging.count_authors(managers)

    def stretches(self, limit: int = 1000) -> Iterator[Stretch]:
        """Everything the files cover, channel by channel, oldest first, with at most `limit` messages in a stretch.

        Pieces of the same covered range adjoin. Each has the 50 messages before it as context; `earlier`
        adds more. Context reaches across ranges that no file covers, because no other source is available.
        """
        if limit < 1:
            raise ValueError("limit must be at least 1")
        for place in self._staging.places():
            for first_id, last_id in self._staging.covered(place.channel_id):
                yield from self._pieces(place, first_id, last_id, limit)

    def earlier(self, stretch: Stretch, count: int) -> Stretch:
        """The stretch with up to `count` more messages of context; `context_first_id` is 0 if there are no more."""
        if count < 1:
            raise ValueError("count must be at least 1")
        if stretch.context_first_id == 0:
            return stretch
        messages, first_id = self._context(stretch.place.channel_id, stretch.context_first_id, count)
        return replace(stretch, context=messages + stretch.context, context_first_id=first_id)

    def _pieces(self, place: Place, first_id: int, last_id: int, limit: int) -> Iterator[Stretch]:
        while first_id <= last_id:
            messages = self._staging.messages_from(place.channel_id, first_id, last_id, limit=limit)
            # A covered range ends with a message, so it is never empty and its last piece ends there.
            end_id = messages[-1].message_id
            context, context_first_id = self._context(place.channel_id, first_id, CONTEXT_MESSAGES)
            yield Stretch(place, first_id, end_id, messages, context, context_first_id)
            first_id = end_id + 1

    def _context(self, channel_id: int, before_id: int, count: int) -> tuple[tuple[Message, ...], int]:
        """The last `count` messages before a position, and the position from which they are complete."""
        messages = self._staging.messages_before(channel_id, before_id, limit=count + 1)
        if len(messages) <= count:
            return messages, 0
        return messages[1:], messages[1].message_id

    def _read(self) -> None:
        found = list(find_exports(self._paths))
        broken: list[BrokenFile] = []
        total = sum(file.size for file in found if isinstance(file, FoundFile))
        done = 0
        self._report(0, total)
        for file in found:
            if isinstance(file, BrokenFile):
                broken.append(file)
                continue
            try:
                header = self._stage(file, done, total)
            except ExportError as error:
                broken.append(BrokenFile(file.path, str(error)))
            else:
                self._require_one_guild(file.path, header.guild_id)
                self.files += 1
            done += file.size
            self._report(done, total)
        self.broken_files = tuple(broken)

    def _stage(self, file: FoundFile, done: int, total: int) -> ExportHeader:
        export = ExportFile(file.path)
        header = export.header()
        if header.is_direct:
            raise ExportError("Exports of direct messages are not imported: Spade records the channels of a guild.")
        if header.is_private_thread:
            raise ExportError("Private threads are not recorded.")
        self._staging.add(
            guild_id=header.guild_id,
            channel_id=header.channel_id,
            is_thread=header.is_thread,
            seen_at=header.exported_at,
            # min(): a file that is still being written may have grown.
            messages=export.messages(lambda read: self._report(done + min(read, file.size), total)),
        )
        return header

    def _require_one_guild(self, path: Path, guild_id: int) -> None:
        if self._first is None:
            self._first = (path, guild_id)
        elif self._first[1] != guild_id:
            first_path, first_id = self._first
            raise ExportError(
                f"The files are from two different guilds, {first_id} ({first_path}) and "
                f"{guild_id} ({path}): import one guild at a time."
            )

    def _report(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(done, total)
