"""What ended periods came to is kept, and holds no more once a fact of it changes, whoever changes it."""

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, delete, update

from bot.domain.calendar import day_start, weeks_ending
from bot.domain.evidence import Ends
from bot.domain.guild import GuildSettings
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.domain.span import Span
from bot.domain.touch import Touch, TouchKind
from bot.domain.waiting import WaitingEntry
from bot.services.digest.report import Reporter
from bot.services.digest.sums import Sums, differences
from bot.store import (
    forgetting,
    guilds,
    ignoring,
    managers,
    migrations,
    record,
    retention,
    spans,
    summaries,
    tables,
    written_days,
)
from bot.store.database import Connection, Database, open_database
from tests.integration.test_sums_of_periods import CHANNELS, MONDAY, PEOPLE, TEAM, THREAD, ZONE, made, plain
from tests.support.messages import GUILD, thread
from tests.support.plain_figures import figures_of
from tests.support.statements import statements
from tests.support.summed import sum_up

SUNDAY = MONDAY + timedelta(days=6)
NOON = day_start(SUNDAY, ZONE) + timedelta(hours=12)
RULES = Rules(verdict_needs_conversations=8, spread_needs_conversations=2, stay_needs_members=1)


async def add_touch(connection: Connection, random: Random) -> None:
    at = NOON - timedelta(minutes=random.randrange(60 * 24 * 200))
    kind = random.choice(list(TouchKind))
    touch = Touch(
        kind, random.choice(TEAM), random.choice(PEOPLE), first_id_at(at) + 7, random.choice(CHANNELS), at, None
    )
    await record.add_touches(connection, {GUILD: [touch]})


async def take_back(connection: Connection, random: Random) -> None:
    query = tables.touch.select().order_by(tables.touch.c.message_id)
    found = (await connection.execute(query)).all()
    await record.take_back(connection, [random.choice(found).message_id])


async def move(connection: Connection, random: Random) -> None:
    query = tables.touch.select().order_by(tables.touch.c.message_id)
    found = (await connection.execute(query)).all()
    await record.move(connection, [random.choice(found).message_id], random.choice(CHANNELS))


async def wait(connection: Connection, random: Random) -> None:
    asked = frozenset(random.sample(TEAM, random.randrange(3)))
    at = NOON - timedelta(minutes=random.randrange(60 * 24 * 30))
    entry = WaitingEntry(first_id_at(at) + 9, 80, random.choice(PEOPLE), asked)
    await record.add_waiting(connection, {GUILD: [entry]})


async def ask_another(connection: Connection, random: Random) -> None:
    found = (await connection.execute(tables.waiting.select().order_by(tables.waiting.c.message_id))).all()
    row = random.choice(found[-20:])
    entry = WaitingEntry(row.message_id, row.channel_id, row.member_id, frozenset({random.choice(TEAM)}))
    await record.add_waiting(connection, {GUILD: [entry]})


async def write(connection: Connection, random: Random) -> None:
    at = NOON - timedelta(minutes=random.randrange(60 * 24 * 200))
    person = random.choice(PEOPLE)
    await written_days.add(connection, [(GUILD, person, at.date(), 1)])
    await record.add_ends(connection, GUILD, {person: Ends(first_id_at(at), 80, first_id_at(at), 80)})


async def unwrite(connection: Connection, random: Random) -> None:
    found = (await connection.execute(tables.activity.select())).mappings().all()
    row = random.choice(found)
    day = next(number for number, name in enumerate(tables.WEEKDAYS) if row[name])
    await written_days.add(connection, [(GUILD, row["member_id"], row["week_on"] + timedelta(days=day), -9)])


async def opt_out(connection: Connection, random: Random) -> None:
    await forgetting.set_opted_out(connection, GUILD, random.choice(PEOPLE), NOON)


async def erase(connection: Connection, random: Random) -> None:
    await forgetting.erase(connection, GUILD, random.choice(PEOPLE))


async def ignore(connection: Connection, random: Random) -> None:
    await ignoring.add(connection, GUILD, [random.choice(PEOPLE)])


async def appoint(connection: Connection, random: Random) -> None:
    await managers.add(connection, GUILD, [random.choice(PEOPLE)])


async def dismiss(connection: Connection, random: Random) -> None:
    chosen = tables.manager.c.manager_id == random.choice(TEAM)
    await connection.execute(delete(tables.manager).where(chosen))


async def exclude(connection: Connection, random: Random) -> None:
    await guilds.set_excluded_channels(connection, GUILD, random.sample(CHANNELS, random.randrange(2)))


