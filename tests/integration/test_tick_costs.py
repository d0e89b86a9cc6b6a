"""What a server costs that has a manager with nudges on: the statements of a day of ticks, a nudge and a digest."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.rules import Rules
from bot.services.delivery.agenda import Agenda
from bot.services.record.guild_facts import HeldGuildFacts
from bot.services.record.held import Held
from bot.services.record.recorder import Recorder
from bot.store import due_times, forgetting, guilds, managers, spans, tables
from bot.store.agenda import AgendaItem
from bot.store.database import Database, open_database
from tests.support.messages import ANNA, CHANNEL, GUILD, MIA, NOAH, START, channel, said, whole
from tests.support.no_context import NoContext
from tests.support.statements import statements
from tests.support.ticking import Ticking

FRIDAY = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
MONDAY = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TEAM = 555


@pytest.fixture
async def sqlite(sqlite_template: Path, tmp_path: Path, sqlite_without_threads: None) -> AsyncIterator[Database]:
    path = tmp_path / "spade.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = await open_database(f"sqlite:///{path}", write=True)
    try:
        yield database
    finally:
        await database.close()


async def _record(database: Database, *minutes: float) -> None:
    told = whole(channel(), *(said(minute, MIA) for minute in minutes))
    await Recorder(database, Rules()).record(told, NoContext())


async def _team(database: Database, *, digest: bool = False) -> Ticking:
    """One server with one manager, whose nudges come at nine, on a Friday noon."""
    enrolled_at = START - timedelta(days=9)
    async with database.writing() as connection:
        await guilds.watch(connection, GUILD, enrolled_at)
        settings = await guilds.settings_of(connection, GUILD)
        assert settings is not None
        digest_from_at = enrolled_at if digest else None
        channel_id = TEAM if digest else None
        await guilds.save(
            connection,
            GuildSettings(GUILD, settings.zone, digest_channel_id=channel_id, digest_from_at=digest_from_at),
        )
        await managers.add(connection, GUILD, [ANNA])
        await managers.save(connection, ManagerSettings(GUILD, ANNA, enrolled_at=enrolled_at))
    return Ticking(database)


async def _ticks(ticking: Ticking, since: datetime, hours: int) -> int:
    """How many statements these hourly ticks are."""
    with statements() as asked:
        for hour in range(hours):
            ticking.clock.set(since + hour * HOUR)
            await ticking.tick()
    assert ticking.failing == []
    return len(asked)


async def test_a_day_of_ticks_with_nothing_due_asks_nothing_while_messages_are_recorded(sqlite: Database) -> None:
    await _record(sqlite, 0)
    ticking = await _team(sqlite)
    await _ticks(ticking, FRIDAY, 3)  # what is due on this day, and then when something is next
    sent, asked = ticking.sent, 0
    for hour in range(3, 27):
        await _record(sqlite, 5000 + hour * 60)
        asked += await _ticks(ticking, FRIDAY + hour * HOUR, 1)
    assert (asked, ticking.sent) == (0, sent)


async def test_a_day_with_nothing_to_say_and_a_nudge_are_few_statements(sqlite: Database) -> None:
    ticking = await _team(sqlite)
    await _ticks(ticking, MONDAY, 3)  # last week's digests
    empty = await _ticks(ticking, MONDAY + 3 * HOUR, 24)  # Tuesday's nudge has nobody in it
    assert ticking.sent == 0
    told = whole(channel(), said(24 * 60 * 8, NOAH))  # somebody new, on Tuesday at noon
    await Recorder(sqlite, Rules()).record(told, NoContext())
    await _ticks(ticking, MONDAY + 27 * HOUR, 5)
    nudge = await _ticks(ticking, MONDAY + 32 * HOUR, 24)
    assert ticking.sent == 1
    assert empty <= 50
    assert nudge <= 60


async def test_a_digest_is_few_statements(sqlite: Database) -> None:
    await _record(sqlite, 0, 1440, 2880)
    ticking = await _team(sqlite, digest=True)
    await _ticks(ticking, FRIDAY, 3)
    before = ticking.sent
    digests = await _ticks(ticking, MONDAY - 12 * HOUR, 24)  # the team's and the manager's own, and an empty nudge
    assert ticking.sent - before == 2
    assert digests <= 180


@pytest.mark.parametrize("change", ["a manager", "the settings", "an erasure", "a statement in words"])
async def test_what_changes_the_agenda_is_asked_for_again(sqlite: Database, change: str) -> None:
    await _record(sqlite, 0)
    await _team(sqlite)
    agenda = Agenda(sqlite)
    assert not await agenda.has(AgendaItem.REMAINS, FRIDAY)
    with statements() as asked:
        assert not await agenda.has(AgendaItem.REMAINS, FRIDAY)
    assert asked == []
    async with sqlite.writing() as connection:
        match change:
            case "a manager":
                await managers.add(connection, GUILD, [MIA])
            case "the settings":
                await guilds.mark_removed(connection, GUILD, START)
            case "an erasure":
                await connection.execute(insert(tables.installation).values(name="remains", value="in_file"))
            case _:
                await connection.execute(text("INSERT INTO installation (name, value) VALUES ('remains', 'in_file')"))
    assert await agenda.has(due_times.NUDGE, FRIDAY) is True
    assert await agenda.has(AgendaItem.REMOVED_GUILDS, FRIDAY) is (change == "the settings")
    assert await agenda.has(AgendaItem.REMAINS, FRIDAY) is (change not in {"a manager", "the settings"})


async def test_what_recording_is_judged_by_is_read_once_until_it_changes(sqlite: Database) -> None:
    await _team(sqlite)
    held = HeldGuildFacts(sqlite)

    async def read() -> tuple[frozenset[int], int]:
        async with sqlite.writing() as connection:
            with statements() as asked:
                facts = (await held.of(connection, [GUILD]))[GUILD]
            await connection.execute(insert(tables.member).values(guild_id=GUILD, member_id=next(numbers)))
            held.keep()
        return frozenset(facts.managers), len(asked)

    numbers = iter(range(1000, 2000))
    assert (await read())[0] == {ANNA}
    assert await read() == ({ANNA}, 0)  # its own rows of members change none of it
    async with sqlite.writing() as connection:
        await connection.execute(insert(tables.known_gap).values(**_GAP))
    assert await read() == ({ANNA}, 0)
    async with sqlite.writing() as connection:
        await managers.add(connection, GUILD, [MIA])
    assert (await read())[0] == {ANNA, MIA}
    async with sqlite.writing() as connection:
        await forgetting.set_opted_out(connection, GUILD, NOAH, START)
    assert (await read())[1] > 0


_GAP = {"guild_id": GUILD, "channel_id": CHANNEL, "first_id": 1, "last_id": 2, "reason": "no answer"}


async def test_which_channels_have_gaps_is_held_until_there_is_another(sqlite: Database) -> None:
    held = Held(sqlite, spans.GAPS, spans.channels_with_gaps)
    assert await held.of(GUILD) == frozenset()
    with statements() as asked:
        assert await held.of(GUILD) == frozenset()
    assert asked == []
    async with sqlite.writing() as connection:
        await connection.execute(insert(tables.known_gap).values(**_GAP))
    assert await held.of(GUILD) == {CHANNEL}


async def test_rows_that_go_with_others_count_as_changed(sqlite: Database) -> None:
    before = sqlite.changed(tables.waiting_for)
    async with sqlite.writing() as connection:
        await connection.execute(tables.waiting.delete())
    assert sqlite.changed(tables.waiting_for) != before
    assert sqlite.changed(tables.touch) == 0


async def test_where_others_may_write_nothing_is_held(database: Database) -> None:
    held = Held(database, spans.GAPS, spans.channels_with_gaps)
    assert (await held.of(GUILD) is None) is (database.dialect == "postgresql")
    agenda = Agenda(database)
    for _ in range(2):
        with statements() as asked:
            assert not await agenda.has(due_times.NUDGE, FRIDAY)
    assert (asked == []) is (database.dialect == "sqlite")
