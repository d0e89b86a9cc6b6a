"""Merges any number of export files: each message once, replies joined to their targets, channel by channel."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from datetime import datetime
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.domain.evidence import CLOCK_TOLERANCE, ImportedChannel
from bot.domain.snowflake import HIGHEST_ID, first_id_at
from bot.exports.error import ExportError, SeveralGuildsError
from bot.exports.export_file import ExportFile, ExportHeader
from bot.exports.file_search import BrokenFile, FoundFile, find_exports
from bot.exports.layout import LayoutError
from bot.exports.reader import begins_as_export
from bot.store.staged_piece import StagedMessage, StagedPiece, staged
from bot.store.staging import Staging

Progress = Callable[[int, int], None]
"""Called with the bytes read and the bytes in total, from (0, total) to (total, total); the first never decreases."""


class Archive:
    """The exports under some paths: files, or folders with files in them.

    A context manager: entering it reads every file once into a temporary database, leaving it removes that database.
    The result does not depend on the order of the files, nor on whether they overlap, repeat one another or are parts
    of one export. A broken file contributes nothing but its entry in `broken_files`. Different threads may use an
    archive, but only one at a time. With `guild_id`, the files of other guilds are left out. A message that would be
    from after its file's export, or after `now` if that is given, is left out; its file stands in `broken_files` and
    counts in `files` all the same.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        progress: Progress | None = None,
        *,
        guild_id: int | None = None,
        now: datetime | None = None,
    ) -> None:
        self._paths = tuple(paths)
        self._progress = progress
        self._wanted = guild_id
        self._now = now
        self._held = ExitStack()
        self._guild_id: int | None = None
        self._reported = 0
        self.files = 0
        """The number of usable files, including those without a message."""
        self.broken_files: tuple[BrokenFile, ...] = ()
        """The files that cannot be used, or not all of them, in the order in which they were found."""
        self.left_out: Mapping[int, tuple[Path, ...]] = {}
        """The files of other guilds than the one that was named, by guild."""
        self.paths_by_channel: dict[int, list[Path]] = {}
        """The usable files of each channel."""
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

    def channels(self) -> Sequence[ImportedChannel]:
        """Every channel of which there is a file, by rising id."""
        return self._staging.channels()

    def pieces(self, channel_id: int) -> Iterator[StagedPiece]:
        """A channel's messages, oldest first, each once, some thousands at a time."""
        return self._staging.pieces(channel_id)

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
                    late = self._stage(file, header, done, total)
                    self._require_one_guild(header.guild_id, guilds)
                    self.files += 1
                    self.paths_by_channel.setdefault(header.channel_id, []).append(file.path)
                    if late:
                        broken.append(BrokenFile(file.path, _said_late(late)))
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

    def _stage(self, file: FoundFile, header: ExportHeader, done: int, total: int) -> int:
        """Stage a file's messages; returns how many are left out, since they would be from after the export."""

        def on_read(read: int) -> None:
            # min(): a file that is still being written may have grown.
            self._report(done + min(read, file.size), total)

        export = ExportFile(file.path)
        written_by = min((moment for moment in (header.exported_at, self._now) if moment is not None), default=None)
        try:
            return self._stage_messages(header, written_by, export.laid_out_messages(on_read))
        except LayoutError:
            return self._stage_messages(header, written_by, ([staged(message)] for message in export.messages(on_read)))

    def _stage_messages(
        self, header: ExportHeader, written_by: datetime | None, messages: Iterable[list[StagedMessage]]
    ) -> int:
        late: list[int] = []
        self._staging.add(
            guild_id=header.guild_id,
            channel_id=header.channel_id,
            is_thread=header.is_thread,
            parent_id=header.parent_id,
            begins=header.begins,
            seen_at=header.exported_at,
            messages=chain.from_iterable(_written_by(written_by, messages, late)),
        )
        return len(late)

    def _report(self, done: int, total: int) -> None:
        self._reported = max(self._reported, done)  # a file may be read a second time
        if self._progress is not None:
            self._progress(self._reported, total)


def _recordable(header: ExportHeader) -> ExportHeader:
    """The header, unchanged; ExportError if what it is an export of is never recorded."""
    if header.is_direct:
        raise ExportError("Exports of direct messages are not imported: Spade records the channels of a guild.")
    if header.is_private_thread:
        raise ExportError("Private threads are not recorded.")
    return header


def _written_by(
    moment: datetime | None, messages: Iterable[list[StagedMessage]], late: list[int]
) -> Iterator[list[StagedMessage]]:
    """The messages up to a moment, with some tolerance; the ids of the others are added to `late`."""
    end_id = HIGHEST_ID + 1 if moment is None else first_id_at(moment + CLOCK_TOLERANCE)
    for some in messages:
        if some and max(some)[0] >= end_id:
            late += [message[0] for message in some if message[0] >= end_id]
            yield [message for message in some if message[0] < end_id]
        else:
            yield some


def _said_late(count: int) -> str:
    what = "1 message has an id" if count == 1 else f"{count} messages have ids"
    return f"{what} from after the export: left out. The rest of the file is imported."


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