async def place_thread(connection: Connection, random: Random) -> None:
    await spans.add(connection, thread(5, THREAD, parent_id=random.choice((80, 90))), Span(THREAD + 9, THREAD + 12))
    parent = random.choice((80, 90))
    await connection.execute(update(tables.span).where(tables.span.c.channel_id == THREAD).values(parent_id=parent))


async def retain(connection: Connection, random: Random) -> None:
    day = MONDAY - timedelta(days=random.randrange(200))
    await retention.forget_before(connection, GUILD, day, day_start(day, ZONE))


async def change_zone(connection: Connection, random: Random) -> None:
    zone = ZoneInfo(random.choice(("Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles")))
    await guilds.save(connection, GuildSettings(GUILD, zone))


CHANGES = (
    *(add_touch, take_back, move, wait, ask_another, write, unwrite, opt_out, erase, ignore, appoint, dismiss),
    *(exclude, place_thread, retain, change_zone),
)


@pytest.fixture
async def file(tmp_path: Path, sqlite_template: Path) -> Path:
    path = tmp_path / "spade.db"
    path.write_bytes(sqlite_template.read_bytes())
    return path


@pytest.mark.usefixtures("sqlite_without_threads")
async def test_no_change_of_a_fact_goes_unnoticed(file: Path) -> None:
    """After each change, what is kept and holds is what the facts come to; and it is not simply nothing."""
    random, held = Random(1), 0
    database = await open_database(f"sqlite:///{file}", write=True)
    try:
        async with database.writing() as connection:
            await made(connection, random)
        await sum_up(database, GUILD, NOON, RULES)
        for number, change in enumerate(random.sample(CHANGES, len(CHANGES))):
            async with database.writing() as connection:
                await change(connection, random)
            async with database.reading() as connection:
                assert await differences(connection, RULES) == (), change.__name__
                sums = await Sums.of(connection, GUILD, RULES)
                kept = await summaries.of_guild(connection, GUILD)
                held += sum(one.edition == sums.editions.of(one.question) for one in kept)
            if number % 2:
                await sum_up(database, GUILD, NOON, RULES)
    finally:
        await database.close()
    assert held > len(CHANGES) // 2


TOLD = first_id_at(NOON)
TOUCH = f"INSERT INTO touch VALUES ({TOLD}, 3, 1, {GUILD}, 80, 'reply', 1775383200000, NULL)"
WAITING = f"INSERT INTO waiting VALUES ({TOLD}, {GUILD}, 80, 3, NULL, NULL)"
FOR = f"INSERT INTO waiting_for VALUES ({TOLD}, 1)"
WEEK = f"INSERT INTO activity VALUES ({GUILD}, 20542, 3, 1, 0, 0, 0, 0, 0, 0)"
MEMBER = f"INSERT INTO member VALUES ({GUILD}, 3, {TOLD}, 80, {TOLD}, 80, NULL, NULL, NULL)"
OUT = f"INSERT INTO member (guild_id, member_id, opted_out_at) VALUES ({GUILD}, 3, 1)"
MANAGER = f"INSERT INTO manager (guild_id, manager_id) VALUES ({GUILD}, 3)"
IGNORED = f"INSERT INTO ignored VALUES ({GUILD}, 3, 0, NULL)"
EXCLUDED = f"INSERT INTO excluded_channel VALUES ({GUILD}, 80)"
IMPORTED = f"INSERT INTO imported_channel VALUES (81, {GUILD}, NULL, 1, 0, 0)"
SPAN = f"INSERT INTO span VALUES (81, 1, 2, {GUILD}, 80)"


