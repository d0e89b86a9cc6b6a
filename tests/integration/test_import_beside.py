"""An import beside a running bot or another import, and one of what is older than the server keeps; both databases."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.cli import imports, main
from bot.clock import DrivenClock
from bot.domain.delivery import DeliveryKind, DeliveryState
from bot.domain.guild import GuildSettings
from bot.domain.snowflake import first_id_at
from bot.services.delivery.outbox import new_delivery
from bot.services.delivery.periods import dealt_with
from bot.services.guild.retention import Retention
from bot.store import deliveries, guilds, tables
from bot.store.database import Connection, Database, StoreError, open_database
from tests.support.rows import rows

NOW = datetime.now(UTC)
GUILD, CHANNEL = first_id_at(NOW - timedelta(days=900)), first_id_at(NOW - timedelta(days=899))
ANNA, MIA, NOAH = 101, 201, 202
FACTS = (tables.activity, tables.member, tables.touch, tables.waiting, tables.waiting_for)
REFUSED = "Another Spade is writing to"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The log is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def export(path: Path, *days_ago: float, channel: int = CHANNEL) -> Path:
    """Of each day, a question of Mia to Anna, Anna's reply, and something of Noah."""
    messages: list[dict[str, Any]] = []
    for days in sorted(days_ago, reverse=True):
        first = first_id_at(NOW - timedelta(days=days))
        ids = [str(first + (minute * 60_000 << 22)) for minute in range(3)]
        people: list[dict[str, Any]] = [{"id": str(one), "isBot": False} for one in (MIA, ANNA, NOAH)]
        said: list[dict[str, Any]] = [
            {"id": one, "type": "Default", "content": "", "author": who} for one, who in zip(ids, people, strict=True)
        ]
        said[0]["mentions"] = [people[1]]
        said[1] |= {"type": "Reply", "reference": {"type": "Default", "messageId": ids[0]}}
        messages += said
    header = {"guild": {"id": str(GUILD)}, "channel": {"id": str(channel), "type": "GuildTextChat"}}
    path.write_text(json.dumps(header | {"exportedAt": NOW.isoformat(), "messages": messages}), encoding="utf-8")
    return path


def imported(address: str, *paths: Path, options: tuple[str, ...] = ()) -> int:
    """Import on the command line; returns the exit status."""
    named = ["--manager", str(ANNA), "--time-zone", "UTC", "--database", address]
    return main.exit_status(["import", *map(str, paths), *named, *options])


def stored(address: str, *chosen: Any) -> dict[str, list[tuple[Any, ...]]]:
    async def read() -> dict[str, list[tuple[Any, ...]]]:
        database = await open_database(address, write=False)
        try:
            return await rows(database, *(chosen or FACTS))
        finally:
            await database.close()

    return asyncio.run(read())


def change(address: str, do: Callable[[Database], Any]) -> Any:
    async def run() -> Any:
        database = await open_database(address, write=True)
        try:
            return await do(database)
        finally:
            await database.close()

    return asyncio.run(run())


