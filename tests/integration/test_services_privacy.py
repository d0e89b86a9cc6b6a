"""Erasing somebody while something about them is still on its way, on SQLite and PostgreSQL."""

from datetime import date, timedelta

import pytest
from sqlalchemy import insert

from bot.clock import DrivenClock
from bot.services.members.privacy import PrivacyService
from bot.services.members.roster import Roster
from bot.store import tables
from bot.store.database import Database
from tests.support.messages import GUILD, MIA, NOAH, moment
from tests.support.rows import rows


async def wrote(database: Database, *people: int) -> None:
    """Something about people gets into the record, whatever was said of them before."""
    async with database.writing() as connection:
        for member_id in people:
            values = {"guild_id": GUILD, "member_id": member_id, "day": date(2026, 3, 2), "messages": 1}
            await connection.execute(insert(tables.activity).values(values))


async def on_record(database: Database) -> set[int]:
    return {row[1] for row in (await rows(database, tables.activity))["activity"]}


async def test_what_was_on_its_way_while_somebody_was_erased_is_erased_a_minute_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, with no trace of it left in the file; whoever opted in again meanwhile keeps what they wrote since."""
    clock = DrivenClock(moment(0))
    privacy = PrivacyService(database, Roster(database, clock), clock)
    scrub, scrubbed = Database.scrub, 0

    async def noted(self: Database) -> bool:
        nonlocal scrubbed
        scrubbed += 1
        return await scrub(self)

    monkeypatch.setattr(Database, "scrub", noted)
    await wrote(database, MIA, NOAH)
    for person_id in (MIA, NOAH):
        assert await privacy.erase(GUILD, person_id) == 1
    assert scrubbed == 2
    await privacy.opt_in(GUILD, NOAH)
    await wrote(database, MIA, NOAH)
    clock.set(clock.now() + timedelta(seconds=59))
    await privacy.finish_due()
    assert (await on_record(database), scrubbed) == ({MIA, NOAH}, 2)
    clock.set(clock.now() + timedelta(seconds=1))
    await privacy.finish_due()
    assert (await on_record(database), scrubbed) == ({NOAH}, 3)
    await wrote(database, MIA)
    await privacy.finish_due()
    assert (await on_record(database), scrubbed) == ({MIA, NOAH}, 3)


async def test_what_could_not_be_scrubbed_is_scrubbed_when_it_can_be(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads at that moment holds the old pages of the file."""
    clock = DrivenClock(moment(0))
    privacy = PrivacyService(database, Roster(database, clock), clock)
    answers = [False, False, True]

    async def scrub(_self: Database) -> bool:
        return answers.pop(0)

    monkeypatch.setattr(Database, "scrub", scrub)
    await wrote(database, MIA)
    await privacy.erase(GUILD, MIA)
    for left in (1, 0, 0):
        await privacy.finish_due()
        assert len(answers) == left