COUNTED: list[tuple[str, tuple[str, ...], str]] = [
    ("touch_added", (), TOUCH),
    ("touch_changed", (TOUCH,), "UPDATE touch SET channel_id = 90"),
    ("touch_deleted", (TOUCH,), "DELETE FROM touch"),
    ("waiting_added", (), WAITING),
    ("waiting_changed", (WAITING,), "UPDATE waiting SET channel_id = 90"),
    ("waiting_deleted", (WAITING,), "DELETE FROM waiting"),
    ("waiting_for_added", (WAITING,), FOR),
    ("waiting_for_deleted", (WAITING, FOR), "DELETE FROM waiting_for"),
    ("activity_added", (), WEEK),
    ("activity_changed", (WEEK,), "UPDATE activity SET tuesday = 1"),
    ("activity_deleted", (WEEK,), "DELETE FROM activity"),
    ("member_added", (), MEMBER),
    ("member_changed", (MEMBER,), "UPDATE member SET first_message_id = 5"),
    ("member_deleted", (MEMBER,), "DELETE FROM member"),
    ("opt_out_added", (), OUT),
    ("opt_out_changed", (MEMBER,), "UPDATE member SET opted_out_at = 5"),
    ("opt_out_deleted", (OUT,), "DELETE FROM member"),
    ("manager_added", (), MANAGER),
    ("manager_deleted", (MANAGER,), "DELETE FROM manager"),
    ("ignored_added", (), IGNORED),
    ("ignored_changed", (IGNORED,), "UPDATE ignored SET is_role = 1"),
    ("ignored_deleted", (IGNORED,), "DELETE FROM ignored"),
    ("excluded_channel_added", (), EXCLUDED),
    ("excluded_channel_deleted", (EXCLUDED,), "DELETE FROM excluded_channel"),
    ("imported_channel_added", (), IMPORTED),
    ("imported_channel_changed", (IMPORTED,), "UPDATE imported_channel SET parent_id = 80"),
    ("imported_channel_deleted", (IMPORTED,), "DELETE FROM imported_channel"),
    ("span_added", (EXCLUDED,), SPAN),
    ("span_added", (IMPORTED,), SPAN),
    ("span_changed", (SPAN,), "UPDATE span SET parent_id = 90"),
    ("span_deleted", (EXCLUDED, SPAN), "DELETE FROM span"),
]


@pytest.mark.parametrize(("trigger", "before", "change"), COUNTED)
def test_each_trigger_counts_what_it_is_there_for(
    file: Path, trigger: str, before: tuple[str, ...], change: str
) -> None:
    """And without it nothing does."""

    def counted(*statements: str) -> bool:
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            database.execute("BEGIN")
            for statement in statements:
                database.execute(statement)
            editions = database.execute("SELECT sum(edition) FROM fact_change").fetchone()
            database.execute(change)
            return bool(database.execute("SELECT sum(edition) FROM fact_change").fetchone() != editions)

    assert counted(*before)
    assert not counted(*before, f"DROP TRIGGER {trigger}")


