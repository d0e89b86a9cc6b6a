"""What holds for every nudge, through the record, the database and the service: random communities, played by days."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from bot.clock import DrivenClock
from bot.domain.guild import GuildSettings
from bot.domain.message import Message, MessageKind
from bot.domain.nudge import PRESSES, Action, NudgeDraft
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.services.nudge.dispatch import NudgeService
from bot.services.nudge.presses import ButtonPress, NudgePresses
from bot.services.nudge.previews import preview_at
from bot.services.record.recorder import Recorder
from bot.store import guilds, managers, tables
from bot.store.database import Database, open_database
from tests.support.messages import GUILD, channel, whole
from tests.support.outgoing import Drafts, Outgoing, at_once, drafts
from tests.support.sqlite_in_the_loop import sqlite_in_the_loop

START = datetime(2026, 3, 2, tzinfo=UTC)
TEAM = (101, 102, 103)
MEMBERS = range(201, 215)
ROOM, CHATTER = first_id_at(START - timedelta(days=400)), first_id_at(START - timedelta(days=399))
PAST, DAYS = 35, 8
RULES = Rules()
BOUNDED = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class NoContext:
    """Everything is at hand."""

    async def earlier(self, stretch):
        return replace(stretch, context_first_id=0)

    async def opened(self, stretch):
        return stretch


@asynccontextmanager
async def copied(template: Path) -> AsyncIterator[Database]:
    with TemporaryDirectory(prefix="spade-test-") as folder, sqlite_in_the_loop():
        path = shutil.copy(template, Path(folder) / "spade.db")
        database = await open_database(f"sqlite:///{path}", write=True)
        try:
            yield database
        finally:
            await database.close()


def talk(random: Random) -> list[Message]:
    """What is said in the room: chat, replies to anybody, questions to managers; managers answer now and then."""
    said: list[Message] = []
    moment = START - timedelta(days=PAST)
    while moment < START + timedelta(days=DAYS):
        moment += timedelta(minutes=random.expovariate(1 / 240))
        author_id = random.choice((*TEAM, *MEMBERS, *MEMBERS))
        target = random.choice(said[-6:]) if said and random.random() < 0.5 else None
        asked = random.choice(TEAM) if author_id not in TEAM and random.random() < 0.2 else None
        said.append(
            Message(
                message_id=first_id_at(moment) + len(said),
                author_id=author_id,
                kind=MessageKind.REPLY if target else MessageKind.DEFAULT,
                mentions=frozenset({asked} if asked else ()),
                reply_to_id=target.message_id if target else None,
                reply_to_author_id=target.author_id if target else None,
            )
        )
    return said


def louder(said: list[Message], member_id: int) -> list[Message]:
    """One member writes twenty more messages elsewhere after each of theirs, on the same day."""
    return [
        Message(message.message_id + number, member_id)
        for message in said
        if message.author_id == member_id
        for number in range(1, 21)
    ]


async def community(database: Database, random: Random, said: list[Message]) -> None:
    """A server with three managers who chose an hour each, and all that was said."""
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
        await managers.add(connection, GUILD, TEAM)
        for manager in await managers.all_settings(connection, GUILD):
            await managers.save(
                connection,
                replace(
                    manager,
                    enrolled_at=START - timedelta(days=40),
                    nudge_hour=random.choice((8, 9, 17)),
                    nudge_weekdays=frozenset(range(7)),
                ),
            )
    await Recorder(database, RULES).record(whole(channel(ROOM), *said), NoContext())


@dataclass(slots=True)
class Play:
    """Days of a community, with what happened to its members."""

    database: Database
    random: Random
    clock: DrivenClock = field(default_factory=lambda: DrivenClock(START))
    outgoing: Outgoing = field(default_factory=Outgoing)
    opted_out: set[int] = field(default_factory=set)
    silenced: dict[tuple[int, int], datetime] = field(default_factory=dict)
    pressing: bool = True

    async def days(self) -> list[tuple[int, NudgeDraft]]:
        """Every hour somebody's nudge may come; in between, things happen."""
        service = NudgeService(self.database, self.outgoing, Drafts(), self.clock, RULES, at_once)
        for day in range(DAYS):
            for hour in (8, 9, 17):
                self.clock.set(START + timedelta(days=day, hours=hour, seconds=self.random.randrange(900)))
                before = len(self.outgoing.sent)
                await service.send_due()
                for manager_id, draft in drafts(self.outgoing)[before:]:
                    self.check(manager_id, draft)
                    if self.pressing:
                        await self.press(manager_id, draft)
                if self.pressing:
                    await self.something()
        return drafts(self.outgoing)

    def check(self, manager_id: int, draft: NudgeDraft) -> None:
        """What must hold for a nudge by itself."""
        offers = draft.nudge.offers
        assert 1 <= len(offers) <= 5
        assert sum(offer.wrote_back for offer in offers) <= 2
        for offer in offers:
            assert offer.member_id not in self.opted_out
            assert offer.member_id not in self.outgoing.departed
            assert self.silenced.get((manager_id, offer.member_id), START) <= self.clock.now()

    async def press(self, manager_id: int, draft: NudgeDraft) -> None:
        """The manager presses some of the buttons."""
        presses = NudgePresses(self.database, self.outgoing, Drafts(), self.clock, RULES)
        for position, offer in enumerate(draft.nudge.offers, start=1):
            if self.random.random() < 0.5:
                continue
            action = self.random.choice(PRESSES)
            colleague_id = self.random.choice([one for one in TEAM if one != manager_id])
            sent_before = list(self.outgoing.sent)
            await presses.press(ButtonPress(draft.delivery_id, position, manager_id), action, colleague_id)
            self.outgoing.sent[:] = sent_before
            if action is Action.SNOOZE:
                self.silenced[manager_id, offer.member_id] = self.clock.now() + timedelta(days=7)
            elif action is Action.NEVER:
                self.silenced[manager_id, offer.member_id] = START + timedelta(days=999)

    async def something(self) -> None:
        """Somebody leaves, opts out, pauses, or comes back from a pause."""
        member_id, chance = self.random.choice(MEMBERS), self.random.random()
        if chance < 0.15:
            self.outgoing.departed.add(member_id)
        elif chance < 0.3:
            self.opted_out.add(member_id)
            async with self.database.writing() as connection:
                await connection.execute(
                    update(tables.member)
                    .where(tables.member.c.member_id == member_id)
                    .values(opted_out_at=self.clock.now())
                )
        elif chance < 0.45:
            async with self.database.writing() as connection:
                manager = await managers.settings_of(connection, GUILD, self.random.choice(TEAM))
                assert manager is not None
                until_on = self.clock.now().date() + timedelta(days=self.random.randrange(4))
                await managers.save(connection, replace(manager, paused_until_on=until_on))


