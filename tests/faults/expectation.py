"""What the record must contain, derived from the world alone, and how a database differs from it.

Only deleted messages are uncertain, and only some of them: a message that was deleted while the bot was not connected,
or before the bot had recorded it, may have been seen or not. Facts of such a message are not compared; its activity
may be counted or not. A message that cannot be read, and is known not to be, counts for nothing; that it was replied to
can still be known. One that is known to be missing may have been read all the same, and stand before others, as where
what was said before it is unreadable: facts of others that depend on it may be on record or not.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.faults.town import exported, is_person
from tests.oracle import record as oracle
from tests.support.days import DAYS

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from bot.sandbox import Channel, PostedMessage
    from tests.faults.town import Town
from tests.support.summed import differences_in

Row = tuple[Any, ...]


@dataclass(slots=True)
class Difference:
    """How many rows a database lacks (`lost`) or should not have (`doubled`), with a line for each."""

    lost: int = 0
    doubled: int = 0
    lines: list[str] = field(default_factory=list)

    def note(self, what: str, missing: int, surplus: int) -> None:
        """Count a difference."""
        self.lost += missing
        self.doubled += surplus
        self.lines.append(f"{what}: {missing} missing, {surplus} too many")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rows that must be in a table, and those that may be in it."""

    required: frozenset[Row]
    allowed: frozenset[Row]

    @classmethod
    def among(cls, some: frozenset[Row], others: frozenset[Row], missing: Collection[int]) -> Wanted:
        """Both are possible: what they have in common is required. Of `missing` messages nothing is allowed."""
        readable = frozenset(row for row in some | others if row[0] not in missing)
        return cls(readable & some & others, readable)


def facts(
    town: Town,
    without: Collection[int] = (),
    unreadable: Collection[int] = (),
    places: Collection[Channel] | None = None,
) -> dict[str, frozenset[Row]]:
    """Touches and waiting entries of what can be read now, as rows; with `places`, judged by what is in these alone."""
    managers = [manager.id for manager in town.managers]
    documents = exported(town, frozenset(without), frozenset(unreadable), places)
    found = oracle.derive(oracle.collect(documents), managers)
    return {
        "touch": frozenset(
            (
                touch.message_id,
                touch.member_id,
                touch.manager_id,
                touch.channel_id,
                touch.kind,
                touch.at,
                touch.replied_at,
            )
            for touch in found.touches
        ),
        "wrote_back": frozenset(
            (entry.message_id, entry.only_reply_to) for entry in found.waiting if entry.only_reply_to is not None
        ),
        "waiting": frozenset((entry.message_id, entry.member_id, entry.channel_id) for entry in found.waiting),
        "waiting_for": frozenset(
            (entry.message_id, manager_id) for entry in found.waiting for manager_id in entry.waits_for
        ),
    }


def alone(town: Town, messages: Collection[PostedMessage]) -> bool:
    """Whether nothing else on record would differ if these messages had never been sent."""
    ids = {message.id for message in messages}
    places = _judged_by(town, messages)
    before, after = facts(town, places=places), facts(town, ids, places=places)
    return all({row for row in before[table] if row[0] not in ids} == after[table] for table in before)


def _judged_by(town: Town, messages: Collection[PostedMessage]) -> list[Channel]:
    """The places with facts that these messages can change, and those that tell the openers of these.

    Threads that were started on one of them begin with a message that refers to it.
    """
    ids = {message.id for message in messages}
    touched = {message.channel_id for message in messages}
    touched |= {place.id for place in town.places if any(_refers(one, ids) for one in place.log)}
    parents = {place.parent_id for place in town.places if place.id in touched}
    return [place for place in town.places if place.id in touched | parents]


def _refers(message: PostedMessage, ids: Collection[int]) -> bool:
    return message.reference is not None and message.reference.message_id in ids


def compare(
    town: Town,
    database: Path,
    uncertain: Collection[int],
    uncounted: Collection[int],
    unreadable: Collection[int] = (),
    undecided: Collection[int] = (),
) -> Difference:
    """How a database differs in a town. `uncertain` messages may have facts, `uncounted` ones may be counted.

    Every message is in a span or in a known gap, and only `unreadable` ones are in gaps, and `undecided` ones, which
    cannot be judged without them.
    """
    difference = Difference()
    missing = {*unreadable, *undecided}
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        without, whole = facts(town, unreadable=unreadable), facts(town)
        expected = {table: Wanted.among(without[table], whole[table], missing) for table in whole}
        _compare_facts(town, connection, uncertain, expected, difference)
        _compare_activity(town, connection, uncounted, missing, difference)
        _compare_gaps(town, connection, missing, difference)
    for line in differences_in(database):
        difference.note(line, 0, 1)
    return difference


def _compare_gaps(
    town: Town, connection: sqlite3.Connection, unreadable: Collection[int], difference: Difference
) -> None:
    """Note the known gaps that are due to no unreadable message: such messages are all that may be in one.

    A gap may be known of a channel that is gone, since nobody need have heard of its deletion, and of a message that
    was deleted before it could be read: it is asked for again for a while.
    """
    deleted = {gone.message.id for gone in town.deletions}
    query = "SELECT channel_id, first_id, last_id, reason FROM known_gap WHERE guild_id = ?"
    for channel_id, first_id, last_id, reason in connection.execute(query, (town.guild.id,)).fetchall():
        place = town.world.state.channels.get(channel_id)
        if place is None:
            continue
        within = [one.id for one in place.log if first_id <= one.id <= last_id]
        empty = not within and not any(first_id <= one <= last_id for one in deleted)
        if empty or not set(within) <= set(unreadable):
            about = "".join(_around(town, one, difference) for one in within if one not in unreadable)
            difference.note(f"known gap of {channel_id}, {first_id} to {last_id} ({reason}){about}", 1, 0)


