"""Digests where the zone changes, and where clocks change at the turn of a week: each week once, each hour in one."""

import json
import shutil
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from bot.domain.message import Message
from bot.services.guild.settings import SettingsChange, SettingsService
from bot.services.members.roster import Roster
from bot.store import guilds, managers, tables
from bot.store.database import open_database
from tests.integration.test_digests import World
from tests.support.messages import ANNA, GUILD, MIA, START, channel, said

BOARD = 5
WEEK = timedelta(weeks=1)


class Story:
    """A manager who replies to a member every two hours, and a guild whose digests are looked for now and then."""

    def __init__(self, world: World) -> None:
        self.world = world
        roster = Roster(world.database, world.clock)
        self.settings = SettingsService(world.database, roster, world.clock, lambda: None)

    async def talk(self, since: datetime, until: datetime, every: timedelta) -> list[datetime]:
        """Record replies of one manager to one member; returns when each was written."""
        messages: list[Message] = []
        minute = (since - START) / timedelta(minutes=1)
        while minute < (until - START) / timedelta(minutes=1):
            messages += [said(minute, MIA), said(minute + 1, ANNA, to=(minute, MIA))]
            minute += every / timedelta(minutes=1)
        await self.world.record(*messages, place=channel(messages[0].message_id - 1))
        return [message.sent_at for message in messages if message.author_id == ANNA]

    async def goes_on(
        self, since: datetime, until: datetime, step: timedelta, changes: Mapping[datetime, SettingsChange]
    ) -> None:
        """Let time pass step by step; at some moments a setting is changed."""
        moments = {since + step * number for number in range((until - since) // step + 1)}
        for moment in sorted(moments | set(changes)):
            self.world.clock.set(moment)
            if moment in changes:
                await self.settings.change(GUILD, changes[moment])
            await self.world.service.post_due()

    async def posted(self) -> dict[date, tuple[datetime, Any]]:
        """When each week was posted, and its figures."""
        async with self.world.database.reading() as connection:
            query = select(tables.digest).order_by(tables.digest.c.week_on)
            found = (await connection.execute(query)).all()
        assert len(found) == len(self.world.discord.sent)
        return {row.week_on: (row.frozen_at, json.loads(row.figures)) for row in found}


@pytest.fixture
async def story(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Story]:
    shutil.copyfile(sqlite_template, tmp_path / "spade.db")
    database = await open_database(f"sqlite:///{tmp_path / 'spade.db'}", write=True)
    try:
        async with database.writing() as connection:
            await managers.add(connection, GUILD, [ANNA])
        world = World(database)
        world.clock.set(datetime(2020, 1, 1, tzinfo=UTC), back=True)
        yield Story(world)
    finally:
        await database.close()


def zone(name: str, **more: Any) -> SettingsChange:
    return SettingsChange(zone=ZoneInfo(name), **more)


@pytest.mark.parametrize(
    ("named_in", "named_at", "then_in", "first_on"),
    [
        ("Pacific/Kiritimati", "2026-03-01T10:30", "America/Los_Angeles", "2026-02-23"),  # Monday there, Sunday here
        ("America/Los_Angeles", "2026-03-02T05:00", "Pacific/Kiritimati", "2026-03-02"),  # the other way round
        ("UTC", "2026-03-04T12:00", "Asia/Tokyo", "2026-03-02"),
    ],
)
async def test_the_first_digest_is_for_the_week_in_which_its_channel_was_named_whatever_zone_was_set_when(
    story: Story, named_in: str, named_at: str, then_in: str, first_on: str
) -> None:
    named = datetime.fromisoformat(named_at).replace(tzinfo=UTC)
    changes = {
        named: zone(named_in, digest_channel_id=BOARD),
        named + timedelta(minutes=20): zone(then_in),
    }
    await story.goes_on(named, named + 3 * WEEK, timedelta(hours=8), changes)
    assert list(await story.posted()) == [date.fromisoformat(first_on) + WEEK * number for number in range(3)]


async def test_a_zone_changed_in_mid_week_neither_skips_nor_doubles_a_week_or_an_hour(story: Story) -> None:
    """East by 14 hours, west by 22, east again; what lies between the old and the new midnight is in one week."""
    named = datetime(2026, 3, 2, 8, tzinfo=UTC)
    changes = {
        named: zone("UTC", digest_channel_id=BOARD),
        datetime(2026, 3, 11, 12, tzinfo=UTC): zone("Pacific/Kiritimati"),
        datetime(2026, 3, 19, 12, tzinfo=UTC): zone("America/Los_Angeles"),
        datetime(2026, 3, 25, 12, tzinfo=UTC): zone("Africa/Cairo"),
        datetime(2026, 4, 1, 12, tzinfo=UTC): zone("UTC"),
    }
    until = datetime(2026, 4, 13, 17, tzinfo=UTC)
    replies = await story.talk(datetime(2026, 3, 1, tzinfo=UTC), until, timedelta(hours=2))
    await story.goes_on(named, until, timedelta(hours=8), changes)
    posted = await story.posted()
    assert list(posted) == [date(2026, 3, 2) + WEEK * number for number in range(6)]
    counted = [figures["team"]["personal_replies"] for _, figures in posted.values()]
    begin, end = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 4, 13, tzinfo=UTC)
    assert sum(counted) == sum(begin <= moment < end for moment in replies)
    assert counted == [84, 77, 95, 79, 85, 84]  # of 168, 154, 189, 159, 170 and 168 hours
    # What was posted is what a later look finds, in whatever zone the guild is by then.
    async with story.world.database.reading() as connection:
        settings = await guilds.settings_of(connection, GUILD)
    assert settings is not None
    for number, week_on in enumerate(posted):
        draft = await story.world.service._reporter.draft(settings, week_on, "", until)
        assert (draft.figures.personal_replies, draft.corrected) == (counted[number], None)


@pytest.mark.parametrize(
    ("name", "week_on", "begins", "turns", "ends"),
    [
        # Monday begins at one: there is no midnight.
        ("Asia/Tehran", "2021-03-22", "2021-03-14T20:30", "2021-03-21T20:30", "2021-03-28T19:30"),
        # Midnight comes twice.
        ("Antarctica/Vostok", "2023-12-18", "2023-12-10T17:00", "2023-12-17T17:00", "2023-12-24T19:00"),
        # Sunday's last hour comes twice.
        ("Asia/Tehran", "2020-09-21", "2020-09-13T19:30", "2020-09-20T20:30", "2020-09-27T20:30"),
    ],
)
async def test_a_week_turns_once_where_clocks_change_at_its_midnight(
    story: Story, name: str, week_on: str, begins: str, turns: str, ends: str
) -> None:
    """With the digest at that very midnight: it is posted then, once, and no reply is in two weeks or in none."""
    begin, turn, end = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (begins, turns, ends))
    replies = await story.talk(begin - WEEK, end + WEEK, timedelta(hours=2))
    named, hours, step = turn - timedelta(days=2), timedelta(hours=5), timedelta(minutes=30)
    setup = zone(name, digest_channel_id=BOARD, digest_weekday=0, digest_hour=0)
    await story.goes_on(named, named + step, step, {named: setup})
    await story.goes_on(turn - hours, turn + hours, step, {})
    await story.goes_on(end - hours, end + hours, step, {})
    monday, posted = date.fromisoformat(week_on), await story.posted()
    assert {week: at for week, (at, _) in posted.items()} == {monday - WEEK: turn, monday: end}
    assert [figures["team"]["personal_replies"] for _, figures in posted.values()] == [
        sum(begin <= moment < turn for moment in replies),
        sum(turn <= moment < end for moment in replies),
    ]
