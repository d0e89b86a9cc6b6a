"""A temporary database that collects the messages of many export files before they are recorded.

It uses sqlite3 directly, without SQLAlchemy: it exists for one command, is written in bulk and read in order.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from bot.domain.evidence import UNDATED, Copy, ImportedChannel
from bot.domain.message import Message, MessageKind
from bot.domain.stretch import Place
from bot.store.database import StoreError

_MILLISECOND = timedelta(milliseconds=1)
_NOBODY = 0
_KINDS = tuple(sorted(MessageKind))
NUMBER_OF_KIND = {kind: number for number, kind in enumerate(_KINDS)}
"""How a kind is written in a StagedMessage."""
MENTIONS_NO_PERSON = 1
"""In the flags of a StagedMessage: it mentions bots or the Deleted User as well."""
MENTIONS_CROWD = 2
"""In the flags of a StagedMessage: it mentions @everyone, @here or a role."""

# An unknown value is 0 and never NULL: rows are compared as tuples, and a comparison with NULL gives NULL.
_SCHEMA = """
PRAGMA synchronous = OFF;
PRAGMA journal_mode = TRUNCATE;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA cache_size = -16000;
CREATE TABLE channel (
    channel_id INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    is_thread INTEGER NOT NULL,
    parent_id INTEGER NOT NULL,
    begins INTEGER NOT NULL
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
INSERT INTO channel (channel_id, guild_id, is_thread, parent_id, begins) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (channel_id) DO UPDATE SET is_thread = max(is_thread, excluded.is_thread),
    parent_id = max(parent_id, excluded.parent_id), begins = max(begins, excluded.begins)
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
# A thread repeats its starter message under the same id, by whoever started it.
_FACTS = """
SELECT message_id, seen_at, author_id, kind, flags, reply_to_id, mentions, CASE WHEN reply_to_id <> 0 THEN coalesce(
    (SELECT target.author_id FROM message AS target WHERE target.channel_id = message.channel_id
        AND target.message_id = message.reply_to_id AND target.kind <> :starter),
    (SELECT target.author_id FROM message AS target WHERE target.message_id = message.reply_to_id
        AND target.kind <> :starter ORDER BY target.channel_id LIMIT 1)
) END, CASE WHEN reply_to_id <> 0 THEN
    (SELECT target.author_id FROM message AS target WHERE target.message_id = message.reply_to_id
        ORDER BY target.channel_id LIMIT 1)
END
FROM message
"""
_COPIES = _FACTS + "WHERE channel_id = :channel AND message_id > :after ORDER BY message_id LIMIT :limit"
_UNRESOLVED_REPLIES = """
SELECT count(*) FROM message WHERE kind = ? AND author_id <> 0 AND NOT EXISTS (
    SELECT 1 FROM message AS target WHERE target.message_id = message.reply_to_id
)
"""
_CHANNELS = """
SELECT guild_id, channel_id, is_thread, parent_id, begins FROM channel ORDER BY channel_id
"""

StagedMessage = tuple[int, int, int, int, int, str]
"""A message as it is staged: its id, its author, the number of its kind, MENTIONS_… flags, the message that it replies
to, and the ids of those whom it mentions, in order and divided by spaces. Who or what is unknown is 0."""

_Facts = tuple[int, int, int, int, int, int, str, int | None, int | None]


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
        seen = ((seen_at or UNDATED) - UNDATED) // _MILLISECOND
        with _as_store_errors(), self._transaction():
            self._database.execute(_ADD_CHANNEL, (channel_id, guild_id, is_thread, parent_id or 0, begins))
            place = (channel_id, seen)
            self._database.executemany(_ADD_MESSAGE, (place + message for message in messages))

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
        query = "SELECT DISTINCT author_id FROM message WHERE author_id <> 0 AND kind NOT IN (?, ?)"
        not_counted = (NUMBER_OF_KIND[MessageKind.OTHER], NUMBER_OF_KIND[MessageKind.STARTER])
        with _as_store_errors():
            rows = self._database.execute(query, not_counted).fetchall()
        return sum(author_id not in left_out for (author_id,) in rows)

    def count_unresolved_replies(self) -> int:
        """The number of counted replies to a message that is not staged, or to none."""
        return self._count(_UNRESOLVED_REPLIES, NUMBER_OF_KIND[MessageKind.REPLY])

    def channels(self) -> tuple[ImportedChannel, ...]:
        """Every channel by id, including empty ones."""
        with _as_store_errors():
            rows = self._database.execute(_CHANNELS).fetchall()
        return tuple(
            ImportedChannel(Place(guild_id, channel_id, bool(is_thread), parent_id=parent_id or None), bool(begins))
            for guild_id, channel_id, is_thread, parent_id, begins in rows
        )

    def copies(self, channel_id: int, after_id: int, *, limit: int) -> list[tuple[Copy, bool]]:
        """The oldest messages after `after_id`, at most `limit`, each with whether its reply has a staged target."""
        with _as_store_errors():
            rows = self._database.execute(
                _COPIES,
                {
                    "channel": channel_id,
                    "after": after_id,
                    "limit": limit,
                    "starter": NUMBER_OF_KIND[MessageKind.STARTER],
                },
            ).fetchall()
        moments = {seen_at: UNDATED + seen_at * _MILLISECOND for _, seen_at, *_ in rows}
        return [_copy(row, moments[row[1]]) for row in rows]

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


def staged(message: Message) -> StagedMessage:
    """A message as it is staged; `reply_to_author_id` is left out."""
    return (
        message.message_id,
        message.author_id or _NOBODY,
        NUMBER_OF_KIND[message.kind],
        MENTIONS_NO_PERSON * message.mentions_no_person + MENTIONS_CROWD * message.mentions_crowd,
        message.reply_to_id or _NOBODY,
        " ".join(map(str, sorted(message.mentions))) if message.mentions else "",
    )


def _united(one: str, other: str) -> str:
    return one if one == other else " ".join(map(str, sorted({*map(int, one.split()), *map(int, other.split())})))


def _copy(facts: _Facts, moment: datetime) -> tuple[Copy, bool]:
    message_id, _, author_id, kind, flags, reply_to_id, mentions, original_author_id, any_author_id = facts
    message = Message(
        message_id=message_id,
        author_id=author_id or None,
        kind=_KINDS[kind],
        mentions=frozenset(map(int, mentions.split())),
        mentions_no_person=bool(flags & MENTIONS_NO_PERSON),
        mentions_crowd=bool(flags & MENTIONS_CROWD),
        reply_to_id=reply_to_id or None,
        reply_to_author_id=(any_author_id if original_author_id is None else original_author_id) or None,
    )
    return Copy(message, moment), original_author_id is not None
