"""Consent is a stretch of time: what somebody wrote or received outside it goes on record by no door."""

import asyncio
import json
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.clock import DrivenClock
from bot.domain.forgetting import Forgotten, Objection, Scope, mark_of
from bot.domain.logged import WhenProblem
from bot.domain.message import Message, MessageKind
from bot.domain.relationship import Standing
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at, moment_of
from bot.domain.span import Span
from bot.domain.stretch import Place
from bot.exports.archive import Archive
from bot.services.guild.restoration import restore
from bot.services.members.privacy import PrivacyService
from bot.services.members.relationship import Logged, Relationships
from bot.services.members.roster import Roster, appoint, dismiss
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.follower import Follower
from bot.services.record.history_context import HistoryContext
from bot.services.record.history_reader import HistoryReader
from bot.services.record.imports import Importer
from bot.services.record.pages import pages
from bot.services.record.recorder import Recorder
from bot.store import forgetting, guilds, managers, people, retention, spans, tables
from bot.store.backup import make_backup
from bot.store.database import Database, open_database
from bot.store.wishes import Wishes, keep_to, wishes_in
from tests.support.channel_log import ChannelLog
from tests.support.messages import ANNA, BEN, CHANNEL, GUILD, MIA, NOAH, at, channel, moment, said, thread, whole
from tests.support.no_context import NoContext
from tests.support.rows import rows
from tests.support.sqlite_in_the_loop import sqlite_in_the_loop

ROOM = channel()
PEOPLE = (ANNA, BEN, MIA, NOAH)
MILLISECOND = timedelta(milliseconds=1)


@dataclass
class Spade:
    """One run of it, at a database that outlives it, beside a log that says what Discord has."""

    database: Database
    log: ChannelLog
    clock: DrivenClock

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.database, Rules())
        self.follower = Follower(self.database, self.recorder, self.log, self.clock, hold_seconds=0.02)
        self.privacy = PrivacyService(self.database, Roster(self.database, self.clock), self.clock)

    async def appoint(self, person_id: int) -> None:
        """Put somebody on the manager list and read all that is on record again for them."""
        async with self.database.writing() as connection:
            new = await appoint(connection, GUILD, [person_id], self.clock.now())
        for place in self.log.places.values() if new else ():
            async with self.database.reading() as connection:
                recorded = await spans.of_channel(connection, place.channel_id)
            for span in recorded:
                async for stretch in pages(self.log, place, span):
                    await self.recorder.read_again(stretch, HistoryContext(self.log), new)

    async def opt_in(self, person_id: int) -> bool:
        return await self.privacy.opt_in(GUILD, person_id, self.clock.now())

    async def import_file(self, path: Path) -> None:
        with Archive([path]) as archive:
            await Importer(self.database, Rules(), self.clock).run(archive, GUILD)


