"""A temporary database that collects the messages of many export files before they are recorded.

It uses sqlite3 directly, without SQLAlchemy: it exists for one command, is written in bulk and read in order. Messages
are kept in pieces of some thousands, packed, since nearly all files have them in order and each once. Where pieces of a
channel overlap, their messages go through a table of single ones, in which the newest copy of each wins.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import islice
from operator import lt
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from bot.domain.evidence import UNDATED, ImportedChannel
from bot.domain.message import MessageKind
from bot.domain.stretch import Place
from bot.store.database import StoreError
from bot.store.staged_piece import MILLISECOND, NUMBER_OF_KIND, RepliedTo, StagedMessage, StagedPiece, ids_of

PIECE = 8192
"""The most messages in a piece."""
_MOST_SOUGHT = 50_000
"""So many messages that are replied to, and do not stand shortly before, are looked for at once."""
_COUNTED_TOGETHER = 100_000
_REPLY = NUMBER_OF_KIND[MessageKind.REPLY]
_STARTER = NUMBER_OF_KIND[MessageKind.STARTER]
_NOT_COUNTED = bytes((NUMBER_OF_KIND[MessageKind.OTHER], _STARTER))

# An unknown value is 0 and never NULL: rows are compared as tuples, and a comparison with NULL gives NULL.
_SCHEMA = """
PRAGMA synchronous = OFF;
PRAGMA journal_mode = TRUNCATE;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA cache_size = -4000;
CREATE TABLE channel (
    channel_id INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    is_thread INTEGER NOT NULL,
    parent_id INTEGER NOT NULL,
    begins INTEGER NOT NULL
) STRICT;
CREATE TABLE piece (
    piece_id INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL,
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    ids BLOB NOT NULL,
    authors BLOB NOT NULL,
    rest BLOB NOT NULL
) STRICT;
CREATE INDEX piece_of_channel ON piece (channel_id, first_id, last_id, messages);
CREATE TABLE message (
    channel_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    author_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    reply_to_id INTEGER NOT NULL,
    mentions TEXT NOT NULL,
    PRIMARY KEY (channel_id, message_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE target (
    message_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    author_id INTEGER NOT NULL,
    original INTEGER NOT NULL,
    PRIMARY KEY (message_id, channel_id)
) STRICT, WITHOUT ROWID;
"""
_ADD_CHANNEL = """
INSERT INTO channel (channel_id, guild_id, is_thread, parent_id, begins) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (channel_id) DO UPDATE SET is_thread = max(is_thread, excluded.is_thread),
    parent_id = max(parent_id, excluded.parent_id), begins = max(begins, excluded.begins)
"""
_ADD_PIECE = """
INSERT INTO piece (channel_id, first_id, last_id, messages, ids, authors, rest) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
# The newest copy of a message wins; two of the same time are one, as in domain/evidence.py.
_ADD_MESSAGE = """
INSERT INTO message (channel_id, seen_at, message_id, author_id, kind, flags, reply_to_id, mentions)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (channel_id, message_id) DO UPDATE SET (seen_at, author_id, kind, flags, reply_to_id, mentions) = (
    SELECT excluded.seen_at,
        iif(older, excluded.author_id, max(author_id, excluded.author_id)),
        iif(older, excluded.kind, max(kind, excluded.kind)),
        iif(older, excluded.flags, flags | excluded.flags),
        iif(older, excluded.reply_to_id, max(reply_to_id, excluded.reply_to_id)),
        iif(older, excluded.mentions, united(mentions, excluded.mentions))
    FROM (SELECT seen_at < excluded.seen_at AS older)
) WHERE seen_at <= excluded.seen_at
"""
_MESSAGES = """
SELECT seen_at, message_id, author_id, kind, flags, reply_to_id, mentions FROM message
WHERE channel_id = ? AND message_id > ? ORDER BY message_id LIMIT ?
"""
_LOOSE = "SELECT 1 FROM message WHERE channel_id = ?"
_EXTENTS = "SELECT piece_id, first_id, last_id FROM piece WHERE channel_id = ? ORDER BY first_id, piece_id"
_PIECE = "SELECT ids, authors, rest FROM piece WHERE piece_id = ?"
# A thread repeats its starter message under the same id, by whoever started it: it is asked for who wrote that last.
_TARGET = """
SELECT author_id, original FROM target WHERE message_id = ?
ORDER BY original DESC, original AND channel_id <> ?, channel_id LIMIT 1
"""
_CHANNELS = """
SELECT guild_id, channel_id, is_thread, parent_id, begins FROM channel ORDER BY channel_id
"""


class Staging:
    """The staged messages of any number of channels; a context manager that deletes everything at its end.

    Call `add` any number of times, then `close_intake`, then the other methods. Different threads may use it, but only
    one at a time. Every method raises StoreError if the temporary directory cannot be used, as with a full disk.
    """

    def __init__(self) -> None:
        self._held = ExitStack()
        self._authors: set[int] = set()
        self._unresolved = 0

    def __enter__(self) -> Self:
        with _as_store_errors(), ExitStack() as held:
            path = _empty_file(held)
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            held.callback(self._database.close)
            self._database.create_function("united", 2, _united, deterministic=True)
            self._database.executescript(_SCHEMA)
            self._held = held.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._held.close()

    def add(
        self,
        *,
        guild_id: int,
        channel_id: int,
        is_thread: bool,
        parent_id: int | None,
        begins: bool,
        seen_at: datetime | None,
        messages: Iterable[StagedMessage],
    ) -> None:
        """Stage one file's messages, all or none: if `messages` raises, none of them is kept, and `add` can go on.

        Of a message that is staged twice, the copy with the newest `seen_at` is kept (None is the oldest).
        `reply_to_author_id` is not stored: when a message is read, it is looked up among all staged messages. What is
        known of the channel is the same for all its files.
        """
        seen = ((seen_at or UNDATED) - UNDATED) // MILLISECOND
        waiting = iter(messages)
        with _as_store_errors(), self._transaction():
            self._database.execute(_ADD_CHANNEL, (channel_id, guild_id, is_thread, parent_id or 0, begins))
            while some := list(islice(waiting, PIECE)):
                ids = [message[0] for message in some]
                if all(map(lt, ids, islice(ids, 1, None))):
                    self._add_piece(channel_id, StagedPiece.of(some, seen))
                else:
                    place = (channel_id, seen)
                    self._database.executemany(_ADD_MESSAGE, (place + message for message in some))

    def close_intake(self) -> None:
        """Prepare for reading; nothing can be added afterwards."""
        with _as_store_errors(), self._transaction():
            channels = [channel.place.channel_id for channel in self.channels()]
            for channel_id in channels:
                self._put_in_order(channel_id)
            sought: Counter[int] = Counter()
            for channel_id in channels:
                for piece, missing in self._with_targets(channel_id):
                    counted = piece.kinds.translate(None, _NOT_COUNTED)
                    self._authors.update(
                        piece.authors if len(counted) == len(piece) else _counted_authors(piece.authors, piece.kinds)
                    )
                    self._unresolved += _replies_to_nothing(piece)
                    for place, target_id in missing:
                        sought[target_id] += piece.kinds[place] == _REPLY and piece.authors[place] != 0
                    if len(sought) > _MOST_SOUGHT:
                        self._find(sought)
            self._find(sought)
            self._authors.discard(0)
        with _as_store_errors():
            self._database.execute("PRAGMA query_only = ON")

    def _add_piece(self, channel_id: int, piece: StagedPiece) -> None:
        self._database.execute(_ADD_PIECE, (channel_id, piece.ids[0], piece.ids[-1], len(piece), *piece.packed()))

    def _put_in_order(self, channel_id: int) -> None:
        """Let no two pieces of a channel overlap, so that each message is in one of them, and they can be ordered."""
        extents = self._database.execute(_EXTENTS, (channel_id,)).fetchall()
        if self._database.execute(_LOOSE, (channel_id,)).fetchone() is not None:
            self._unite(channel_id, [piece_id for piece_id, _, _ in extents])
            return
        together: list[int] = []
        last_id = 0
        for piece_id, piece_first_id, piece_last_id in extents:
            if piece_first_id > last_id:
                self._unite(channel_id, together)
                together = []
            together.append(piece_id)
            last_id = max(last_id, piece_last_id)
        self._unite(channel_id, together)

    def _unite(self, channel_id: int, piece_ids: Sequence[int]) -> None:
        """Put the messages of some pieces, and those that are in none, into pieces that do not overlap."""
        if len(piece_ids) <= 1 and self._database.execute(_LOOSE, (channel_id,)).fetchone() is None:
            return
        for piece_id in piece_ids:
            place = (channel_id,)
            found = self._piece(piece_id).messages()
            self._database.executemany(_ADD_MESSAGE, ((*place, seen, *message) for seen, message in found))
            self._database.execute("DELETE FROM piece WHERE piece_id = ?", (piece_id,))
        after_id = 0
        while rows := self._database.execute(_MESSAGES, (channel_id, after_id, PIECE)).fetchall():
            self._add_piece(channel_id, StagedPiece.of([row[1:] for row in rows], [row[0] for row in rows]))
            after_id = rows[-1][1]
        self._database.execute("DELETE FROM message WHERE channel_id = ?", (channel_id,))

    def _piece(self, piece_id: int) -> StagedPiece:
        return StagedPiece.unpacked(self._database.execute(_PIECE, (piece_id,)).fetchone())

    def _with_targets(self, channel_id: int) -> Iterator[tuple[StagedPiece, list[tuple[int, int]]]]:
        """A channel's pieces in order, with the targets of replies as far as they are in the channel and not far away.

        The others come with the places of those that reply to them.
        """
        near: dict[int, int] = {}
        nearest: dict[int, int] = {}
        for piece_id, _, _ in self._database.execute(_EXTENTS, (channel_id,)).fetchall():
            piece = self._piece(piece_id)
            written: Iterator[tuple[int, int]] = zip(piece.ids, piece.authors, strict=True)
            if _STARTER in piece.kinds:
                original = (kind != _STARTER for kind in piece.kinds)
                written = (one for one, is_it in zip(written, original, strict=True) if is_it)
            if len(nearest) >= PIECE:
                near, nearest = nearest, {}
            nearest.update(written)
            missing: list[tuple[int, int]] = []
            for place, (_, target_id, _) in piece.more.items():
                if target_id in nearest:
                    piece.targets[target_id] = RepliedTo(nearest[target_id], original=True)
                elif target_id in near:
                    piece.targets[target_id] = RepliedTo(near[target_id], original=True)
                elif target_id:
                    missing.append((place, target_id))
            yield piece, missing

    def _find(self, sought: Counter[int]) -> None:
        """Note who wrote the messages that are `sought`, and count the replies to those that are not staged."""
        for channel_id, piece_id, ids in self._all_ids():
            here = sought.keys() & set(ids)
            if here:
                piece = self._piece(piece_id)
                rows = zip(piece.ids, piece.authors, piece.kinds, strict=True)
                self._database.executemany(
                    "INSERT OR IGNORE INTO target (message_id, channel_id, author_id, original) VALUES (?, ?, ?, ?)",
                    [(one, channel_id, author_id, kind != _STARTER) for one, author_id, kind in rows if one in here],
                )
        for target_id, replies in sought.items():
            if self._database.execute(_TARGET, (target_id, 0)).fetchone() is None:
                self._unresolved += replies
        sought.clear()

    def _all_ids(self) -> Iterator[tuple[int, int, list[int]]]:
        for channel_id, piece_id, ids in self._database.execute("SELECT channel_id, piece_id, ids FROM piece"):
            yield channel_id, piece_id, ids_of(ids)

    def count_messages(self) -> int:
        """The number of distinct messages; a thread's copy of its starter message is not counted again."""
        with _as_store_errors():
            extents = self._database.execute(
                "SELECT first_id, last_id, messages, piece_id FROM piece ORDER BY first_id"
            ).fetchall()
            number = sum(int(messages) for _, _, messages, _ in extents)
            lasts = [last_id for _, last_id, _, _ in extents]
            if all(map(lt, lasts, (first_id for first_id, *_ in islice(extents, 1, None)))):
                return number
            return sum(map(self._count_between, *_ranges(extents)))

    def _count_between(self, first_id: int, end_id: int) -> int:
        query = "SELECT ids FROM piece WHERE first_id < ? AND last_id >= ?"
        found: set[int] = set()
        for (ids,) in self._database.execute(query, (end_id, first_id)):
            found.update(one for one in ids_of(ids) if first_id <= one < end_id)
        return len(found)

    def count_authors(self, left_out: AbstractSet[int] = frozenset()) -> int:
        """The number of people who wrote a counted message, without `left_out`."""
        return len(self._authors - left_out)

    def count_unresolved_replies(self) -> int:
        """The number of counted replies to a message that is not staged, or to none."""
        return self._unresolved

    def channels(self) -> tuple[ImportedChannel, ...]:
        """Every channel by id, including empty ones."""
        with _as_store_errors():
            rows = self._database.execute(_CHANNELS).fetchall()
        return tuple(
            ImportedChannel(Place(guild_id, channel_id, bool(is_thread), parent_id=parent_id or None), bool(begins))
            for guild_id, channel_id, is_thread, parent_id, begins in rows
        )

    def pieces(self, channel_id: int) -> Iterator[StagedPiece]:
        """The messages of a channel, oldest first, with who wrote what they reply to."""
        with _as_store_errors():
            for piece, missing in self._with_targets(channel_id):
                for target_id in {target_id for _, target_id in missing}:
                    found = self._database.execute(_TARGET, (target_id, channel_id)).fetchone()
                    if found is not None:
                        piece.targets[target_id] = RepliedTo(found[0], bool(found[1]))
                yield piece

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:  # on a full disk SQLite rolls back by itself
                self._database.execute("ROLLBACK")
            raise


def _counted_authors(authors: Sequence[int], kinds: bytes) -> set[int]:
    return {author_id for author_id, kind in zip(authors, kinds, strict=True) if kind not in _NOT_COUNTED}


def _replies_to_nothing(piece: StagedPiece) -> int:
    """How many replies by people do not tell what they reply to."""
    telling = sum(bool(one[1]) and piece.kinds[place] == _REPLY for place, one in piece.more.items())
    if piece.kinds.count(_REPLY) == telling:
        return 0
    return sum(
        kind == _REPLY and author_id != 0 and not (place in piece.more and piece.more[place][1])
        for place, (kind, author_id) in enumerate(zip(piece.kinds, piece.authors, strict=True))
    )


def _ranges(extents: Sequence[tuple[int, int, int, int]]) -> tuple[list[int], list[int]]:
    """Where ranges of ids begin and end that hold everything, and not too many messages each; by the pieces' order."""
    firsts, messages = [0], 0
    for first_id, _, number, _ in extents:
        if messages > _COUNTED_TOGETHER and first_id > firsts[-1]:
            firsts.append(first_id)
            messages = 0
        messages += number
    return firsts, [*firsts[1:], max(last_id for _, last_id, _, _ in extents) + 1]


def _empty_file(held: ExitStack) -> Path:
    """A new file with mode 0600 in its own temporary directory, which is deleted when `held` is closed."""
    try:
        directory = held.enter_context(TemporaryDirectory(prefix="spade-", ignore_cleanup_errors=True))
        path = Path(directory, "staging.db")
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise _unusable(error) from error
    return path


@contextmanager
def _as_store_errors() -> Iterator[None]:
    """Turn errors of sqlite3 into StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise _unusable(error) from error


def _unusable(error: Exception) -> StoreError:
    return StoreError(f"The temporary files of the import cannot be written or read: {error}.")


def _united(one: str, other: str) -> str:
    return one if one == other else " ".join(map(str, sorted({*map(int, one.split()), *map(int, other.split())})))
