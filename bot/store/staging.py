"""A temporary database that collects the messages of many export files before they are recorded.

It uses sqlite3 directly, without SQLAlchemy: it exists for one command, is written in bulk and read in order.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from bot.domain.message import Message, MessageKind
from bot.domain.stretch import Place
from bot.store.database import StoreError

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNKNOWN_MOMENT = -(2**62)
_NOBODY = 0
_KINDS = tuple(MessageKind)
_NUMBER_OF_KIND = {kind: number for number, kind in enumerate(_KINDS)}
_NOTICE = _NUMBER_OF_KIND[MessageKind.NOTICE]
_MENTIONS_NO_PERSON = 1
_MENTIONS_CROWD = 2

# An unknown value is 0 and never NULL: rows are compared as tuples, and a comparison with NULL gives NULL.
_SCHEMA = """
PRAGMA synchronous = OFF;
PRAGMA journal_mode = TRUNCATE;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA cache_size = -16000;
CREATE TABLE channel (
    channel_id INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    is_thread INTEGER NOT NULL
) STRICT;
CREATE TABLE cover (
    channel_id INTEGER NOT NULL,
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL
) STRICT;
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
"""
_ADD_CHANNEL = """
INSERT INTO channel (channel_id, guild_id, is_thread) VALUES (?, ?, ?)
ON CONFLICT (channel_id) DO UPDATE SET is_thread = max(is_thread, excluded.is_thread)
"""
# The newest copy of a message wins; of two with the same time the greater row, so that the order does not matter.
_ADD_MESSAGE = """
INSERT INTO message (channel_id, message_id, seen_at, author_id, kind, flags, reply_to_id, mentions)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (channel_id, message_id) DO UPDATE SET
    seen_at = excluded.seen_at, author_id = excluded.author_id, kind = excluded.kind,
    flags = excluded.flags, reply_to_id = excluded.reply_to_id, mentions = excluded.mentions
WHERE (excluded.seen_at, excluded.author_id, excluded.kind, excluded.flags, excluded.reply_to_id, excluded.mentions)
    > (seen_at, author_id, kind, flags, reply_to_id, mentions)