def _compare_facts(
    town: Town,
    connection: sqlite3.Connection,
    uncertain: Collection[int],
    expected: dict[str, Wanted],
    difference: Difference,
) -> None:
    managers = {manager.id for manager in town.managers}
    here = (town.guild.id,)
    waiting = {
        row
        for row in connection.execute("SELECT message_id, member_id, channel_id FROM waiting WHERE guild_id = ?", here)
        if row[1] not in managers
    }
    entries = {row[0] for row in waiting}
    wrote_back = {row[0] for row in expected["wrote_back"].allowed}
    actual = {
        "touch": {
            row
            for row in connection.execute(
                "SELECT message_id, member_id, manager_id, channel_id, kind, touched_at, "
                f"CASE kind WHEN 'reply' THEN (replied_to_id >> 22) + {oracle.milliseconds(0)} END FROM touch "
                "WHERE guild_id = ?",
                here,
            )
            if row[1] not in managers
        },
        "wrote_back": {
            row
            for row in connection.execute("SELECT message_id, reply_to_id FROM waiting WHERE reply_to_id IS NOT NULL")
            if row[0] in wrote_back
        },
        "waiting": waiting,
        "waiting_for": {
            row for row in connection.execute("SELECT message_id, manager_id FROM waiting_for") if row[0] in entries
        },
    }
    for table, wanted in expected.items():
        missing = wanted.required - actual[table]
        surplus = {row for row in actual[table] - wanted.allowed if row[0] not in uncertain}
        for row in sorted(missing):
            difference.note(f"{table} {row}{_around(town, row[0], difference)}", 1, 0)
        for row in sorted(surplus):
            difference.note(f"{table} {row}{_around(town, row[0], difference)}", 0, 1)


def _around(town: Town, message_id: int, difference: Difference) -> str:
    """The messages before one, as lines that help to explain a difference; empty after twenty differences."""
    if len(difference.lines) > 20:
        return ""
    gone = {one.message.id: one for one in town.deletions}
    everything = [*town.messages, *(one.message for one in town.deletions)]
    place = next((one.channel_id for one in everything if one.id == message_id), 0)
    here = sorted(
        (one for one in everything if one.channel_id == place and one.id <= message_id), key=lambda one: one.id
    )
    lines = []
    for one in here[-20:]:
        said = [
            one.author.name,
            f"type {one.type}",
            *(town.world.state.users[user_id].name for user_id in one.mentions),
        ]
        if one.reference is not None:
            said.append(f"to {one.reference.message_id}")
        if one.id in gone:
            said.append(f"deleted (counted {gone[one.id].counted}, heard {gone[one.id].heard})")
        lines.append(f"\n      {one.id} {one.created_at:%M:%S.%f} {', '.join(said)}")
    return "".join(lines)


def _compare_activity(
    town: Town,
    connection: sqlite3.Connection,
    uncounted: Collection[int],
    unreadable: Collection[int],
    difference: Difference,
) -> None:
    readable = [message for message in town.messages if message.id not in unreadable]
    sent = [message for message in (*readable, *(gone.message for gone in town.deletions)) if _counts(message)]
    certain = [message for message in sent if message.id not in uncounted]
    least, most = Counter(map(_day, certain)), Counter(map(_day, sent))
    actual = {
        (member_id, day): count
        for member_id, day, count in connection.execute(
            f"SELECT member_id, day, messages FROM ({DAYS}) WHERE guild_id = ?", (town.guild.id,)
        )
    }
    for key in sorted(most.keys() | actual.keys()):
        count = actual.get(key, 0)
        if not least[key] <= count <= most[key]:
            difference.note(f"activity {key}: {count}", max(0, least[key] - count), max(0, count - most[key]))
    _compare_appearances(town, connection, sent, certain, difference)


def _compare_appearances(
    town: Town,
    connection: sqlite3.Connection,
    sent: list[PostedMessage],
    certain: list[PostedMessage],
    difference: Difference,
) -> None:
    places = {message.id: message.channel_id for message in sent}
    columns = "member_id, first_message_id, first_channel_id, last_message_id, last_channel_id"
    query = f"SELECT {columns} FROM member WHERE guild_id = ?"
    actual = {row[0]: row[1:] for row in connection.execute(query, (town.guild.id,))}
    for author_id in sorted({message.author.id for message in certain} | actual.keys()):
        own = sorted(message.id for message in sent if message.author.id == author_id)
        sure = sorted(message.id for message in certain if message.author.id == author_id)
        first_id, first_in, last_id, last_in = actual.get(author_id, (None,) * 4)
        right = (
            first_id in own
            and (not sure or first_id <= sure[0] <= sure[-1] <= last_id)
            and last_id in own
            and (places[first_id], places[last_id]) == (first_in, last_in)
        )
        if not right:
            difference.note(f"member {author_id}: {actual.get(author_id)}", 1, 0)


def _counts(message: PostedMessage) -> bool:
    return is_person(message.author) and message.type in {0, 19}


def _day(message: PostedMessage) -> tuple[int, str]:
    at = datetime.fromtimestamp(oracle.milliseconds(message.id) / 1000, UTC)
    return message.author.id, at.date().isoformat()
