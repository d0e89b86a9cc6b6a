"""Merges any number of export files: each message once, replies joined to their targets, in stretches to record."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.domain.message import Message
from bot.domain.stretch import Place, Stretch
from bot.exports.error import ExportError, SeveralGuildsError
from bot.exports.export_file import ExportFile, ExportHeader
from bot.exports.file_search import BrokenFile, FoundFile, find_exports
from bot.exports.reader import begins_as_export
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
    archive, but only one at a time. With `guild_id`, the files of other guilds are left out.
    """

    def __init__(self, paths: Iterable[Path], progress: Progress | None = None, *, guild_id: int | None = None) -> None:
        self._paths = tuple(paths)
        self._progress = progress
        self._wanted = guild_id
        self._held = ExitStack()
        self._guild_id: int | None = None
        self.files = 0
        """The number of usable files, including those without a message."""
        self.broken_files: tuple[BrokenFile, ...] = ()
        """The files that cannot be used, in the order in which they were found."""
        self.left_out: Mapping[int, tuple[Path, ...]] = {}
        """The files of other guilds than the one that was named, by guild."""
        self.messages = 0
        """The number of distinct messages."""
        self.unresolved_replies = 0
        """The number of counted replies to a message that is in none of the files."""

    def __enter__(self) -> Self:
        """Read all files.

        Raises:
            SeveralGuildsError: The files are from more than one guild, and none was named.
            ExportError: None of the files is from the guild that was named.
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
        return self._guild_id

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
        total = sum(file.size for file in found if isinstance(file, FoundFile))
        done = 0
        self._report(0, total)
        headers = self._headers(found)
        guilds = _by_guild(headers)
        self._leave_out_others(guilds)
        broken: list[BrokenFile] = []
        for file in found:
            if isinstance(file, BrokenFile):
                broken.append(file)
                continue
            header = headers.get(file.path)
            try:
                if isinstance(header, ExportError):
                    raise header
                if header is not None and self._wanted in {None, header.guild_id}:
                    self._stage(file, header, done, total)
                    self._require_one_guild(header.guild_id, guilds)
                    self.files += 1
            except ExportError as error:
                broken.append(BrokenFile(file.path, str(error)))
            done += file.size
            self._report(done, total)
        self.broken_files = tuple(broken)

    def _headers(self, found: Iterable[FoundFile | BrokenFile]) -> dict[Path, ExportHeader | ExportError]:
        """The header of each file, or why it has none that can be used; without attachments that are no exports."""
        headers: dict[Path, ExportHeader | ExportError] = {}
        for file in found:
            if isinstance(file, BrokenFile):
                continue
            try:
                if file.among_media and not begins_as_export(file.path):
                    continue
                headers[file.path] = _recordable(ExportFile(file.path).header())
            except ExportError as error:
                headers[file.path] = error
        return headers

    def _leave_out_others(self, guilds: Mapping[int, Sequence[Path]]) -> None:
        """Note the files of other guilds than the one that was named."""
        if self._wanted is None:
            return
        if guilds and self._wanted not in guilds:
            raise ExportError(f"None of the files is from the server {self._wanted}; they are from {_listed(guilds)}.")
        self.left_out = {guild_id: tuple(paths) for guild_id, paths in guilds.items() if guild_id != self._wanted}

    def _require_one_guild(self, guild_id: int, guilds: Mapping[int, Sequence[Path]]) -> None:
        """A file of a guild could be read: it must be the only one."""
        if self._guild_id not in {None, guild_id}:
            raise SeveralGuildsError(f"The files are from {len(guilds)} servers: {_listed(guilds)}.")
        self._guild_id = guild_id

    def _stage(self, file: FoundFile, header: ExportHeader, done: int, total: int) -> None:
        export = ExportFile(file.path)
        self._staging.add(
            guild_id=header.guild_id,
            channel_id=header.channel_id,
            is_thread=header.is_thread,
            seen_at=header.exported_at,
            # min(): a file that is still being written may have grown.
            messages=export.messages(lambda read: self._report(done + min(read, file.size), total)),
        )

    def _report(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(done, total)


def _recordable(header: ExportHeader) -> ExportHeader:
    """The header, unchanged; ExportError if what it is an export of is never recorded."""
    if header.is_direct:
        raise ExportError("Exports of direct messages are not imported: Spade records the channels of a guild.")
    if header.is_private_thread:
        raise ExportError("Private threads are not recorded.")
    return header


def _by_guild(headers: Mapping[Path, ExportHeader | ExportError]) -> dict[int, list[Path]]:
    """The files of each guild, as far as their headers can be read."""
    guilds: dict[int, list[Path]] = {}
    for path, header in headers.items():
        if not isinstance(header, ExportError):
            guilds.setdefault(header.guild_id, []).append(path)
    return guilds


def _listed(guilds: Mapping[int, Sequence[Path]]) -> str:
    counts = ((guild_id, len(paths)) for guild_id, paths in sorted(guilds.items()))
    return ", ".join(f"{guild_id} ({count} file{'' if count == 1 else 's'})" for guild_id, count in counts)