"""
# A thread repeats its starter message under the same id, so the reply's own channel is searched first.
_FACTS = """
SELECT message_id, author_id, kind, flags, reply_to_id, mentions, CASE reply_to_id WHEN 0 THEN 0 ELSE coalesce(
    (SELECT target.author_id FROM message AS target
        WHERE target.channel_id = message.channel_id AND target.message_id = message.reply_to_id),
    (SELECT target.author_id FROM message AS target
        WHERE target.message_id = message.reply_to_id ORDER BY target.channel_id LIMIT 1)
) END, CASE reply_to_id WHEN 0 THEN NULL ELSE (SELECT notice.mentions FROM message AS notice
    WHERE notice.message_id = message.reply_to_id AND notice.kind = ? LIMIT 1
) END
FROM message
"""
_MESSAGES_FROM = _FACTS + "WHERE channel_id = ? AND message_id BETWEEN ? AND ? ORDER BY message_id LIMIT ?"
_MESSAGES_BEFORE = _FACTS + "WHERE channel_id = ? AND message_id < ? ORDER BY message_id DESC LIMIT ?"
_UNRESOLVED_REPLIES = """
SELECT count(*) FROM message WHERE kind = ? AND author_id <> 0 AND NOT EXISTS (
    SELECT 1 FROM message AS target WHERE target.message_id = message.reply_to_id
)
"""
_PLACES = """
SELECT guild_id, channel_id, is_thread, (
    SELECT author_id FROM message WHERE message.channel_id = channel.channel_id ORDER BY message_id LIMIT 1
)
FROM channel ORDER BY channel_id
"""

_Facts = tuple[int, int, int, int, int, str, int | None, str | None]


class Staging:
    """The staged messages of any number of channels; a context manager that deletes everything at its end.

    Call `add` any number of times, then `close_intake`, then the other methods. Different threads may use it, but only
    one at a time. Every method raises StoreError if the temporary directory cannot be used, as with a full disk.
    """

    def __init__(self) -> None:
        self._held = ExitStack()

    def __enter__(self) -> Self:
        with _as_store_errors(), ExitStack() as held:
            path = _empty_file(held)
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            held.callback(self._database.close)
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
        seen_at: datetime | None,
        messages: Iterable[Message],
    ) -> None:
        """Stage one file's messages, all or none: if `messages` raises, none of them is kept, and `add` can go on.

        They cover the channel from their lowest to their highest id. Of a message that is staged twice, the copy with
        the newest `seen_at` is kept (None is the oldest). `reply_to_author_id` is not stored: when a message is read,
        it is looked up among all staged messages.
        """
        seen = _UNKNOWN_MOMENT if seen_at is None else (seen_at - _UNIX_EPOCH) // _MICROSECOND
        bounds: list[int] = []
        with _as_store_errors(), self._transaction():
            self._database.execute(_ADD_CHANNEL, (channel_id, guild_id, is_thread))
            self._database.executemany(_ADD_MESSAGE, _rows(channel_id, seen, messages, bounds))
            if bounds:
                self._database.execute("INSERT INTO cover VALUES (?, ?, ?)", (channel_id, *bounds))

    def close_intake(self) -> None:
        """Prepare for reading; nothing can be added afterwards."""
        with _as_store_errors():
            # Building the index once is cheaper than updating it with every message.
            self._database.executescript("CREATE INDEX message_by_id ON message (message_id, channel_id)")
            self._database.execute("PRAGMA query_only = ON")

    def count_messages(self) -> int:
        """The number of distinct messages; a thread's copy of its starter message is not counted again."""
        return self._count("SELECT count(DISTINCT message_id) FROM message")

    def count_authors(self, left_out: AbstractSet[int] = frozenset()) -> int:
        """The number of people who wrote a counted message, without `left_out`."""
        query = "SELECT DISTINCT author_id FROM message WHERE author_id <> 0 AND kind <> ?"
        with _as_store_errors():
            rows = self._database.execute(query, (_NUMBER_OF_KIND[MessageKind.OTHER],)).fetchall()
        return sum(author_id not in left_out for (author_id,) in rows)

    def count_unresolved_replies(self) -> int:
        """The number of counted replies to a message that is not staged, or to none."""
        return self._count(_UNRESOLVED_REPLIES, _NUMBER_OF_KIND[MessageKind.REPLY])

    def places(self) -> tuple[Place, ...]:
        """Every channel by id, including empty ones; a thread's opener is the author of its first staged message."""
        with _as_store_errors():
            rows = self._database.execute(_PLACES).fetchall()
        return tuple(
            Place(guild_id, channel_id, bool(is_thread), (opener_id or None) if is_thread else None)
            for guild_id, channel_id, is_thread, opener_id in rows
        )

    def covered(self, channel_id: int) -> list[tuple[int, int]]:
        """The ranges (first and last id) that the files cover, oldest first; overlapping ones are merged."""
        query = "SELECT first_id, last_id FROM cover WHERE channel_id = ? ORDER BY first_id, last_id"
        joined: list[tuple[int, int]] = []
        with _as_store_errors():
            covers = self._database.execute(query, (channel_id,)).fetchall()
        for first_id, last_id in covers:
            if joined and first_id <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], last_id))
            else:
                joined.append((first_id, last_id))
        return joined

    def messages_from(self, channel_id: int, first_id: int, last_id: int, *, limit: int) -> tuple[Message, ...]:
        """The oldest messages from `first_id` to `last_id`, both included, at most `limit`; oldest first."""
        with _as_store_errors():
            rows = self._database.execute(_MESSAGES_FROM, (_NOTICE, channel_id, first_id, last_id, limit)).fetchall()
        return tuple(map(_message, rows))

    def messages_before(self, channel_id: int, message_id: int, *, limit: int) -> tuple[Message, ...]:
        """The newest messages before `message_id`, at most `limit`; oldest first."""
        with _as_store_errors():
            rows = self._database.execute(_MESSAGES_BEFORE, (_NOTICE, channel_id, message_id, limit)).fetchall()
        return tuple(map(_message, reversed(rows)))

    def _count(self, query: str, *values: int) -> int:
        with _as_store_errors():
            (count,) = self._database.execute(query, values).fetchone()
        return int(count)

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


def _rows(
    channel_id: int, seen: int, messages: Iterable[Message], bounds: list[int]
) -> Iterator[tuple[int | str, ...]]:
    """Rows for the message table; at the end sets `bounds` to the lowest and highest id, if there was a message."""
    lowest, highest = 2**63, 0
    for message in messages:
        message_id = message.message_id
        lowest = min(lowest, message_id)
        highest = max(highest, message_id)
        yield (
            channel_id,
            message_id,
            seen,
            message.author_id or _NOBODY,
            _NUMBER_OF_KIND[message.kind],
            _MENTIONS_NO_PERSON * message.mentions_no_person + _MENTIONS_CROWD * message.mentions_crowd,
            message.reply_to_id or _NOBODY,
            " ".join(map(str, sorted(message.mentions))) if message.mentions else "",
        )
    if highest:
        bounds[:] = lowest, highest


def _message(facts: _Facts) -> Message:
    message_id, author_id, kind, flags, reply_to_id, mentions, reply_to_author_id, about = facts
    message = Message(
        message_id=message_id,
        author_id=author_id or None,
        kind=_KINDS[kind],
        mentions=_ids(mentions),
        mentions_no_person=bool(flags & _MENTIONS_NO_PERSON),
        mentions_crowd=bool(flags & _MENTIONS_CROWD),
        reply_to_id=reply_to_id or None,
    )
    return message.replying_to(reply_to_author_id or None, _ids(about or ""))


def _ids(text: str) -> frozenset[int]:
    return frozenset(map(int, text.split()))