def test_what_changes_no_figure_counts_nothing(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        for statement in (MEMBER, WAITING, SPAN, MANAGER):
            database.execute(statement)
        before = database.execute("SELECT sum(edition) FROM fact_change").fetchone()
        database.execute("UPDATE member SET last_message_id = last_message_id + 1, left_at = 5")
        database.execute("UPDATE waiting SET closed_at = 5")
        database.execute("UPDATE span SET last_id = 9, parent_id = 80")
        database.execute("UPDATE manager SET nudge_hour = 10")
        assert database.execute("SELECT sum(edition) FROM fact_change").fetchone() == before


def test_every_trigger_is_known(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        found = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    assert found == summaries.TRIGGERS
    assert {trigger for trigger, _, _ in COUNTED} == found


async def test_a_filled_database_of_before_is_brought_to_this_schema(tmp_path: Path) -> None:
    """Nothing in it changes, and what is over is kept from the first answer on."""
    path = tmp_path / "old.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0010")
    engine.dispose()
    path.chmod(0o600)
    rows = [f"INSERT INTO activity VALUES ({GUILD}, {week}, 3, 1, 0, 0, 0, 0, 0, 0)" for week in (20528, 20535, 20542)]
    guild = f"INSERT INTO guild (guild_id, time_zone, digest_weekday, digest_hour) VALUES ({GUILD}, 'UTC', 0, 9)"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in (guild, TOUCH, WAITING, FOR, *rows, MANAGER, EXCLUDED, IMPORTED, SPAN):
            database.execute(statement)
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        before = {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in names if "alembic" not in name}
    opened = await open_database(f"sqlite:///{path}", write=True)
    try:
        await Reporter(opened, RULES).week(GUILD, date(2026, 3, 23))
        async with opened.reading() as connection:
            assert await differences(connection, RULES) == ()
            assert len(await summaries.of_guild(connection, GUILD)) == 2
    finally:
        await opened.close()
    with closing(sqlite3.connect(path)) as database:
        assert {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in before} == before


async def test_figures_of_ended_weeks_are_read_and_stay_those_of_a_plain_calculation(database: Database) -> None:
    """On PostgreSQL nothing is kept."""
    last = MONDAY - timedelta(weeks=2)
    async with database.writing() as connection:
        await made(connection, Random(5))
        settings = await guilds.settings_of(connection, GUILD)
    assert settings is not None
    reporter, summed_up = Reporter(database, RULES), []
    for late in (False, False, True):
        if late:
            async with database.writing() as connection:
                at = day_start(last, ZONE) + timedelta(hours=3)
                touch = Touch(TouchKind.MENTION, 1, 3, first_id_at(at) + 1, 80, at, None)
                await record.add_touches(connection, {GUILD: [touch]})
        with statements() as asked:
            reports = await reporter.weeks(settings, last, 3)
        summed_up.append(any("began" in one for one in asked))
        async with database.reading() as connection:
            for report in reports:
                week = await plain(connection, weeks_ending(report.week_on, 1, ZONE), RULES)
                longer = await plain(connection, weeks_ending(report.week_on, RULES.verdict_weeks, ZONE), RULES)
                team, own = figures_of(week, longer, RULES)
                assert (report.team, dict(report.managers)) == (team, own)
    assert summed_up == ([True, False, True] if database.dialect == "sqlite" else [True, True, True])


async def test_a_week_that_goes_on_is_not_kept(file: Path) -> None:
    database = await open_database(f"sqlite:///{file}", write=True)
    try:
        async with database.writing() as connection:
            await guilds.save(connection, GuildSettings(GUILD, ZONE))
            await managers.add(connection, GUILD, TEAM)
            await written_days.add(connection, [(GUILD, 9, MONDAY, 1)])
        await Reporter(database, RULES).week(GUILD, MONDAY)
        async with database.writing() as connection:
            assert await summaries.of_guild(connection, GUILD) == ()
            await written_days.add(connection, [(GUILD, 9, MONDAY + timedelta(days=7), 1)])
        await Reporter(database, RULES).week(GUILD, MONDAY)
        async with database.reading() as connection:
            assert len(await summaries.of_guild(connection, GUILD)) == 2  # the week, and what its verdict falls back on
    finally:
        await database.close()


async def test_what_changed_while_it_was_summed_up_is_not_kept(file: Path) -> None:
    database = await open_database(f"sqlite:///{file}", write=True)
    try:
        async with database.writing() as connection:
            await made(connection, Random(1))
        async with database.reading() as connection:
            sums = await Sums.of(connection, GUILD, RULES)
            await sums.of_periods([weeks_ending(MONDAY - timedelta(weeks=back), 1, ZONE) for back in (5, 4, 3)])
        assert len(sums.new) == 3
        async with database.writing() as connection:
            await written_days.add(connection, [(GUILD, 9, MONDAY - timedelta(weeks=4), 1)])
            await summaries.keep(connection, GUILD, sums.new)
            kept = await summaries.of_guild(connection, GUILD)
        assert [one.question.last_on for one in kept] == [MONDAY - timedelta(weeks=5) + timedelta(days=6)]
    finally:
        await database.close()


async def test_no_more_than_so_many_are_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "MOST", 2)
    database = await open_database(f"sqlite:///{file}", write=True)
    try:
        async with database.writing() as connection:
            await made(connection, Random(1))
        async with database.reading() as connection:
            sums = await Sums.of(connection, GUILD, RULES)
            await sums.of_periods([weeks_ending(MONDAY - timedelta(weeks=back), 1, ZONE) for back in (5, 4, 3)])
        async with database.writing() as connection:
            await summaries.keep(connection, GUILD, sums.new)
            kept = await summaries.of_guild(connection, GUILD)
        assert [(MONDAY - one.question.last_on).days for one in kept] == [22, 15]
    finally:
        await database.close()


async def test_nothing_is_kept_of_a_manager_who_is_erased(file: Path) -> None:
    database = await open_database(f"sqlite:///{file}", write=True)
    try:
        async with database.writing() as connection:
            await made(connection, Random(2))
        assert await sum_up(database, GUILD, NOON)
        async with database.writing() as connection:
            await forgetting.erase(connection, GUILD, TEAM[0])
            assert await summaries.of_guild(connection, GUILD) == ()
    finally:
        await database.close()


def planted(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    ("defect", "sentence"),
    [
        ("UPDATE summary SET document = replace(document, '\"active\":', '\"active\":1')", "is not what its facts"),
        ("DROP TRIGGER waiting_for_deleted", "the trigger waiting_for_deleted is missing"),
    ],
)
async def test_what_is_wrong_is_found(file: Path, defect: str, sentence: str) -> None:
    database = await open_database(f"sqlite:///{file}", write=True)
    async with database.writing() as connection:
        await made(connection, Random(3))
    await sum_up(database, GUILD, NOON)
    async with database.reading() as connection:
        assert await differences(connection, Rules()) == ()
    await database.close()
    planted(file, defect)
    database = await open_database(f"sqlite:///{file}", write=True)
    try:
        async with database.reading() as connection:
            found = await differences(connection, Rules())
        assert found
        assert all(sentence in one for one in found)
        async with database.writing() as connection:
            assert await summaries.drop_all(connection) > 0
    finally:
        await database.close()
