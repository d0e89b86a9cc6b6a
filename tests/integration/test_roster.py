"""The lists of managers and ignored people are looked up once for all who need them at the same time."""

import asyncio

from bot.clock import DrivenClock
from bot.services.members.roster import Roster
from bot.store import managers
from bot.store.database import Database
from tests.support.messages import ANNA, BEN, GUILD, moment
from tests.support.statements import statements


async def test_a_burst_looks_the_lists_of_a_guild_up_once(database: Database) -> None:
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA])
    roster = Roster(database, DrivenClock(moment(0)))
    with statements() as for_one:
        await Roster(database, DrivenClock(moment(0))).managers(GUILD)
    with statements() as for_many:
        found = await asyncio.gather(*(roster.managers(GUILD) for _ in range(50)))
    assert found == [{ANNA}] * 50
    assert len(for_many) == len(for_one)


async def test_a_change_while_they_are_looked_up_is_seen_by_the_next(database: Database) -> None:
    roster = Roster(database, DrivenClock(moment(0)))
    looking = asyncio.create_task(roster.managers(GUILD))
    await asyncio.sleep(0)
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [BEN])
    roster.changed(GUILD)
    assert BEN in await roster.managers(GUILD)
    await looking
    assert BEN in await roster.managers(GUILD)
