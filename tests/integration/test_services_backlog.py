"""What events say about roles and reactions while nothing can be written, on SQLite and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from unittest import mock

import pytest

from bot.clock import DrivenClock
from bot.domain.rules import Rules
from bot.services.backlog import Backlog
from bot.services.members.manager_reactions import ManagerReactions
from bot.services.members.roster import Roster
from bot.services.members.sightings import Sightings
from bot.services.members.waiting import WaitingService
from bot.services.record.recorder import Recorder
from bot.store import managers
from bot.store.database import Database, StoreError
from tests.support.messages import ANNA, BEN, GUILD, MIA, NOAH, at, channel, moment, said, whole
from tests.support.no_context import NoContext
from tests.support.patience import PATIENCE
from tests.support.rows import rows

ROLE = 77


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.services.backlog.RETRY_SECONDS", 0.02)


@asynccontextmanager
async def at_work(one: Sightings | ManagerReactions) -> AsyncIterator[None]:
    task = asyncio.create_task(one.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until_managed_by(roster: Roster, *people: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while await roster.managers(GUILD) != frozenset(people):
            await asyncio.sleep(0.01)


async def test_thousands_seen_while_nothing_can_be_written_are_one_task(database: Database) -> None:
    """And whoever bears the role, or does no longer, is on the list, or off it, afterwards."""
    async with database.writing() as connection:
        await managers.set_roles(connection, GUILD, [ROLE])
        await managers.add(connection, GUILD, [ANNA], by_role_id=ROLE)
    roster, became = Roster(database, DrivenClock(moment(0))), mock.AsyncMock()
    sightings = Sightings(roster, became)
    async with at_work(sightings):
        await roster.managers(GUILD)
        async with database.writing():
            before = len(asyncio.all_tasks())
            for number in range(3000):
                sightings.note(GUILD, MIA + number % 7, [1])
                sightings.note(GUILD, BEN, [ROLE])
                sightings.note(GUILD, ANNA, [1])
                if number % 1000 == 0:
                    await asyncio.sleep(0.01)
            assert len(asyncio.all_tasks()) == before
        await until_managed_by(roster, BEN)
    became.assert_awaited_once_with(GUILD)


async def test_somebody_seen_while_the_store_refuses_is_on_the_list_later(database: Database) -> None:
    async with database.writing() as connection:
        await managers.set_roles(connection, GUILD, [ROLE])
    roster = Roster(database, DrivenClock(moment(0)))
    sightings = Sightings(roster, mock.AsyncMock())
    async with at_work(sightings):
        with mock.patch.object(Roster, "seen", side_effect=StoreError("The disk is full.")) as seen:
            sightings.note(GUILD, BEN, [ROLE])
            async with asyncio.timeout(PATIENCE):
                while seen.call_count < 2:
                    await asyncio.sleep(0.01)
        await until_managed_by(roster, BEN)


async def test_reactions_while_the_store_refuses_count_later_those_of_managers_alone(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA, BEN])
    asked = [said(minute, MIA, mentions=[ANNA]) for minute in (1, 2, 3)]
    await Recorder(database, Rules()).record(whole(channel(), *asked), NoContext())
    roster = Roster(database, DrivenClock(moment(0)))

    async def at_once(_guild_id: int) -> None:
        pass

    reactions = ManagerReactions(roster, WaitingService(database, roster, DrivenClock(moment(20)), at_once))
    async with at_work(reactions):
        with mock.patch("bot.store.waits.close", side_effect=StoreError("The disk is full.")) as close:
            reactions.note(GUILD, BEN, at(1))
            reactions.note(GUILD, NOAH, at(2))
            reactions.note(GUILD + 1, NOAH, at(2))
            async with asyncio.timeout(PATIENCE):
                while close.call_count < 2:
                    await asyncio.sleep(0.01)
        async with asyncio.timeout(PATIENCE):
            while len(closed := [row[0] for row in (await rows(database))["waiting"] if moment(20) in row]) < 1:
                await asyncio.sleep(0.01)
    assert closed == [at(1)]
    assert "Reactions cannot be noted now (StoreError: The disk is full.)" in caplog.text


async def test_a_full_backlog_leaves_the_oldest_out_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    backlog: Backlog[int, str] = Backlog("reactions", 3)
    done: dict[int, str] = {}

    async def do(notes: Mapping[int, str]) -> Collection[int]:
        done.update(notes)
        return ()

    for number in (1, 2, 3, 2, 4, 5):
        backlog.note(number, "")
    assert len(backlog) == 3
    task = asyncio.create_task(backlog.work(do))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert list(done) == [3, 4, 5]
    assert caplog.messages == ["More than 3 reactions wait to be written: the oldest are left out"]