@BOUNDED
@given(st.integers(0, 2**32))
def test_every_nudge_keeps_its_promises(sqlite_template: Path, seed: int) -> None:
    random = Random(seed)

    async def play() -> None:
        async with copied(sqlite_template) as database:
            await community(database, random, talk(random))
            sent = await Play(database, random).days()
        assume(len(sent) > DAYS)  # only a community that is busy enough says something; too few of them, and it fails
        days = [(manager_id, draft.context.now.date()) for manager_id, draft in sent]
        assert len(days) == len(set(days))  # one a day
        offered: dict[tuple[object, int], int] = {}
        for manager_id, draft in sent:
            for offer in draft.nudge.offers:
                if not offer.handed:
                    assert offered.setdefault((draft.context.now.date(), offer.member_id), manager_id) == manager_id

    asyncio.run(play())


@BOUNDED
@given(st.integers(0, 2**32), st.sampled_from(MEMBERS))
def test_writing_more_changes_nothing(sqlite_template: Path, seed: int, member_id: int) -> None:
    """A member who writes twenty times as much stands in the same nudges, in the same places."""

    async def play(*, loud: bool) -> list[tuple[int, list[tuple[int, str]]]]:
        random = Random(seed)
        said = talk(random)
        async with copied(sqlite_template) as database:
            await community(database, random, said)
            more = louder(said, member_id)
            if loud and more:
                await Recorder(database, RULES).record(whole(channel(CHATTER), *more), NoContext())
            sent = await Play(database, random, pressing=False).days()
        return [
            (manager_id, [(offer.member_id, offer.reason.value) for offer in draft.nudge.offers])
            for manager_id, draft in sent
        ]

    assert asyncio.run(play(loud=True)) == asyncio.run(play(loud=False))


@BOUNDED
@given(st.integers(0, 2**32), st.integers(0, DAYS * 24))
def test_a_preview_is_the_same_each_time_and_stores_nothing(sqlite_template: Path, seed: int, hours: int) -> None:
    async def play() -> None:
        random = Random(seed)
        async with copied(sqlite_template) as database:
            await community(database, random, talk(random))
            guild = GuildSettings(GUILD, ZoneInfo("UTC"))
            at = START + timedelta(hours=hours)
            for manager_id in TEAM:
                first = await preview_at(database, guild, manager_id, at, RULES)
                assert await preview_at(database, guild, manager_id, at, RULES) == first
            async with database.reading() as connection:
                assert (await connection.execute(tables.delivery.select())).all() == []

    asyncio.run(play())


def test_an_empty_record_is_silent(sqlite_template: Path) -> None:
    async def play() -> None:
        async with copied(sqlite_template) as database:
            await community(database, Random(1), [Message(ROOM + 1, TEAM[0])])
            assert await Play(database, Random(1)).days() == []

    asyncio.run(play())
