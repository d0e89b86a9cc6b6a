"""Turning nudges on, off and on again, on SQLite and PostgreSQL."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.clock import DrivenClock
from bot.domain.delivery import DeliveryState, SendOutcome
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.services.nudge.enrolment import Enrolments
from bot.store import guilds, managers
from bot.store.database import Database
from tests.support.messages import ANNA, GUILD, moment
from tests.support.outgoing import Drafts, Outgoing

DAY = 24 * 60


@pytest.fixture
async def clock(database: Database) -> DrivenClock:
    """It is minute 0, and Anna is a manager who has set nothing."""
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
        await managers.add(connection, GUILD, [ANNA])
    return DrivenClock(moment(0))


async def settings(database: Database) -> ManagerSettings:
    async with database.reading() as connection:
        found = await managers.settings_of(connection, GUILD, ANNA)
    assert found is not None
    return found


async def test_turning_on_what_is_on_says_no_second_hello_and_changes_not_since_when(
    database: Database, clock: DrivenClock
) -> None:
    """Since when nudges are on decides which digest a manager gets; a second /nudges on must not move it."""
    outgoing = Outgoing()
    enrolments = Enrolments(database, outgoing, Drafts(), clock)
    first = await enrolments.turn_on(GUILD, ANNA)
    assert first is not None
    assert first.outcome == SendOutcome(DeliveryState.SENT)
    await enrolments.pause(GUILD, ANNA, date(2026, 4, 1))
    clock.set(moment(3 * DAY))
    again = await enrolments.turn_on(GUILD, ANNA)
    assert again is not None
    assert again.outcome is None
    assert again.schedule.manager == await settings(database)
    assert (again.schedule.manager.enrolled_at, again.schedule.manager.paused_until_on) == (moment(0), None)
    assert len(outgoing.sent) == 1
    assert await enrolments.turn_off(GUILD, ANNA)
    assert not await enrolments.turn_off(GUILD, ANNA)
    clock.set(moment(4 * DAY))
    await enrolments.turn_on(GUILD, ANNA)
    assert (await settings(database)).enrolled_at == moment(4 * DAY)
    assert len(outgoing.sent) == 2


async def test_turning_on_again_within_a_day_says_hello_once(database: Database, clock: DrivenClock) -> None:
    outgoing = Outgoing()
    enrolments = Enrolments(database, outgoing, Drafts(), clock)
    for _ in range(2):
        await enrolments.turn_on(GUILD, ANNA)
        clock.set(clock.now() + timedelta(minutes=5))
        await enrolments.turn_off(GUILD, ANNA)
    assert len(outgoing.sent) == 1