def test_a_thread_that_may_be_in_an_excluded_channel_is_left_out_by_name(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = export(tmp_path / "room.json", 5)
    thread = export(tmp_path / "thread.json", 4, channel=CHANNEL + 1)
    thread.write_text(thread.read_text().replace("GuildTextChat", "GuildPublicThread"))

    async def exclude(database: Database) -> None:
        async with database.writing() as connection:
            await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
            await guilds.set_excluded_channels(connection, GUILD, [CHANNEL + 2])

    change(address, exclude)
    assert imported(address, room, thread) == 1
    assert f"left out {thread}: The file does not say in which channel its thread is" in capsys.readouterr().err
    assert len(stored(address)["touch"]) == 1
    assert imported(address, room, export(tmp_path / "excluded.json", 3, channel=CHANNEL + 2)) == 0
    assert "excludes 1 of the channels and threads in the files" in capsys.readouterr().err
    assert len(stored(address)["touch"]) == 1


@pytest.mark.parametrize("options", [(), ("--replace", "--yes")])
def test_an_import_changes_nothing_while_a_bot_writes_and_says_so(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    first, second = export(tmp_path / "a.json", 5), export(tmp_path / "b.json", 4, 3)
    assert imported(address, first) == 0
    before = stored(address)

    async def beside(_bot: Database) -> int:
        return await asyncio.to_thread(imported, address, second, options=options)

    capsys.readouterr()
    assert change(address, beside) == 1
    assert REFUSED in capsys.readouterr().err
    assert stored(address) == before
    assert imported(address, second, options=options) == 0
    assert (len(stored(address)["touch"]), REFUSED in capsys.readouterr().err) == (2 if options else 3, False)


def test_a_bot_and_a_second_import_are_kept_out_while_one_runs(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, refused = export(tmp_path / "a.json", 5, 4), list[int]()

    async def opened(where: str, *, write: bool) -> Database:
        database = await open_database(where, write=write)
        monkeypatch.setattr(imports, "open_database", open_database)
        refused.append(await asyncio.to_thread(imported, address, path, options=("--replace", "--yes")))
        with pytest.raises(StoreError, match=REFUSED):
            await open_database(where, write=True)
        return database

    monkeypatch.setattr(imports, "open_database", opened)
    assert imported(address, path, options=("--json",)) == 0
    shown = capsys.readouterr()
    assert (refused, REFUSED in shown.err) == ([1], True)
    assert json.loads(shown.out)["touches"] == {"reply": 2}
    assert len(stored(address)["touch"]) == 2


@pytest.mark.parametrize(("at", "options"), [(0, ("--replace", "--yes")), (1, ())])
def test_an_import_that_lost_its_turn_to_a_bot_says_so_and_the_next_one_adds_the_rest(
    new_postgres: Callable[[], str],
    postgres: Callable[[str], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    at: int,
    options: tuple[str, ...],
) -> None:
    """The server drops the import's connection before its transaction number `at`, and a bot elsewhere starts."""
    address, clean = new_postgres(), new_postgres()
    paths = [export(tmp_path / f"{one}.json", 5, 4, channel=CHANNEL + one) for one in range(2)]
    assert imported(clean, *paths) == imported(address, paths[0]) == 0
    name, turns, bots = address.partition("?")[0].rpartition("/")[2], count(), list[Database]()

    async def opened(where: str, *, write: bool) -> Database:
        database = await open_database(where, write=write)
        usual = database.writing

        @asynccontextmanager
        async def writing() -> AsyncIterator[Connection]:
            if next(turns) == at:
                postgres(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
                bots.append(await open_database(address, write=True))
            async with usual() as connection:
                yield connection

        async def close() -> None:
            await shut()
            for bot in bots:
                await bot.close()

        shut = database.close
        monkeypatch.setattr(database, "writing", writing)
        monkeypatch.setattr(database, "close", close)
        return database

    monkeypatch.setattr(imports, "open_database", opened)
    capsys.readouterr()
    assert imported(address, *paths, options=options) == len(bots)
    assert (REFUSED in capsys.readouterr().err) == bool(bots)
    monkeypatch.setattr(imports, "open_database", open_database)
    assert imported(address, *paths, options=options) == 0
    assert stored(address) == stored(clean)


def test_after_a_replace_nothing_is_sent_again(address: str, tmp_path: Path) -> None:
    path, today = export(tmp_path / "a.json", 5), NOW.date()
    kinds = {(DeliveryKind.NUDGE, ANNA): today, (DeliveryKind.DIGEST, None): today - timedelta(days=10)}
    old_on = today - timedelta(days=300)

    async def sent(database: Database) -> None:
        async with database.writing() as connection:
            await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
            for (kind, manager_id), due_on in kinds.items():
                for day in (due_on, old_on):
                    clock = DrivenClock(NOW - timedelta(days=7 if day == due_on else 300))
                    one = new_delivery(kind, GUILD, manager_id, day, clock, DeliveryState.SENT)
                    assert await deliveries.claim(connection, replace(one, state=DeliveryState.SENT))

    async def done(database: Database) -> list[list[bool]]:
        async def dealt(connection: Connection, kind: DeliveryKind, manager_id: int | None, day: date) -> bool:
            return await dealt_with(connection, GUILD, kind, manager_id, day, NOW) is not None

        async with database.reading() as connection:
            return [[await dealt(connection, *key, day) for day in (due_on, old_on)] for key, due_on in kinds.items()]

    change(address, sent)
    assert change(address, done) == [[True, True], [True, True]]
    assert imported(address, path, options=("--replace", "--yes")) == 0
    assert change(address, done) == [[True, False], [True, False]]


def test_what_is_older_than_the_server_keeps_goes_again_and_importing_it_again_keeps_none_of_it(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bot purges when it starts: it cannot run, and so purge, while an import does."""
    old, new = export(tmp_path / "old.json", 200, 190, channel=CHANNEL + 1), export(tmp_path / "new.json", 5, 4)

    async def keep(database: Database) -> None:
        async with database.writing() as connection:
            await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC"), keep_months=3))

    async def bot_starts(database: Database) -> int:
        return await Retention(database, DrivenClock(NOW)).purge_due()

    change(address, keep)
    assert imported(address, new) == 0
    assert "keeps" not in capsys.readouterr().err
    assert change(address, bot_starts) == 0
    kept = stored(address)
    assert len(kept["touch"]) == 2
    for _ in range(2):
        assert imported(address, old, new) == 0
        change(address, bot_starts)
        left = stored(address)
        assert [left[name] for name in ("activity", "touch", "waiting")] == [
            kept[name] for name in ("activity", "touch", "waiting")
        ]
    assert imported(address, old, options=("--replace", "--yes")) == 0
    assert "spade: this server keeps 3 months of its record (/settings keep): what is older than" in (
        capsys.readouterr().err
    )
    assert len(stored(address)["touch"]) == 2
    assert change(address, bot_starts) > 0
    assert {name: len(found) for name, found in stored(address).items()} == dict.fromkeys(kept, 0)


def test_an_import_says_that_managers_are_missing_or_were_named_late(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = export(tmp_path / "a.json", 5), export(tmp_path / "b.json", 4)
    missing, late = "no managers are known", "managers were named after a part of the record was made"

    def told(*paths: Path, options: tuple[str, ...] = ("--manager", str(ANNA))) -> tuple[bool, bool]:
        assert main.exit_status(["import", *map(str, paths), "--database", address, *options]) == 0
        said = capsys.readouterr().err
        return missing in said, late in said

    assert told(first, options=()) == (True, False)
    assert told(second) == (False, True)
    assert told(first, second) == (False, False)
    assert len(stored(address)["touch"]) == 2