def exported(path: Path, place: Place, messages: Iterable[Message]) -> Path:
    """What DiscordChatExporter makes of a channel."""
    content = {
        "guild": {"id": str(GUILD)},
        "channel": {"id": str(place.channel_id), "type": "GuildTextChat"},
        "exportedAt": "2026-04-01T00:00:00+00:00",
        "messages": [
            {
                "id": str(one.message_id),
                "type": "Reply" if one.kind is MessageKind.REPLY else "Default",
                "content": "",
                "author": {"id": str(one.author_id), "isBot": False},
                "mentions": [{"id": str(person_id), "isBot": False} for person_id in sorted(one.mentions)],
                "reference": {"messageId": str(one.reply_to_id)} if one.reply_to_id else None,
            }
            for one in messages
        ],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


async def facts(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """The record, but for who opted out and what has been read."""
    found = await rows(database)
    del found["span"], found["known_gap"]
    return {name: some for name, some in found.items() if some}


async def returned(database: Database, minutes: float, *people: int, managing: Sequence[int] = (ANNA, BEN)) -> None:
    """These people were erased, and returned at that minute; after that the guild has its managers."""
    async with database.writing() as connection:
        for person_id in people:
            await forgetting.remember(connection, GUILD, person_id)
            await forgetting.return_at(connection, GUILD, person_id, moment(minutes))
        await managers.add(connection, GUILD, managing)


# Each door.

BEFORE_AND_AFTER = (
    said(0, MIA, mentions=[ANNA]),
    said(1, ANNA, to=(0, MIA)),
    said(2, BEN, mentions=[MIA]),
    said(10, ANNA, to=(0, MIA)),  # the millisecond of her return
    said(20, MIA, mentions=[ANNA]),
    said(21, ANNA, to=(20, MIA)),
    said(22, ANNA, to=(2, BEN)),
    said(23, BEN, to=(1, ANNA)),
    said(24, ANNA, to=(0, MIA)),
)
SINCE_MINUTE_10 = {
    MIA: {
        "touch": [(at(21), ANNA, at(20)), (at(24), ANNA, None)],
        "waiting": [at(20)],
        "activity": {MIA: 1, ANNA: 5, BEN: 2},
    },
    ANNA: {
        "touch": [(at(2), BEN, None), (at(21), ANNA, at(20)), (at(24), ANNA, at(0))],
        "waiting": [at(20)],
        "activity": {MIA: 2, ANNA: 3, BEN: 2},
    },
}


async def live(spade: Spade) -> None:
    await spade.follower.catch_up([ChannelSnapshot(ROOM, 0)], spade.follower.session)
    for message in spade.log.all_of(ROOM):
        with spade.follower.receiving(ROOM, message.message_id) as heard:
            heard(message)
    await spade.follower.settle()


async def from_history(spade: Spade) -> None:
    """As a gap is filled, and a channel caught up with."""
    async for stretch in pages(spade.log, ROOM, Span(CHANNEL, at(30))):
        await spade.recorder.record(stretch, HistoryContext(spade.log))


async def imported(spade: Spade) -> None:
    with TemporaryDirectory() as folder:
        path = exported(Path(folder) / "room.json", ROOM, spade.log.all_of(ROOM))
        for _ in range(2):
            await spade.import_file(path)


async def read_again(spade: Spade) -> None:
    """Nobody managed when the channel was recorded."""
    async with spade.database.writing() as connection:
        await managers.remove(connection, GUILD, [ANNA, BEN])
    await from_history(spade)
    for person_id in (ANNA, BEN):
        await spade.appoint(person_id)


@pytest.mark.parametrize("door", [live, from_history, imported, read_again])
@pytest.mark.parametrize("person_id", [MIA, ANNA])
async def test_by_no_door(database: Database, door: Callable[[Spade], Awaitable[None]], person_id: int) -> None:
    """A member or a manager who was erased and is back since minute 10."""
    await returned(database, 10, person_id)
    spade = Spade(database, ChannelLog(), DrivenClock(moment(-1)))
    spade.log.post(ROOM, *BEFORE_AND_AFTER)
    await door(spade)
    found = await facts(database)
    expected: dict[str, Any] = SINCE_MINUTE_10[person_id]
    columns = list(tables.touch.c.keys())
    manager, replied_to = columns.index("manager_id"), columns.index("replied_to_id")
    touches = [(row[0], row[manager], row[replied_to]) for row in found["touch"] if row[1] == MIA]
    if (
        door is imported
    ):  # who wrote what is outside consent is not kept, so that files cannot tell whom a reply answers
        expected = {**expected, "touch": [one for one in expected["touch"] if (person_id, one[0]) != (MIA, at(24))]}
    assert touches == expected["touch"]
    assert [row[0] for row in found["waiting"] if row[3] == MIA] == expected["waiting"]
    written: Counter[int] = Counter()
    for row in found["activity"]:
        written[row[1]] += row[3]
    assert written == expected["activity"]
    first = {row[1]: row[2] for row in found["member"]}
    assert first[person_id] == {MIA: at(20), ANNA: at(21)}[person_id]
    assert all(row[0] > at(10) for row in found["waiting_for"] if row[1] == person_id)


async def test_what_is_said_outside_consent_stands_between_others(database: Database) -> None:
    """Ben would answer Noah, if Mia had not spoken in between; and Ben's post is hers, whenever she is recorded."""
    await returned(database, 1, MIA)
    talk = (said(0, NOAH, mentions=[BEN]), said(0.5, MIA), said(1.2, BEN), said(3, NOAH), said(3.1, BEN))
    await Recorder(database, Rules()).record(whole(ROOM, *talk), NoContext())
    assert [(row[0], row[1], row[5]) for row in (await facts(database))["touch"]] == [(at(3.1), NOAH, "answer")]
    post = thread(MIA, CHANNEL + 1)
    await Recorder(database, Rules()).record(whole(post, said(0, MIA), said(2, ANNA)), NoContext())
    assert (at(2), MIA, ANNA) in [row[:3] for row in (await facts(database))["touch"]]
    assert at(0) not in [row[0] for row in (await rows(database, tables.waiting))["waiting"] if row[3] == MIA]


async def test_somebody_who_is_on_the_list_opts_out_as_a_member_and_anybody_else_altogether(database: Database) -> None:
    """Anna manages all along; Noah is appointed later, while he is out, and Ben after his return."""
    spade = Spade(database, ChannelLog(), DrivenClock(moment(-10)))
    await returned(database, -20, managing=[ANNA])
    hello = [said(minute, person, to=(-9, MIA)) for minute, person in ((1, ANNA), (2, NOAH), (3, BEN))]
    more = [said(minute, person, to=(-9, MIA)) for minute, person in ((21, ANNA), (22, NOAH), (23, BEN))]
    spade.log.post(ROOM, said(-9, MIA), *hello, *(said(30 + n, MIA, mentions=[one]) for n, one in enumerate(PEOPLE)))
    for person_id in (ANNA, NOAH, BEN):
        assert await spade.privacy.opt_out(GUILD, person_id) is (person_id == ANNA)
    spade.clock.set(moment(10))
    await spade.appoint(NOAH)
    for person_id in (ANNA, BEN):
        assert await spade.opt_in(person_id)
        assert not await spade.opt_in(person_id)
    await spade.appoint(BEN)
    spade.log.post(ROOM, *more)
    await from_history(spade)
    found = await facts(database)
    assert [(row[0], row[2]) for row in found["touch"]] == [
        (at(1), ANNA),
        (at(21), ANNA),
        (at(22), NOAH),
        (at(23), BEN),
    ]
    assert {row[1] for row in found["activity"]} == {MIA, ANNA, BEN}
    assert [row[2] for row in found["member"] if row[1] in (ANNA, BEN)] == [at(21), at(23)]
    async with database.reading() as connection:
        unrecorded = await forgetting.unrecorded(connection, GUILD)
    since = {one: unrecorded.recorded_since(one) for one in PEOPLE}
    assert since == {ANNA: moment(10), BEN: moment(10), MIA: None, NOAH: None}
    assert await spade.opt_in(NOAH)
    assert not (await spade.privacy.stored(GUILD, NOAH)).opted_out_at


@pytest.mark.parametrize(
    ("person_id", "when", "logged"),
    [
        (MIA, "2026-03-02 12:09", False),
        (MIA, "2026-03-02 12:10", False),
        (MIA, "2026-03-02 12:11", True),
        (MIA, None, True),
        (ANNA, "2026-03-02 12:10", False),
        (ANNA, "2026-03-02 12:11", True),
        (NOAH, "2026-03-02 12:09", True),
    ],
)
@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_contact_is_logged_of_the_time_since_both_are_recorded(
    database: Database, person_id: int, when: str | None, logged: bool
) -> None:
    await returned(database, 10, person_id)
    clock = DrivenClock(moment(20))
    service = Relationships(database, mock.AsyncMock(), clock, Rules(), mock.AsyncMock())
    found = await service.log(GUILD, ANNA, MIA, interaction_id=at(20), when=when)
    assert isinstance(found, Logged) if logged else found is WhenProblem.OBJECTED
    assert len((await rows(database, tables.touch))["touch"]) == logged
    async with database.writing() as connection:
        await forgetting.remember(connection, GUILD, MIA)
    assert await service.log(GUILD, ANNA, MIA, interaction_id=at(20), when=when) is Standing.UNRECORDED


@pytest.mark.parametrize("deeds", ["dismiss, opt out", "opt out, dismiss, opt in", "opt out, dismiss, appoint"])
async def test_what_somebody_did_as_a_manager_goes_when_they_opt_out_as_none(database: Database, deeds: str) -> None:
    spade = Spade(database, ChannelLog(), DrivenClock(moment(-10)))
    await returned(database, -20, managing=[ANNA, BEN])
    spade.log.post(ROOM, said(0, MIA), said(1, BEN, to=(0, MIA)), said(2, MIA, to=(1, BEN)), said(3, ANNA, to=(0, MIA)))
    await from_history(spade)
    assert [(row[0], row[2]) for row in (await facts(database))["touch"]] == [(at(1), BEN), (at(3), ANNA)]
    for minute, deed in enumerate(deeds.split(", "), start=10):
        spade.clock.set(moment(minute))
        match deed:
            case "dismiss":
                async with database.writing() as connection:
                    await dismiss(connection, GUILD, [BEN], spade.clock.now())
            case "opt out":
                await spade.privacy.opt_out(GUILD, BEN)
            case "opt in":
                assert await spade.opt_in(BEN)
            case "appoint":
                await spade.appoint(BEN)
    found = await facts(database)
    assert [(row[0], row[2]) for row in found["touch"]] == [(at(3), ANNA)]
    assert [row[0] for row in found["waiting"]] == [at(2)], "it waits for the team"
    assert "waiting_for" not in found


# What keeps it.


async def marks(database: Database) -> list[tuple[datetime | None, bool]]:
    async with database.reading() as connection:
        found = await connection.execute(select(tables.forgotten.c.until_at, tables.forgotten.c.is_lasting))
        return sorted(((row[0], row[1]) for row in found), key=str)


async def test_of_many_cycles_the_latest_is_kept_and_nothing_else(database: Database) -> None:
    spade = Spade(database, ChannelLog(), DrivenClock(moment(0)))
    for minute in (1, 5, 9):
        spade.clock.set(moment(minute))
        await spade.privacy.opt_out(GUILD, MIA)
        assert len(await marks(database)) == (minute > 1), "opting out leaves no mark"
        await spade.opt_in(MIA)
        assert await marks(database) == [(moment(minute), False)]
        await spade.privacy.erase(GUILD, MIA)
        assert await marks(database) == [(moment(minute), True)]
        spade.clock.set(moment(minute + 1))
        await spade.opt_in(MIA)
        assert await marks(database) == [(moment(minute + 1), False)]
    # A command that was sent before, or in the same millisecond, makes the time no earlier.
    await spade.privacy.erase(GUILD, MIA)
    await spade.privacy.opt_in(GUILD, MIA, moment(3))
    assert await marks(database) == [(moment(10) + MILLISECOND, False)]
    assert (await spade.privacy.stored(GUILD, MIA)).nothing


async def test_neither_retention_nor_a_new_import_nor_thirty_days_without_spade_forget_it(database: Database) -> None:
    await returned(database, 10, MIA)
    async with database.writing() as connection:
        await retention.forget_before(connection, GUILD, moment(10**6).date(), moment(10**6))
        await guilds.forget(connection, GUILD)
        await guilds.purge(connection, GUILD)
    assert await marks(database) == [(moment(10), False)]


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Database]:
    database = await open_database(f"sqlite:///{path}", write=True)
    try:
        yield database
    finally:
        await database.close()


Deed = Callable[[PrivacyService, int, int], Awaitable[object]]


async def opt_out(privacy: PrivacyService, guild_id: int, person_id: int) -> None:
    await privacy.opt_out(guild_id, person_id)


async def opt_in(privacy: PrivacyService, guild_id: int, person_id: int) -> None:
    await privacy.opt_in(guild_id, person_id, privacy._clock.now())


async def erase(privacy: PrivacyService, guild_id: int, person_id: int) -> None:
    await privacy.erase(guild_id, person_id)


CYCLES: dict[str, tuple[tuple[Deed, ...], tuple[Deed, ...], bool, bool]] = {
    # What happened before the backup and after it; whether the person is recorded in the end, and their facts are left.
    "erased and back": ((), (erase, opt_in), True, False),
    "out and in": ((), (opt_out, opt_in), True, False),
    "out, in and out": ((), (opt_out, opt_in, opt_out), False, False),
    "erased, back and erased": ((), (erase, opt_in, erase), False, False),
    "back since": ((erase,), (opt_in,), True, False),
    "in since": ((opt_out,), (opt_in,), True, False),
    "out and in again": ((opt_out,), (opt_in, opt_out), False, False),
    "erased in place of out": ((opt_out,), (erase, opt_in), True, False),
    "out after being erased": ((), (erase, opt_in, opt_out), False, False),
    "nothing since": ((erase, opt_in), (), True, True),
    "another cycle": ((erase, opt_in), (opt_out, opt_in), True, False),
    "back for long, and out": ((opt_out, opt_in), (opt_out,), False, False),
}


async def test_a_backup_brings_nothing_from_before_the_return_back(tmp_path: Path, sqlite_template: Path) -> None:
    """Of a member, and of a manager, in a guild for each case; what both the backup and the database know is kept."""
    path, target = tmp_path / "spade.db", tmp_path / "backup"
    shutil.copy(sqlite_template, path)
    clock = DrivenClock(moment(0))
    cases = {GUILD + number: case for number, case in enumerate(product((MIA, ANNA), CYCLES))}

    async def happen(database: Database, guild_id: int, person_id: int, deeds: Iterable[Deed]) -> None:
        for deed in deeds:
            clock.set(clock.now() + timedelta(minutes=1))
            await deed(PrivacyService(database, Roster(database, clock), clock), guild_id, person_id)

    async with opened(path) as database:
        for guild_id, (person_id, name) in cases.items():
            await happen(database, guild_id, person_id, CYCLES[name][0])
        for guild_id in cases:
            place, first = Place(guild_id, CHANNEL + guild_id), at(200, guild_id)
            question = Message(first, MIA, mentions=frozenset({ANNA}))
            answer = Message(at(201, guild_id), ANNA, MessageKind.REPLY, reply_to_id=first, reply_to_author_id=MIA)
            async with database.writing() as connection:
                await managers.add(connection, guild_id, [ANNA])
            await Recorder(database, Rules()).record(whole(place, question, answer), NoContext())
        make_backup(path, target)
        clock.set(moment(300))
        for guild_id, (person_id, name) in cases.items():
            await happen(database, guild_id, person_id, CYCLES[name][1])
        known = [await wants(database, guild_id, person_id) for guild_id, (person_id, _) in cases.items()]
    restored = await restore(path, target, datetime(2026, 3, 3, tzinfo=UTC))
    # Nothing was left to take out of those who were on no record by then.
    assert restored.left_out == sum(not CYCLES[name][3] and name != "back since" for _, name in cases.values())
    async with opened(path) as database:
        assert [await wants(database, guild_id, person_id) for guild_id, (person_id, _) in cases.items()] == known
        found = await facts(database)
    for (guild_id, (person_id, name)), (state, *_) in zip(cases.items(), known, strict=True):
        before, after, recorded, left = CYCLES[name]
        assert (state is None) is recorded, name
        assert any(row[:2] == (guild_id, person_id) for row in found["activity"]) is left, name
        managing = person_id == ANNA and before != (erase,) and erase not in after
        touched = any(row[3] == guild_id for row in found["touch"])
        assert touched is (left or managing), "opting out leaves what a manager did"


async def wants(database: Database, guild_id: int, person_id: int) -> tuple[object, ...]:
    """Since when they have opted out or that they are erased, and from when on they were last recorded, by scope."""
    async with database.reading() as connection:
        unrecorded = await forgetting.unrecorded(connection, guild_id)
        opted_out_at = (await forgetting.facts_about(connection, guild_id, person_id)).get("member", [{}])[0]
    scopes = [unrecorded.forgotten.objection(person_id, scope) for scope in Scope]
    state = "erased" if person_id in unrecorded.forgotten else opted_out_at.get("opted_out_at")
    return state, *scopes


async def test_wishes_are_read_from_an_older_schema_and_written_by_another_key(tmp_path: Path) -> None:
    """A database that is replaced by one that is no copy of it: marks cannot be taken over, people on record can."""
    old = tmp_path / "old.db"
    key, other = bytes(32), bytes(range(32))
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript(
            "CREATE TABLE member (guild_id, member_id, opted_out_at); CREATE TABLE forgotten (guild_id, mark);"
            "CREATE TABLE installation (name, value);"
        )
        connection.execute("INSERT INTO installation VALUES ('forgotten_key', ?)", (key.hex(),))
        connection.execute("INSERT INTO forgotten VALUES (?, ?)", (GUILD, mark_of(key, GUILD, MIA)))
        connection.commit()
    found = wishes_in(old)
    assert found.forgotten == {GUILD: Forgotten(GUILD, key, {mark_of(key, GUILD, MIA): Objection()})}
    async with opened(tmp_path / "spade.db") as database:
        async with database.writing() as connection:
            await connection.execute(tables.installation.insert().values(name="forgotten_key", value=other.hex()))
        await Recorder(database, Rules()).record(whole(ROOM, said(0, MIA), said(1, NOAH), said(2, ANNA)), NoContext())
        returns = {mark_of(key, GUILD, NOAH): Objection(moment(5), lasting=False)}
        returns |= {mark_of(key, GUILD, ANNA, Scope.MEMBER): Objection(moment(6), lasting=False)}
        marks_there = {**found.forgotten[GUILD].marks, **returns}
        async with database.writing() as connection:
            assert await keep_to(connection, Wishes(forgotten={GUILD: Forgotten(GUILD, key, marks_there)})) == 3
        async with database.reading() as connection:
            unrecorded = await forgetting.unrecorded(connection, GUILD)
        assert await facts(database) == {}
    assert (MIA in unrecorded, unrecorded.recorded_since(NOAH)) == (True, moment(5))
    assert unrecorded.recorded_since(ANNA) == moment(6)


@pytest.mark.parametrize("there", [Objection(), Objection(moment(5)), Objection(moment(5), lasting=False)])
@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_an_older_wish_changes_nothing(database: Database, there: Objection) -> None:
    """What is put in the place of a database is the newer of the two."""
    await returned(database, 10, MIA)
    await Recorder(database, Rules()).record(whole(ROOM, said(11, MIA, mentions=[ANNA])), NoContext())
    async with database.writing() as connection:
        here = await forgetting.forgotten(connection, GUILD)
        older = Forgotten(GUILD, here.key, {here.mark(MIA): there})
        before = await facts(database)
        opted_out = {GUILD: {MIA: moment(1)}} if there == Objection() else {}
        assert await keep_to(connection, Wishes(opted_out, {GUILD: older})) == 0
        after = (await forgetting.unrecorded(connection, GUILD)).objection(MIA, Scope.MEMBER)
    assert (await facts(database), after) == (before, Objection(moment(10), lasting=False))


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_an_erased_person_gets_no_row_and_who_opted_out_nothing_else(database: Database) -> None:
    async with database.writing() as connection:
        await forgetting.remember(connection, GUILD, MIA)
        key = (await forgetting.forgotten(connection, GUILD)).key
        once = {mark_of(key, GUILD, MIA, Scope.MEMBER): Objection(moment(5), lasting=False)}
        assert await keep_to(connection, Wishes({GUILD: {MIA: moment(9)}}, {GUILD: Forgotten(GUILD, key, once)})) == 0
        await forgetting.set_opted_out(connection, GUILD, NOAH, moment(1))
        for person_id in (MIA, NOAH):
            await people.mark_departed(connection, GUILD, person_id, moment(10))
        found = await connection.execute(select(tables.member.c.member_id, tables.member.c.left_at))
        assert [tuple(row) for row in found] == [(NOAH, None)]


async def test_an_erasure_takes_the_ids_of_a_persons_messages_from_the_entries_of_others(database: Database) -> None:
    """Mia replied to messages of Anna and Ben, to whom both are named."""
    await returned(database, -20)
    talk = [
        said(0, ANNA, mentions=[MIA]),
        said(1, MIA, to=(0, ANNA), mentions=[BEN]),
        said(2, ANNA),
        said(3, MIA, to=(2, ANNA)),
        said(4, BEN, mentions=[MIA]),
        said(5, MIA, to=(4, BEN), mentions=[ANNA]),
    ]
    await Recorder(database, Rules()).record(whole(ROOM, *talk), NoContext())
    assert [row[4] for row in (await rows(database, tables.waiting))["waiting"]] == [at(0), at(2), at(4)]
    async with database.writing() as connection:
        await forgetting.erase(connection, GUILD, ANNA)
    assert [row[4] for row in (await rows(database, tables.waiting))["waiting"]] == [None, None, at(4)]


# Kills.


class _Gate:
    """Lets so many transactions begin, and after them none: as far as the file can tell, the process was killed."""

    def __init__(self, lets: int) -> None:
        self._left = lets
        self.shut = asyncio.Event()

    def at(self, database: Database) -> AbstractContextManager[object]:
        writing = database.writing

        @asynccontextmanager
        async def gated() -> AsyncIterator[Any]:
            if self._left == 0:
                self.shut.set()
                await asyncio.Event().wait()
            self._left -= 1
            async with writing() as connection:
                yield connection

        return mock.patch.object(database, "writing", gated)


async def test_killed_between_any_two_transactions_of_erasing_opting_in_and_appointing(
    tmp_path: Path, sqlite_template: Path
) -> None:
    """Whoever asks again for what was not done comes to the same record."""
    log = ChannelLog()
    log.post(ROOM, *BEFORE_AND_AFTER)
    clock = DrivenClock(moment(10))

    class Sights:
        def shown(self, _guild_id: int) -> Sequence[ChannelSnapshot]:
            return [log.snapshot(ROOM)]

        async def archived(
            self, _guild_id: int, _channel_id: int, _since_id: int
        ) -> tuple[Sequence[ChannelSnapshot], bool]:
            return [], True

    async def story(database: Database) -> None:
        """Everything from the beginning; a step that was done before does nothing, or the same."""
        spade = Spade(database, log, clock)
        reader = HistoryReader(database, spade.recorder, log, Sights(), clock)
        try:
            if (state := (await rows(database, tables.forgotten))["forgotten"]) == []:
                await spade.privacy.erase(GUILD, ANNA)
            if not state or state[0][3]:
                await spade.opt_in(ANNA)
            async with database.writing() as connection:
                await appoint(connection, GUILD, [ANNA], clock.now())
            await reader.resume(GUILD)
            for progress in reader.progress(GUILD):
                await reader.wait(progress.job)
        finally:
            await reader.stop()

    async def begun(number: int) -> Path:
        path = tmp_path / f"{number}.db"
        shutil.copy(sqlite_template, path)
        async with opened(path) as database:
            async with database.writing() as connection:
                await managers.add(connection, GUILD, [ANNA, BEN])
            await from_history(Spade(database, log, clock))
            assert len((await facts(database))["touch"]) == 7
        return path

    expected, lets = None, -1
    while True:
        gate = _Gate(lets)
        async with opened(await begun(lets)) as database:
            with gate.at(database):
                telling = asyncio.create_task(story(database))
                shut = asyncio.create_task(gate.shut.wait())
                await asyncio.wait({telling, shut}, return_when=asyncio.FIRST_COMPLETED)
                finished = telling.done()
                for task in (telling, shut):
                    task.cancel()
                await asyncio.gather(telling, shut, return_exceptions=True)
            await story(database)
            found = await rows(database, *tables.metadata.sorted_tables)
        found = {name: [row[:4] for row in found[name]] for name in ("touch", "waiting_for", "activity", "manager")}
        expected = expected or found
        assert found == expected, f"killed after {lets} transactions"
        if finished and lets >= 0:
            break
        lets += 1
    assert [row[0] for row in expected["touch"] if row[2] == ANNA] == [at(21), at(22), at(24)]
    assert [row for row in expected["waiting_for"] if row[1] == ANNA] == [(at(20), ANNA), (at(23), ANNA)]
    assert lets >= 6


# Anything, in any order.

STEPS = (
    "write",
    "reply",
    "write",
    "reply",
    "opt out",
    "erase",
    "opt in",
    "opt in",
    "appoint",
    "hide",
    "show",
    "restart",
    "import",
)


@dataclass
class Agreed:
    """The rule once more, as plainly as it can be said: of which moments nothing of whom may be on record."""

    out: set[int] = field(default_factory=set)
    erased: set[int] = field(default_factory=set)
    managing: set[int] = field(default_factory=set)
    until: dict[int, datetime] = field(default_factory=dict)
    member_until: dict[int, datetime] = field(default_factory=dict)

    def happens(self, what: str, who: int, now: datetime) -> None:
        match what:
            case "opt out" if who not in self.erased:
                self.out.add(who)
            case "erase":
                self.erased.add(who)
                self.out.discard(who)
                self.managing.discard(who)
            case "opt in" if who in self.out and who in self.managing:
                self.out.discard(who)
                self._now(self.member_until, who, now)
            case "opt in" if who in self.out | self.erased:
                self.out.discard(who)
                self.erased.discard(who)
                self._now(self.until, who, now)
            case "appoint" if who not in self.erased | self.managing:
                self.managing.add(who)
                if who in self.out:
                    self._now(self.until, who, now)

    @staticmethod
    def _now(until: dict[int, datetime], who: int, now: datetime) -> None:
        until[who] = max(now, until[who] + MILLISECOND) if who in until else now

    def anything(self, who: int, when: datetime) -> bool:
        return who not in self.erased and (who not in self.until or when > self.until[who])

    def as_member(self, who: int, when: datetime) -> bool:
        late = who not in self.member_until or when > self.member_until[who]
        return self.anything(who, when) and who not in self.out and late


def expected_record(messages: Sequence[Message], agreed: Agreed) -> dict[str, Any]:
    """What has to be on record of one channel in which nobody is answered without being named."""
    activity: Counter[int] = Counter()
    ends: dict[int, tuple[int, int]] = {}
    touches: set[tuple[int, int, int, str, int | None]] = set()
    waits: dict[int, tuple[int, frozenset[int], int | None]] = {}
    for one in messages:
        author, when, target = one.author_id, one.sent_at, one.reply_to_author_id
        assert author is not None
        if agreed.as_member(author, when):
            activity[author] += 1
            ends[author] = (ends.get(author, (one.message_id, 0))[0], one.message_id)
        named = dict.fromkeys(one.mentions, "mention") | ({target: "reply"} if target is not None else {})
        named.pop(author, None)
        if author in agreed.managing and agreed.anything(author, when):
            for who, kind in named.items():
                if agreed.as_member(who, when):
                    kept = kind == "reply" and agreed.as_member(who, moment_of(one.reply_to_id or 0))
                    touches.add((one.message_id, who, author, kind, one.reply_to_id if kept else None))
        asked = frozenset(who for who in named if who in agreed.managing and agreed.anything(who, when))
        if asked and agreed.as_member(author, when):
            kept = target in asked and agreed.anything(target or 0, moment_of(one.reply_to_id or 0))
            waits[one.message_id] = (author, asked, one.reply_to_id if kept else None)
    return {"activity": activity, "ends": ends, "touches": touches, "waits": waits}


async def live_through(path: Path, steps: Sequence[tuple[str, int, int, int]]) -> None:
    """Do these steps, a real bot's services to a real database, and hold the record against the calculation."""
    agreed, log, clock = Agreed(), ChannelLog(), DrivenClock(moment(0))
    # A page that was read tells that there was no message right after the newest one, not even in its millisecond.
    hidden, numbers, file = False, count(1, 2), path.with_suffix(".json")
    async with opened(path) as database:
        spade = Spade(database, log, clock)

        async def show() -> None:
            newest = max(log.messages.get(CHANNEL, {}), default=0)
            spade.follower.expect_guilds({GUILD})
            await spade.follower.catch_up([ChannelSnapshot(ROOM, newest, stale=True)], spade.follower.session)

        await show()
        for what, one, other, milliseconds in steps:
            clock.set(clock.now() + milliseconds * MILLISECOND)
            who, whom = PEOPLE[one], PEOPLE[other]
            agreed.happens(what, who, clock.now())
            match what:
                case "write" | "reply":
                    said = log.all_of(ROOM)
                    target = said[-1 - milliseconds % len(said)] if said and what == "reply" else None
                    message = Message(
                        first_id_at(clock.now()) + next(numbers),
                        who,
                        MessageKind.REPLY if target else MessageKind.DEFAULT,
                        mentions=frozenset({whom}),
                        reply_to_id=target.message_id if target else None,
                        reply_to_author_id=target.author_id if target else None,
                    )
                    log.post(ROOM, message)
                    if not hidden:
                        with spade.follower.receiving(ROOM, message.message_id) as heard:
                            heard(message)
                case "opt out":
                    await spade.privacy.opt_out(GUILD, who)
                case "erase":
                    await spade.privacy.erase(GUILD, who)
                case "opt in":
                    await spade.opt_in(who)
                case "appoint":
                    await spade.appoint(who)
                case "hide":
                    hidden = True
                    await spade.follower.channels_hidden([CHANNEL])
                case "show" if hidden:
                    hidden = False
                    await show()
                case "restart" | "import":
                    if what == "import" and (file.exists() or log.all_of(ROOM)):
                        await spade.import_file(file if file.exists() else exported(file, ROOM, log.all_of(ROOM)))
                    spade = Spade(database, log, clock)  # what was heard and not written yet is fetched
                    if not hidden:
                        await show()
        if hidden:
            await show()
        await spade.follower.settle()
        await check(database, expected_record(log.all_of(ROOM), agreed), agreed)


async def check(database: Database, expected: dict[str, Any], agreed: Agreed) -> None:
    found = await rows(database)
    written: Counter[int] = Counter()
    for row in found["activity"]:
        written[row[1]] += row[3]
    assert written == expected["activity"]
    assert {row[1]: (row[2], row[4]) for row in found["member"] if row[2] is not None} == expected["ends"]
    touches = {(row[0], row[1], row[2], row[5], row[7]) for row in found["touch"] if row[5] != "answer"}
    assert touches == expected["touches"]
    answers = [(row[0], row[1], row[2]) for row in found["touch"] if row[5] == "answer"]
    assert all(
        agreed.as_member(whom, moment_of(one)) and agreed.anything(who, moment_of(one)) for one, whom, who in answers
    )
    asked: dict[int, set[int]] = defaultdict(set)
    for message_id, manager_id in found["waiting_for"]:
        asked[message_id].add(manager_id)
    assert asked == {one: set(people) for one, (_, people, _) in expected["waits"].items()}
    entries = {row[0]: (row[3], row[4]) for row in found["waiting"]}
    for one, (author, _, reply_to_id) in expected["waits"].items():
        assert entries[one] in ((author, reply_to_id), (author, None))
    # Who waits for somebody who was erased since waits for the team.
    for one in entries.keys() - expected["waits"].keys():
        assert agreed.as_member(entries[one][0], moment_of(one))
        assert entries[one][1] is None


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(STEPS), st.integers(0, 3), st.integers(0, 3), st.sampled_from([0, 1, 1, 60_000, 600_000])
        ),
        min_size=10,
        max_size=30,
    )
)
def test_whatever_happens_the_record_is_what_everybody_agreed_to(
    sqlite_template: Path, steps: Sequence[tuple[str, int, int, int]]
) -> None:
    with TemporaryDirectory(prefix="spade-test-") as folder, sqlite_in_the_loop():
        path = Path(shutil.copy(sqlite_template, Path(folder) / "spade.db"))
        asyncio.run(live_through(path, [("appoint", 0, 0, 1), ("write", 2, 0, 1), *steps]))
