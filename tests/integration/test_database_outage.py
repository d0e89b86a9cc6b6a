"""The database is away for moments while the bot records: two lines an outage, no traceback, and nothing is lost."""

import asyncio
import logging
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.clock import DrivenClock
from bot.sandbox import Sandbox
from bot.store import outage, tables
from bot.store.database import Database, open_database
from bot.store.error import OutageError, StoreError
from tests.support.moderators import moderators
from tests.support.patience import PATIENCE
from tests.support.rows import days_written
from tests.support.stage import connected

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
OUTAGES = 5
SOCKET = ".s.PGSQL.5432"


class Cable:
    """The way to a PostgreSQL server, in `folder`, which can be cut and mended."""

    def __init__(self, server: Path, folder: Path) -> None:
        self._server = server / SOCKET
        self.folder = folder
        self._door: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()

    async def mend(self) -> None:
        self._door = await asyncio.start_unix_server(self._connect, self.folder / SOCKET)

    async def cut(self) -> None:
        assert self._door is not None
        self._door.close()
        (self.folder / SOCKET).unlink()
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _connect(self, near: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        far, ask = await asyncio.open_unix_connection(self._server)
        for source, sink in ((near, ask), (far, answer)):
            pump = asyncio.create_task(self._pump(source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while some := await source.read(65536):
                sink.write(some)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()


@pytest.fixture
async def cable(postgres_socket: str, tmp_path: Path) -> AsyncIterator[Cable]:
    made = Cable(Path(postgres_socket), tmp_path)
    await made.mend()
    try:
        yield made
    finally:
        with suppress(FileNotFoundError):
            await made.cut()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried soon."""
    for module in ("bot.services.record.retry", "bot.services.record.follower"):
        monkeypatch.setattr(f"{module}.RETRY_SECONDS", 0.05)
    monkeypatch.setattr(outage, "LOOK_EVERY_SECONDS", 0.05)
    monkeypatch.setattr(outage, "CALM_SECONDS", 0.2)


def lines(caplog: pytest.LogCaptureFixture, beginning: str) -> list[str]:
    return [message for message in caplog.messages if message.startswith(beginning)]


async def counted(database: Database) -> tuple[int, int, int]:
    """Messages, touches, and messages that were set aside."""
    async with database.reading() as connection:
        messages = sum(row[3] for row in await days_written(connection))
        touches = (await connection.execute(select(func.count()).select_from(tables.touch))).scalar_one()
        closed = select(func.count()).select_from(tables.waiting).where(tables.waiting.c.closed_at.is_not(None))
        return messages, touches, (await connection.execute(closed)).scalar_one()


async def test_postgresql_away_five_times_is_five_outages_in_the_log_and_none_in_the_record(
    cable: Cable, new_postgres: Callable[[], str], soon: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    name = new_postgres().partition("?")[0]
    clock = DrivenClock(BEGAN)
    async with Sandbox(now=clock.now) as sandbox, connected(sandbox, clock, f"{name}?host={cable.folder}") as app:
        world, people = sandbox.world, sandbox.people
        owner, mia, rafa = (world.users.add(one) for one in ("olga", "mia", "rafa"))
        guild = world.guilds.add("Gardeners", owner=owner)
        channels = [world.channels.add(guild, one) for one in ("general", "plants", "tools")]
        for user in (mia, rafa):
            world.members.add(guild, user)
        moderators(world, guild, mia)
        await sandbox.until(lambda: sandbox.commands.available(guild.id))
        setup = {"manager": mia, "time_zone": "UTC", "digest_channel": channels[0]}
        await (await people.run_command(owner, channels[0], "setup", setup)).wait()
        await (await people.run_command(mia, channels[0], "nudges", subcommands=("on",))).wait()
        chats = 0

        async def chat() -> None:
            """Talk all the time, so that the cable is cut in the middle of transactions, too."""
            nonlocal chats
            chatting = world.channels.add(guild, "chat")
            while True:
                world.messages.post(chatting, rafa, "Hello")
                chats += 1
                await asyncio.sleep(0.02)

        chatter = asyncio.create_task(chat())
        sent = touched = 0
        for number in range(1, OUTAGES + 1):
            clock.set(BEGAN + timedelta(hours=number))
            before = world.messages.post(channels[0], rafa, "Hello", mentions=[mia])
            sent += 1
            await sandbox.until(lambda: app.follower.newest_received_id >= before.id)  # noqa: B023
            await app.follower.settle()
            await cable.cut()
            for channel in channels:
                question = world.messages.post(channel, rafa, "Hello")
                newest = world.messages.post(channel, mia, "Hi", reply_to=question)
                sent, touched = sent + 2, touched + 1
            world.reactions.add(before, mia, "👍")
            world.channels.add(guild, f"new{number}")
            await sandbox.until(lambda: app.follower.newest_received_id >= newest.id)  # noqa: B023
            await sandbox.until(lambda: len(lines(caplog, "Recording waits")) == number)  # noqa: B023
            for _ in range(3):
                await app.schedule.tick()
            answer = await (await people.run_command(mia, channels[0], "waiting")).wait()
            assert answer.text == "I cannot get at my record just now. Nothing is lost: try again in a minute or two."
            await cable.mend()
            await sandbox.until(lambda: len(lines(caplog, "The database can be used again")) == number)  # noqa: B023
        chatter.cancel()
        await sandbox.drained()
        await sandbox.until(lambda: app.follower.caught_up)
        await app.follower.settle()
        clock.set(BEGAN + timedelta(days=8))
        await app.schedule.tick()  # nothing is put off because of the outages
        assert [dm.embeds[0]["title"] for dm in sandbox.dms(mia)][:1] == ["Hello, this is Spade"]
        assert len(sandbox.dms(mia)) > 1
        async with asyncio.timeout(PATIENCE):
            while (await counted(app.database))[2] < OUTAGES:
                await asyncio.sleep(0.02)
        assert await counted(app.database) == (sent + chats, touched, OUTAGES)
        async with app.database.reading() as connection:
            assert (await connection.execute(select(tables.known_gap))).all() == []
    loud = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage().partition(": ")[0] for record in loud] == ["Recording waits"] * OUTAGES
    assert len(lines(caplog, "The database can be used again")) == OUTAGES
    assert all(record.exc_info is None for record in caplog.records)
    assert "Traceback" not in caplog.text


@asynccontextmanager
async def copied(template: Path, folder: Path) -> AsyncIterator[Database]:
    """A copy of a database, open."""
    shutil.copyfile(template, folder / "spade.db")
    database = await open_database(f"sqlite:///{folder / 'spade.db'}", write=True)
    try:
        yield database
    finally:
        await database.close()


async def limit_pages(database: Database, pages: int) -> None:
    async with database.writing() as connection:
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


async def write(database: Database, rows: int) -> bool:
    """Whether so many rows could be written."""
    try:
        async with database.writing() as connection:
            for number in range(rows):
                mark = {"guild_id": number + 1, "mark": secrets.token_hex(200)}
                await connection.execute(tables.forgotten.insert().values(mark))
    except OutageError:
        return False
    return True


async def test_a_disk_that_is_almost_full_is_one_outage_though_some_of_it_succeeds(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(outage, "LOOK_EVERY_SECONDS", 0.05)
    monkeypatch.setattr(outage, "CALM_SECONDS", 600.0)  # longer than any machine takes for what follows
    async with copied(sqlite_template, tmp_path) as database:
        await limit_pages(database, sqlite_template.stat().st_size // 4096 + 4)
        caplog.clear()
        for _ in range(4):
            assert not await write(database, 100)
            assert await write(database, 1)
            async with database.reading() as connection:
                await connection.execute(select(tables.forgotten))
            await asyncio.sleep(0.06)
        assert [record.levelno for record in caplog.records] == [logging.ERROR]
        assert lines(caplog, "Recording waits: The disk is full: nothing is recorded until there is room again.")
        await limit_pages(database, 100_000)
        assert await write(database, 100)
        monkeypatch.setattr(outage, "CALM_SECONDS", 0.2)
        async with asyncio.timeout(PATIENCE):
            while not lines(caplog, "The database can be used again"):
                await asyncio.sleep(0.02)
        assert len(caplog.records) == 2
        await limit_pages(database, 10)
        assert not await write(database, 100)
    assert len(caplog.records) == 3


async def test_an_outage_before_the_database_is_open_is_said_by_whoever_opens_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(OutageError, match="cannot be reached"):
        await open_database(f"postgresql://postgres@/spade?host={tmp_path}", write=True)
    assert caplog.messages == []


async def test_a_mistake_in_a_statement_is_no_outage(
    tmp_path: Path, sqlite_template: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One server's mistake must not keep the others' work from being done."""
    async with copied(sqlite_template, tmp_path) as database:
        with pytest.raises(StoreError) as raised:
            async with database.reading() as connection:
                await connection.exec_driver_sql("SELECT * FROM nowhere")
        assert not isinstance(raised.value, OutageError)
        assert caplog.messages == []
