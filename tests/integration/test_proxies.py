"""Who writes through a proxy bot, as it is heard and stored, on SQLite and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from bot.clock import DrivenClock
from bot.domain.guild import GuildSettings
from bot.domain.nudge_decision import Obstacle
from bot.domain.proxy import PROXIED_NEEDED, STAYED_NEEDED
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.services.members import proxies as proxies_module
from bot.services.members.privacy import PrivacyService
from bot.services.members.proxies import Proxies
from bot.services.members.roster import Roster
from bot.services.nudge.facts import gather
from bot.store import forgetting, people
from bot.store.database import Database
from bot.store.engine import AsyncConnection
from bot.store.error import OutageError
from tests.support.messages import ANNA, GUILD, MIA, NOAH, moment
from tests.support.patience import PATIENCE

CHANNEL, OTHER_CHANNEL = 10, 11
HOOK, FEED = 900, 901


@dataclass
class Ear:
    """What Spade hears, with a clock that goes on by itself as little as the ids do."""

    proxies: Proxies
    clock: DrivenClock = field(default_factory=lambda: DrivenClock(moment(0)))
    numbers: "count[int]" = field(default_factory=count)

    def id(self) -> int:
        return first_id_at(self.clock.now()) + next(self.numbers)

    def later(self, seconds: float) -> None:
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))

    def writes(self, who: int = MIA, channel: int = CHANNEL) -> int:
        message_id = self.id()
        self.proxies.person_wrote(GUILD, channel, message_id, who)
        return message_id

    def posts(self, hook: int = HOOK, channel: int = CHANNEL) -> None:
        self.proxies.webhook_posted(GUILD, channel, self.id(), hook)

    def proxied(self, who: int = MIA, *, pause: float = 60, deleted_first: bool = False) -> None:
        message_id = self.writes(who)
        self.later(0.5)
        steps: list[Callable[[], None]] = [self.posts, lambda: self.proxies.message_deleted(message_id)]
        for step in reversed(steps) if deleted_first else steps:
            step()
            self.later(0.5)
        self.later(pause)

    def rest(self) -> None:
        """Let what was heard come to rest."""
        self.later(60)
        self.writes(who=999)


@asynccontextmanager
async def listening(database: Database, clock: DrivenClock | None = None) -> AsyncIterator[Ear]:
    clock = clock or DrivenClock(moment(0))
    ear = Ear(Proxies(database, clock), clock)
    running = asyncio.create_task(ear.proxies.run())
    try:
        yield ear
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def stored(database: Database) -> frozenset[int]:
    async with database.reading() as connection:
        return await people.proxied(connection, GUILD)


async def becomes(database: Database, wanted: Iterable[int]) -> None:
    async with asyncio.timeout(PATIENCE):
        while await stored(database) != frozenset(wanted):
            await asyncio.sleep(0.01)


async def stays(database: Database, wanted: Iterable[int]) -> None:
    for _ in range(5):
        await asyncio.sleep(0.01)
    assert await stored(database) == frozenset(wanted)


@pytest.mark.parametrize("pause", [0, 60])
@pytest.mark.parametrize("deleted_first", [False, True])
async def test_three_messages_posted_anew_are_stored_and_twenty_that_stay_end_it(
    database: Database, pause: float, *, deleted_first: bool
) -> None:
    async with listening(database) as ear:
        for _ in range(PROXIED_NEEDED - 1):
            ear.proxied(pause=pause, deleted_first=deleted_first)
        await stays(database, ())
        ear.proxied(pause=pause, deleted_first=deleted_first)
        await becomes(database, {MIA})
        for _ in range(STAYED_NEEDED - 1):
            ear.writes()
        ear.rest()
        ear.proxied()
        for _ in range(STAYED_NEEDED - 1):
            ear.writes()
        ear.rest()
        await stays(database, {MIA})
        ear.writes()
        ear.rest()
        await becomes(database, ())


async def test_what_was_stored_ends_after_a_restart_too(database: Database) -> None:
    async with database.writing() as connection:
        await people.set_proxied(connection, GUILD, MIA, proxied=True)
    async with listening(database) as ear:
        async with asyncio.timeout(PATIENCE):
            while await stored(database):  # it takes a moment to look for them
                for _ in range(STAYED_NEEDED):
                    ear.writes()
                ear.rest()
                await asyncio.sleep(0.05)


async def test_a_message_that_is_deleted_late_or_with_others_tells_nothing(database: Database) -> None:
    async with listening(database) as ear:
        for _ in range(PROXIED_NEEDED):
            late = ear.writes()
            ear.posts()
            ear.later(10.001)
            ear.proxies.message_deleted(late)
            ear.rest()
        purged = []
        for _ in range(PROXIED_NEEDED):
            purged.append(ear.writes())
            ear.posts()
        ear.proxies.messages_purged(purged)
        for message_id in purged:
            ear.proxies.message_deleted(message_id)
        ear.rest()
        await stays(database, ())


async def test_a_webhook_elsewhere_or_one_message_for_many_tells_nothing(database: Database) -> None:
    """A moderation bot deletes spam, and its log stands in another channel, or is one message for all of it."""
    async with listening(database) as ear:
        for _ in range(PROXIED_NEEDED):
            message_id = ear.writes()
            ear.posts(channel=OTHER_CHANNEL)
            ear.proxies.message_deleted(message_id)
        ear.rest()
        for _ in range(PROXIED_NEEDED - 1):
            spam = [ear.writes() for _ in range(5)]
            for message_id in spam:
                ear.proxies.message_deleted(message_id)
            ear.posts()
            ear.rest()
        await stays(database, ())


@pytest.mark.parametrize("every", [0.5, 3, 15])
async def test_a_feed_posts_for_reasons_of_its_own(database: Database, every: float) -> None:
    """Mia takes back each of her messages at once, while something else is posted all the time."""
    async with listening(database) as ear:
        for number in range(60):
            ear.posts(FEED)
            if number % 6 == 5:
                message_id = ear.writes()
                ear.later(0.1)
                ear.proxies.message_deleted(message_id)
            ear.later(every)
        await stays(database, ())
        ear.rest()
        for _ in range(PROXIED_NEEDED):
            ear.posts(FEED)
            ear.proxied(NOAH, pause=0)
        await becomes(database, {NOAH})


async def test_who_takes_messages_back_among_people_with_a_proxy_is_not_taken_for_one_of_them(
    database: Database,
) -> None:
    async with listening(database) as ear:
        for _ in range(3 * PROXIED_NEEDED):
            own = ear.writes(NOAH)
            mia = ear.writes(MIA)
            ear.proxies.message_deleted(own)
            ear.posts()
            ear.later(1)
            ear.proxies.message_deleted(mia)
            ear.proxied(pause=60)
        await becomes(database, {MIA})
        await stays(database, {MIA})


async def test_a_thread_is_a_channel_of_its_own(database: Database) -> None:
    """A webhook posts in a thread under the thread's id: what goes on in its channel says nothing of it."""
    async with listening(database) as ear:
        for _ in range(PROXIED_NEEDED):
            message_id = ear.writes(channel=OTHER_CHANNEL)
            ear.posts(channel=OTHER_CHANNEL)
            ear.proxies.message_deleted(message_id)
        await becomes(database, {MIA})


async def test_nothing_is_stored_of_whom_nothing_may_be_recorded_and_it_does_not_speak_later(
    database: Database,
) -> None:
    async with listening(database) as ear:
        privacy = PrivacyService(database, Roster(database, ear.clock), ear.clock, ear.proxies.forget)
        for person_id, stop in ((MIA, privacy.opt_out), (NOAH, privacy.erase)):
            for _ in range(PROXIED_NEEDED):
                ear.proxied(person_id)
            await becomes(database, {person_id})
            await stop(GUILD, person_id)
            assert await stored(database) == frozenset()
            for _ in range(PROXIED_NEEDED):
                ear.proxied(person_id)
            await stays(database, ())
            await privacy.opt_in(GUILD, person_id, ear.clock.now())
            for _ in range(PROXIED_NEEDED - 1):
                ear.proxied(person_id)
            await stays(database, ())
            ear.proxied(person_id)
            await becomes(database, {person_id})
            await privacy.erase(GUILD, person_id)


@pytest.mark.parametrize("doing", [False, True])
async def test_what_waits_for_the_database_is_not_stored_after_a_return(
    database: Database, monkeypatch: pytest.MonkeyPatch, doing: bool
) -> None:
    """The database is busy with others when she is erased and comes back."""
    asked, go_on, known = asyncio.Event(), asyncio.Event(), people.proxied

    async def held_up(connection: AsyncConnection, guild_id: int) -> frozenset[int]:
        found = await known(connection, guild_id)
        asked.set()
        await go_on.wait()
        return found

    async with listening(database) as ear:
        monkeypatch.setattr(people, "proxied", held_up)
        privacy = PrivacyService(database, Roster(database, ear.clock), ear.clock, ear.proxies.forget)
        for who in (MIA, NOAH) if doing else (NOAH, MIA):
            for _ in range(PROXIED_NEEDED):
                ear.proxied(who)
            await asked.wait()
        await privacy.erase(GUILD, MIA)
        await privacy.opt_in(GUILD, MIA, ear.clock.now())
        monkeypatch.setattr(people, "proxied", known)
        go_on.set()
        await becomes(database, {NOAH})
        await stays(database, {NOAH})


async def test_it_is_told_again_when_the_row_went_with_an_old_record(database: Database) -> None:
    async with listening(database) as ear:
        for _ in range(PROXIED_NEEDED):
            ear.proxied()
        await becomes(database, {MIA})
        async with database.writing() as connection:
            await forgetting.erase_as_member(connection, GUILD, MIA)
        ear.proxied()
        await becomes(database, {MIA})


async def test_what_the_database_does_not_take_is_tried_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.services.backlog.RETRY_SECONDS", 0.01)
    store, tries = people.set_proxied, list[int]()

    async def fails_twice(connection: object, guild_id: int, member_id: int, *, proxied: bool) -> None:
        tries.append(member_id)
        if len(tries) <= 2:
            raise OutageError("away") if len(tries) == 1 else ValueError("odd")
        await store(connection, guild_id, member_id, proxied=proxied)

    monkeypatch.setattr(people, "set_proxied", fails_twice)
    async with listening(database) as ear:
        for _ in range(PROXIED_NEEDED):
            ear.proxied()
        await becomes(database, {MIA})
        assert tries == [MIA] * 3


async def test_memory_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOST_WRITTEN", "MOST_EPISODES", "MOST_PEOPLE", "MOST_WEBHOOKS"):
        monkeypatch.setattr(proxies_module, name, 3)
    async with listening(database) as ear:
        for number in range(500):
            message_id = ear.writes(number, channel=number % 7)
            ear.posts(number, channel=number % 7)
            ear.proxies.message_deleted(message_id)
            ear.writes(number)
        held = [len(value) for value in vars(ear.proxies).values() if hasattr(value, "__len__")]
        assert max(held) <= 3
        episodes = ear.proxies._episodes.values()
        assert all(len(one.posts) + len(one.removals) <= proxies_module.LONGEST_EPISODE for one in episodes)


async def test_a_clock_that_is_set_back_holds_nothing_up(database: Database) -> None:
    async with listening(database) as ear:
        ear.writes(NOAH)
        ear.posts()
        ear.clock.set(ear.clock.now() - timedelta(hours=1), back=True)
        for _ in range(PROXIED_NEEDED):
            ear.proxied()
        await becomes(database, {MIA})


async def test_whoever_writes_through_a_proxy_is_barred_from_nudges(database: Database) -> None:
    async with database.writing() as connection:
        await people.set_proxied(connection, GUILD, MIA, proxied=True)
        await people.set_proxied(connection, GUILD, NOAH, proxied=False)
        facts = await gather(connection, GuildSettings(GUILD, ZoneInfo("UTC")), ANNA, moment(0), Rules())
    assert facts.barred == {MIA: Obstacle.PROXIED}
