"""Downtime, backfill, second readings, threads in the archive, removal and outage, through a real connection."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.clock import DrivenClock
from bot.discord_io.record.history import DiscordHistory
from bot.domain.guild import GuildSettings
from bot.domain.rules import Rules
from bot.domain.span import Span
from bot.domain.stretch import Place
from bot.sandbox import Channel, Guild, Permission, Role, Sandbox, User
from bot.sandbox.gateway.gateway import Gateway
from bot.sandbox.world.entities import Overwrite
from bot.services.digest.report import Reporter
from bot.services.guild.membership import MembershipService
from bot.services.members.roster import appoint
from bot.services.record.history import UnreadableHistoryError
from bot.store import guilds, spans
from bot.store.database import open_database
from tests.support.days import DAYS
from tests.support.stage import PATIENCE, Stage, connected
from tests.support.town import card

STARTS_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Town:
    """A sandbox with a guild, a manager and a member, and a bot that comes and goes."""

    def __init__(self, sandbox: Sandbox, clock: DrivenClock, database: Path) -> None:
        self.sandbox, self.clock, self.database = sandbox, clock, database
        world = self.world = sandbox.world
        self.guild: Guild = world.guilds.add("Gardeners", owner=world.users.add("olga"))
        self.general: Channel = world.channels.add(self.guild, "general")
        self.mia: User = world.users.add("mia", display_name="Mia")
        self.rafa: User = world.users.add("rafa", display_name="Rafa")
        for user in (self.mia, self.rafa):
            world.members.add(self.guild, user)

    def later(self, **delta: float) -> None:
        """Let time pass."""
        self.clock.set(self.clock.now() + timedelta(**delta))

    def bot(self) -> Any:
        """The bot, for as long as the block lasts."""
        return connected(self.sandbox, self.clock, self.database)

    async def settled(self, app: Any) -> None:
        """Wait until the bot has written what it heard."""
        await Stage(self.clock, self.sandbox, app).heard(app.follower.newest_received_id)

    async def manager(self, app: Any, user: User | None = None) -> None:
        """Make somebody a manager by command."""
        answer = await self.sandbox.people.run_command(
            self.guild.owner_id, self.general, "setup", {"manager": user or self.mia, "time_zone": "UTC"}
        )
        await answer.wait(PATIENCE)

    async def rows(self, app: Any, query: str) -> list[tuple[Any, ...]]:
        """What the database says."""
        async with app.database.reading() as connection:
            return [tuple(row) for row in await connection.exec_driver_sql(query)]

    async def settled_at(self, app: Any, messages: int) -> None:
        """Wait until so many messages are on record."""
        await _until(self, app, MESSAGES, [(messages,)])

    def lose_sight(self, role: Role | None) -> None:
        """Take the general channel out of Spade's sight, by a role that it bore or by the channel's own permissions."""
        if role is None:
            self.world.channels.deny_bot(self.general, Permission.VIEW_CHANNEL)
        else:
            self.world.roles.take(role, self.world.state.bot)

    def find_sight(self, role: Role | None) -> None:
        """Put it back."""
        if role is None:
            self.world.channels.allow_bot(self.general, Permission.VIEW_CHANNEL)
        else:
            self.world.roles.give(role, self.world.state.bot)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    clock = DrivenClock(STARTS_AT)
    async with Sandbox(now=clock.now) as sandbox:
        yield Town(sandbox, clock, tmp_path / "spade.db")


MESSAGES = f"SELECT sum(messages) FROM ({DAYS})"


async def test_what_was_missed_while_down_is_fetched_once(town: Town) -> None:
    """More than two pages in a channel, a thread and a forum post made meanwhile, one of them archived."""
    forum = town.world.channels.add(town.guild, "help", kind="forum")
    async with town.bot() as app:
        await town.manager(app)
        town.later(minutes=1)
        question = town.world.messages.post(town.general, town.rafa, "before")
        await town.sandbox.until(lambda: app.follower.newest_received_id >= question.id)
        await town.settled(app)
    for _ in range(250):
        town.later(seconds=30)
        town.world.messages.post(town.general, town.rafa, "meanwhile")
    town.world.messages.post(town.general, town.mia, "an answer", reply_to=question)
    post = town.world.threads.open_post(forum, "How?", town.rafa, "a question")
    town.later(minutes=1)
    town.world.messages.post(post, town.rafa, "and more")
    thread = town.world.threads.start(town.general, "side", town.rafa)
    town.world.messages.post(thread, town.rafa, "aside")
    town.world.archive.add(thread)
    for _ in range(2):  # coming back twice changes nothing more
        async with town.bot() as app:
            await town.settled(app)
            assert await town.rows(app, MESSAGES) == [(1 + 250 + 1 + 2 + 1,)]
            assert await town.rows(app, "SELECT kind, message_id > replied_to_id FROM touch") == [("reply", 1)]
            assert sorted(await town.rows(app, "SELECT channel_id FROM waiting")) == sorted([(post.id,), (thread.id,)])


async def test_a_guild_that_a_session_shows_late_is_caught_up_with_like_the_others(town: Town) -> None:
    """Ready does not wait for long: a guild may come after it, when the others have caught up already."""
    elsewhere = town.world.guilds.add("Elsewhere", owner=town.rafa)
    async with town.bot() as app:
        await town.manager(app)
        town.world.messages.post(town.general, town.rafa, "before")
        await town.settled_at(app, 1)
    town.world.messages.post(town.general, town.rafa, "meanwhile")
    town.world.guilds.take_down(town.guild)
    async with town.bot() as app:
        assert app.bot.is_ready()
        assert app.follower.guild_caught_up(elsewhere.id)
        assert not app.follower.guild_caught_up(town.guild.id)
        town.world.guilds.bring_back(town.guild)
        await town.settled_at(app, 2)
        town.world.messages.post(town.general, town.rafa, "after")
        await town.settled_at(app, 3)


def began_another_session(gateway: Gateway, before: int) -> bool:
    return gateway.identified + gateway.resumed > before


async def test_a_resumed_session_misses_nothing_and_a_refused_one_catches_up(town: Town) -> None:
    async with town.bot() as app:
        gateway = town.sandbox.gateway
        town.world.messages.post(town.general, town.rafa, "one")
        for number, resume in enumerate((True, False, False)):
            sessions = gateway.identified + gateway.resumed
            town.sandbox.faults.gateway.drop(resume=resume)
            town.later(minutes=1)
            town.world.messages.post(town.general, town.rafa, f"while away {number}")
            await town.sandbox.until(partial(began_another_session, gateway, sessions))
            await town.sandbox.until(lambda: gateway.live and app.follower.caught_up)
        newest = town.world.messages.post(town.general, town.rafa, "last")
        await town.sandbox.until(lambda: app.follower.newest_received_id >= newest.id)
        await town.settled(app)
        assert await town.rows(app, MESSAGES) == [(5,)]


async def test_a_channel_that_could_not_be_read_is_a_known_gap_until_it_can(town: Town) -> None:
    async with town.bot() as app:
        await town.manager(app)
        await town.settled(app)
    town.world.channels.deny_bot(town.general, Permission.READ_MESSAGE_HISTORY)
    for _ in range(3):
        town.later(minutes=1)
        town.world.messages.post(town.general, town.rafa, "unseen")
    async with town.bot() as app:
        await town.settled(app)
        assert await town.rows(app, MESSAGES) == [(None,)]
        assert await town.rows(app, "SELECT channel_id FROM known_gap") == [(town.general.id,)]
        town.later(minutes=1)
        live = town.world.messages.post(town.general, town.rafa, "seen")
        await town.sandbox.until(lambda: app.follower.newest_received_id >= live.id)
        await town.settled(app)
        assert await town.rows(app, MESSAGES) == [(1,)]
        town.world.channels.allow_bot(town.general, Permission.READ_MESSAGE_HISTORY)
        await _until(town, app, "SELECT count(*) FROM known_gap", [(0,)])
        assert await town.rows(app, MESSAGES) == [(4,)]


async def test_what_was_said_in_an_excluded_channel_and_its_threads_is_fetched_once_it_counts(town: Town) -> None:
    """By command; one of the threads went into the archive meanwhile, and another while Spade was down."""
    world = town.world

    async def settings(name: str) -> None:
        chosen = {"channel": town.general}
        answer = await town.sandbox.people.run_command(
            town.guild.owner_id, town.general, "settings", chosen, subcommands=(name,)
        )
        await answer.wait(PATIENCE)

    async with town.bot() as app:
        await town.manager(app)
        await settings("exclude")
        for place in (town.general, world.threads.start(town.general, "first", town.rafa)):
            town.later(minutes=1)
            newest = world.messages.post(place, town.rafa, "aside")
        await town.sandbox.until(lambda: app.follower.newest_received_id >= newest.id)
        await town.settled(app)
        world.archive.add(newest.channel_id)
    town.later(minutes=1)
    second = world.threads.start(town.general, "second", town.rafa)
    world.messages.post(second, town.rafa, "aside")
    world.archive.add(second)
    async with town.bot() as app:
        await town.settled(app)
        assert await town.rows(app, MESSAGES) == [(None,)]
        await settings("include")
        assert await town.rows(app, "SELECT count(*) FROM known_gap") == [(3,)]
        await app.schedule.tick()
        await town.settled_at(app, 3)
        await _until(town, app, "SELECT count(*) FROM known_gap", [(0,)])


async def test_what_stood_in_a_channel_that_was_deleted_while_down_is_taken_back(town: Town) -> None:
    """With its archived thread. What is out of sight stays, and so does an archived thread of another channel."""
    world = town.world
    attic, cellar = (world.channels.add(town.guild, name) for name in ("attic", "cellar"))
    async with town.bot() as app:
        await town.manager(app)
        asleep = {room.id: world.threads.start(room, "asleep", town.rafa) for room in (town.general, attic)}
        for place in (town.general, attic, cellar, *asleep.values()):
            town.later(minutes=1)
            question = world.messages.post(place, town.rafa, "How?", mentions=[town.mia])
            newest = world.messages.post(place, town.mia, "So.", reply_to=question)
        await town.sandbox.until(lambda: app.follower.newest_received_id >= newest.id)
        await town.settled(app)
        for thread in asleep.values():
            world.archive.add(thread)
    world.channels.delete(attic)
    world.channels.deny_bot(cellar, Permission.VIEW_CHANNEL)
    left = sorted([town.general.id, cellar.id, asleep[town.general.id].id])
    async with town.bot() as app:
        for table in ("touch", "waiting"):
            query = f"SELECT DISTINCT channel_id FROM {table} ORDER BY channel_id"
            await _until(town, app, query, [(channel_id,) for channel_id in left])
        assert await town.rows(app, MESSAGES) == [(10,)]  # it was said


@pytest.mark.parametrize("by_role", [False, True])
async def test_a_channel_out_of_sight_is_caught_up_with_when_it_is_back(town: Town, by_role: bool) -> None:
    """With a thread in it that goes on, and one that is archived by then; nothing is said in it afterwards."""
    role = town.world.roles.add(town.guild, "Readers")
    town.world.roles.give(role, town.sandbox.world.state.bot)
    everybody = town.guild.roles[town.guild.id]
    async with town.bot() as app:
        if by_role:
            town.world.channels.set_overwrite(town.general, role, allow=Permission.VIEW_CHANNEL)
            town.world.channels.set_overwrite(town.general, everybody, deny=Permission.VIEW_CHANNEL)
        threads = [town.world.threads.start(town.general, name, town.rafa) for name in ("goes on", "ends")]
        places = [town.general, *threads]
        for place in places:
            town.later(minutes=1)
            town.world.messages.post(place, town.rafa, "seen")
        await town.settled_at(app, 3)
        town.lose_sight(role if by_role else None)
        await town.sandbox.until(lambda: not any(app.follower.knows(place.id) for place in places))
        for place in places:
            town.later(minutes=1)
            town.world.messages.post(place, town.rafa, "unseen")
        town.world.archive.add(threads[1])
        town.later(minutes=1)
        town.find_sight(role if by_role else None)
        await town.settled_at(app, 6)
        assert app.follower.caught_up
        for place in places[:2]:
            town.later(minutes=1)
            town.world.messages.post(place, town.rafa, "seen again")
        await town.settled_at(app, 8)
        assert await town.rows(app, "SELECT count(*), count(DISTINCT channel_id) FROM span") == [(3, 3)]


async def test_a_thread_that_awakes_while_the_archives_are_searched_is_caught_up_with(town: Town) -> None:
    """It was known before the connection was lost, and is neither among the active threads nor new in the archive."""
    other = town.world.channels.add(town.guild, "other", kind="text")
    async with town.bot() as app:
        thread = town.world.threads.start(town.general, "asleep", town.rafa)
        town.world.messages.post(thread, town.rafa, "seen")
        await town.settled_at(app, 1)

        def awakes() -> None:
            town.later(minutes=1)
            town.world.messages.post(thread, town.rafa, "awake")

        requests = town.sandbox.faults.requests
        requests.meanwhile(awakes, route="/threads/archived", channel=town.general)
        slow = requests.rate_limit(0.5, route="/threads/archived", channel=other)
        town.sandbox.faults.gateway.drop(resume=False)
        town.world.archive.add(thread)
        await town.settled_at(app, 2)
        await town.sandbox.until(lambda: app.follower.caught_up)
        assert slow.hits


async def test_a_channel_back_in_sight_without_its_history_is_a_known_gap_up_to_now(town: Town) -> None:
    async with town.bot() as app:
        town.world.messages.post(town.general, town.rafa, "seen")
        await town.settled_at(app, 1)
        town.world.channels.deny_bot(town.general, Permission.VIEW_CHANNEL)
        town.later(minutes=1)
        town.world.channels.deny_bot(town.general, Permission.READ_MESSAGE_HISTORY)
        unseen = town.world.messages.post(town.general, town.rafa, "unseen")
        town.later(minutes=1)
        town.world.channels.allow_bot(town.general, Permission.VIEW_CHANNEL)
        await _until(town, app, f"SELECT first_id <= {unseen.id} AND last_id >= {unseen.id} FROM known_gap", [(1,)])
        town.later(minutes=1)
        town.world.messages.post(town.general, town.rafa, "seen again")
        await town.settled_at(app, 2)
        town.world.channels.allow_bot(town.general, Permission.READ_MESSAGE_HISTORY)
        await town.settled_at(app, 3)
        await _until(town, app, "SELECT count(*) FROM known_gap", [(0,)])  # forgotten a moment after it is filled


async def test_an_empty_page_is_not_believed_while_the_news_that_nothing_may_be_read_is_on_its_way(town: Town) -> None:
    first = town.world.messages.post(town.general, town.rafa, "one")
    place = Place(town.guild.id, town.general.id)
    async with town.bot() as app:
        history = DiscordHistory(app.bot)
        assert await history.after(place, first.id) == ()
        second = town.world.messages.post(town.general, town.rafa, "two")
        me = town.world.state.bot.id
        town.general.overwrites[me] = Overwrite(me, 1, 0, int(Permission.READ_MESSAGE_HISTORY))  # no event tells of it
        with pytest.raises(UnreadableHistoryError):
            await history.after(place, first.id)
        del town.general.overwrites[me]
        assert [message.message_id for message in await history.after(place, first.id)] == [second.id]


async def test_a_thread_archived_meanwhile_holds_nothing_up(town: Town) -> None:
    """It is in sight no longer after a new session, and there is nothing to fetch of it either."""
    async with town.bot() as app:
        thread = town.world.threads.start(town.general, "side", town.rafa)
        town.later(minutes=1)
        town.world.messages.post(thread, town.rafa, "aside")
        await town.settled_at(app, 1)
        sessions = town.sandbox.gateway.identified
        town.sandbox.faults.gateway.drop(resume=False)
        town.world.archive.add(thread)
        await town.sandbox.until(lambda: town.sandbox.gateway.identified > sessions)
        await town.sandbox.until(lambda: app.follower.caught_up)
        town.later(minutes=1)
        town.world.messages.post(thread, town.rafa, "awake again")
        await town.settled_at(app, 2)


async def archived_while_away(town: Town) -> None:
    """A thread of which one message is on record went on for another while Spade was away, and is archived."""
    async with town.bot() as app:
        thread = town.world.threads.start(town.general, "side", town.rafa)
        town.world.messages.post(thread, town.rafa, "seen")
        await town.settled_at(app, 1)
    town.later(days=1)
    town.world.messages.post(thread, town.rafa, "unseen")
    town.world.archive.add(thread)


async def test_archives_are_looked_through_however_often_that_is_cut_short(town: Town) -> None:
    """Three weeks away, and stopped again after the channels had caught up and before the archives were read."""
    await archived_while_away(town)
    town.later(days=20)
    town.world.messages.post(town.general, town.rafa, "unseen")
    town.sandbox.faults.requests.hang(route="/threads/archived", times=None)
    with pytest.raises(TimeoutError):
        async with connected(town.sandbox, town.clock, town.database, patience=1.0):
            pass
    town.sandbox.faults.calm()
    async with town.bot() as app:
        assert await town.rows(app, MESSAGES) == [(3,)]
        await _until(town, app, "SELECT archives_from IS NULL FROM guild", [(1,)])


async def test_an_archive_that_could_not_be_looked_at_is_once_it_can(town: Town) -> None:
    await archived_while_away(town)
    town.world.channels.deny_bot(town.general, Permission.READ_MESSAGE_HISTORY)
    async with town.bot() as app:
        assert await town.rows(app, MESSAGES) == [(1,)]
        assert await town.rows(app, "SELECT archives_from IS NULL FROM guild") == [(0,)]  # nor forgotten by a restart
        town.world.channels.allow_bot(town.general, Permission.READ_MESSAGE_HISTORY)
        await town.settled_at(app, 2)


async def test_an_imported_thread_that_went_on_and_was_archived_is_caught_up_with(town: Town) -> None:
    """An export holds a forum's posts, and nothing of the forum itself."""
    forum = town.world.channels.add(town.guild, "help", kind="forum")
    post = town.world.threads.open_post(forum, "How?", town.rafa, "exported")
    place = Place(town.guild.id, post.id, is_thread=True, opener_id=town.rafa.id)
    database = await open_database(f"sqlite:///{town.database}", write=True)
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(town.guild.id, ZoneInfo("UTC")))
        await spans.add(connection, place, Span(post.id, post.id))
    await database.close()
    town.later(days=1)
    town.world.messages.post(post, town.rafa, "after the export")
    town.world.archive.add(post)
    town.later(days=1)
    async with town.bot() as app:
        assert await town.rows(app, MESSAGES) == [(1,)]


async def test_backfill_reads_what_was_there_before_and_can_be_asked_twice(town: Town) -> None:
    """History from before Spade came, by command, with the replies of a manager named only afterwards."""
    first = town.world.messages.post(town.general, town.rafa, "hello?")
    for _ in range(120):
        town.later(minutes=1)
        town.world.messages.post(town.general, town.rafa, "still here")
    town.world.messages.post(town.general, town.mia, "hello", reply_to=first)
    thread = town.world.threads.start(town.general, "old", town.rafa)
    town.world.messages.post(thread, town.rafa, "old question")
    town.world.archive.add(thread)
    town.later(days=3)
    async with town.bot() as app:
        await town.settled(app)
        assert await town.rows(app, MESSAGES) == [(None,)]
        for _ in range(2):
            answer = await town.sandbox.people.run_command(
                town.guild.owner_id, town.general, "backfill", {"since": "2026-01-01"}, subcommands=("start",)
            )
            await answer.until(lambda answer: "Done" in answer.text)
            assert await town.rows(app, MESSAGES) == [(1 + 120 + 1 + 1,)]
        assert await town.rows(app, "SELECT count(*) FROM touch") == [(0,)]
        await town.manager(app)
        await _until(town, app, "SELECT kind, manager_id FROM touch", [("reply", town.mia.id)])
        assert await town.rows(app, MESSAGES) == [(1 + 120 + 1 + 1,)]


TOUCHES = "SELECT channel_id, kind FROM touch ORDER BY message_id"


async def _ticked(town: Town, app: Any, query: str, expected: list[tuple[Any, ...]]) -> None:
    """Let due work be done until the database says something."""
    for _ in range(50):
        await app.schedule.tick()
        for progress in app.reader.progress(town.guild.id):
            await app.reader.wait(progress.job)
        if await town.rows(app, query) == expected:
            return
    assert await town.rows(app, query) == expected


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("trouble", [Permission.VIEW_CHANNEL, Permission.READ_MESSAGE_HISTORY, None])
async def test_a_manager_named_while_a_channel_cannot_be_read_is_read_for_once_it_can(
    town: Town, trouble: Permission | None, restart: bool
) -> None:
    """With a thread of it in the archive; without a permission, or while the whole server is out of sight."""
    world = town.world
    other = world.channels.add(town.guild, "other")
    async with town.bot() as app:
        thread = world.threads.start(other, "side", town.rafa)
        for place in (town.general, other, thread):
            town.later(minutes=1)
            question = world.messages.post(place, town.rafa, "?")
            town.later(minutes=1)
            world.messages.post(place, town.mia, "!", reply_to=None if place is thread else question)
        await town.settled_at(app, 6)
        world.archive.add(thread)
        seen, wanted = [(town.general.id, "reply")], [(other.id, "reply"), (thread.id, "thread")]
        if trouble is None:
            world.guilds.take_down(town.guild)
            await town.sandbox.until(lambda: not app.follower.guild_caught_up(town.guild.id))
            async with app.database.writing() as connection:
                await appoint(connection, town.guild.id, [town.mia.id], town.clock.now())
            seen = []
        else:
            world.channels.deny_bot(other, trouble)
            await town.manager(app)
            await _ticked(town, app, TOUCHES, seen)
            answer = await town.sandbox.people.run_command(town.guild.owner_id, town.general, "status")
            await answer.wait(PATIENCE)
            words = f"There is history to read in <#{other.id}> and <#{thread.id}>, and I may not read it there."
            assert words in card(answer)
        await _ticked(town, app, "SELECT count(*) FROM history_job_channel", [(2 + (trouble is None),)])
        assert await town.rows(app, TOUCHES) == seen
        week = await Reporter(app.database, Rules()).week(town.guild.id, STARTS_AT.date())
        assert week is not None
        assert not week.complete
        if not restart:
            await _back(town, app, other, trouble)
            await _ticked(town, app, TOUCHES, [(town.general.id, "reply"), *wanted])
    if restart:
        if trouble is None:
            world.guilds.bring_back(town.guild)
        else:
            world.channels.allow_bot(other, trouble)
    async with town.bot() as app:
        await _ticked(town, app, TOUCHES, [(town.general.id, "reply"), *wanted])
        await _ticked(town, app, "SELECT count(*) FROM history_job WHERE finished_at IS NULL", [(0,)])
        assert await town.rows(app, MESSAGES) == [(6,)]
        week = await Reporter(app.database, Rules()).week(town.guild.id, STARTS_AT.date())
        assert week is not None
        assert week.complete


async def _back(town: Town, app: Any, channel: Channel, trouble: Permission | None) -> None:
    if trouble is None:
        town.world.guilds.bring_back(town.guild)
    else:
        town.world.channels.allow_bot(channel, trouble)
    await town.sandbox.until(lambda: app.follower.guild_caught_up(town.guild.id))


async def test_a_backfill_says_what_it_left_out_and_reads_it_once_it_may(town: Town) -> None:
    """A channel whose history may not be read, with a thread in its archive."""
    world = town.world
    other = world.channels.add(town.guild, "other")
    thread = world.threads.start(other, "side", town.rafa)
    for place in (town.general, other, thread):
        town.later(minutes=1)
        world.messages.post(place, town.rafa, "long ago")
    world.archive.add(thread)
    world.channels.deny_bot(other, Permission.READ_MESSAGE_HISTORY)
    town.later(days=3)
    async with town.bot() as app:
        answer = await town.sandbox.people.run_command(
            town.guild.owner_id, town.general, "backfill", {"since": "2026-01-01"}, subcommands=("start",)
        )
        await answer.until(lambda answer: "So far" in answer.text)
        assert answer.text.startswith("So far: 1 message read in 1 of 2 channels and threads.")
        assert f"There is history to read in <#{other.id}>, and I may not read it there." in answer.text
        world.channels.allow_bot(other, Permission.READ_MESSAGE_HISTORY)
        await _ticked(town, app, "SELECT finished_at IS NULL, messages, channels FROM history_job", [(0, 4, 3)])
        assert await town.rows(app, MESSAGES) == [(3,)]


async def test_a_channel_deleted_while_spade_was_away_keeps_nothing_open(town: Town) -> None:
    other = town.world.channels.add(town.guild, "other")
    async with town.bot() as app:
        question = town.world.messages.post(other, town.rafa, "?")
        town.later(minutes=1)
        town.world.messages.post(other, town.mia, "!", reply_to=question)
        await town.settled_at(app, 2)
        town.world.channels.deny_bot(other, Permission.READ_MESSAGE_HISTORY)
        await town.manager(app)
        await _ticked(town, app, "SELECT channel_id FROM history_job_channel", [(other.id,)])
    town.world.channels.delete(other)
    async with town.bot() as app:
        await _ticked(town, app, "SELECT count(*) FROM history_job WHERE finished_at IS NULL", [(0,)])
        assert await town.rows(app, TOUCHES) == []


async def test_only_manage_server_may_backfill(town: Town) -> None:
    async with town.bot():
        with pytest.raises(LookupError):  # Discord does not even offer it
            await town.sandbox.people.run_command(
                town.rafa, town.general, "backfill", {"since": "2026-01-01"}, subcommands=("start",)
            )


async def test_an_unfinished_backfill_goes_on_after_a_restart(town: Town) -> None:
    for _ in range(150):
        town.later(minutes=1)
        town.world.messages.post(town.general, town.rafa, "long ago")
    town.later(days=1)
    async with town.bot() as app:
        await town.settled(app)
        town.sandbox.faults.requests.hang(method="GET", route="messages")
        answer = await town.sandbox.people.run_command(
            town.guild.owner_id, town.general, "backfill", {"since": "2026-01-01"}, subcommands=("start",)
        )
        await answer.until(lambda answer: "Reading" in answer.text)
    town.sandbox.faults.calm()
    async with town.bot() as app:
        await _until(town, app, MESSAGES, [(150,)])


async def test_deleted_messages_take_their_touches_back_and_leave_activity(town: Town) -> None:
    async with town.bot() as app:
        await town.manager(app)
        question = town.world.messages.post(town.general, town.rafa, "@Mia?", mentions=[town.mia])
        town.later(minutes=1)
        reply = town.world.messages.post(town.general, town.mia, "yes", reply_to=question)
        await town.sandbox.until(lambda: app.follower.newest_received_id >= reply.id)
        await town.settled(app)
        assert await town.rows(app, "SELECT count(*) FROM touch") == [(1,)]
        town.world.messages.delete_many([question, reply])
        await _until(town, app, "SELECT (SELECT count(*) FROM touch), (SELECT count(*) FROM waiting)", [(0, 0)])
        assert await town.rows(app, MESSAGES) == [(2,)]


async def test_a_manager_role_makes_managers_of_those_seen_with_it(town: Town) -> None:
    """Their earlier replies count from then on; taking the role away takes them off the list."""
    role = town.world.roles.add(town.guild, "Team")
    async with town.bot() as app:
        question = town.world.messages.post(town.general, town.rafa, "?")
        town.later(minutes=1)
        town.world.messages.post(town.general, town.mia, "!", reply_to=question)
        answer = await town.sandbox.people.run_command(
            town.guild.owner_id, town.general, "setup", {"manager_role": role}
        )
        await answer.wait(PATIENCE)
        town.world.roles.give(role, town.mia)
        town.later(minutes=1)
        town.world.messages.post(town.general, town.mia, "now with the role")
        await _until(town, app, "SELECT kind FROM touch", [("reply",)])
        town.world.roles.take(role, town.mia)
        town.later(minutes=1)
        town.world.messages.post(town.general, town.mia, "without it")
        await _until(town, app, "SELECT count(*) FROM manager", [(0,)])


async def test_an_outage_is_no_removal_and_a_removal_is_forgotten_after_thirty_days(town: Town) -> None:
    async with town.bot() as app:
        await town.manager(app)
        town.world.messages.post(town.general, town.rafa, "hello")
        await town.settled_at(app, 1)
        town.world.guilds.take_down(town.guild)
        await town.sandbox.until(lambda: not app.follower.guild_caught_up(town.guild.id))
        assert app.follower.caught_up  # nobody waits for it
        sessions = town.sandbox.gateway.identified
        town.sandbox.faults.gateway.drop(resume=False)
        await town.sandbox.until(lambda: town.sandbox.gateway.identified > sessions)
        await town.sandbox.until(lambda: app.follower.caught_up)
        town.later(days=40)
        membership = MembershipService(app.database, town.clock)
        assert await membership.purge_due() == 0
        assert await town.rows(app, "SELECT removed_at IS NULL FROM guild") == [(1,)]
        town.world.messages.post(town.general, town.rafa, "still there")
        town.world.guilds.bring_back(town.guild)
        await town.settled_at(app, 2)
        town.world.guilds.kick_bot(town.guild)
        await _until(town, app, "SELECT removed_at IS NULL FROM guild", [(0,)])
        town.later(days=29)
        assert await membership.purge_due() == 0
        town.world.guilds.invite_bot(town.guild)
        await _until(town, app, "SELECT removed_at IS NULL FROM guild", [(1,)])
        town.world.guilds.kick_bot(town.guild)
        await _until(town, app, "SELECT removed_at IS NULL FROM guild", [(0,)])
        assert not app.follower.knows(town.general.id)
        town.later(days=31)
        assert await membership.purge_due() == 1
        for table in ("guild", "manager", "activity", "member", "span"):
            assert await town.rows(app, f"SELECT count(*) FROM {table}") == [(0,)], table


async def _until(town: Town, app: Any, query: str, expected: list[tuple[Any, ...]]) -> None:
    """Wait until the database says something."""
    found: list[tuple[Any, ...]] = []
    for _ in range(200):
        await app.follower.settle()
        found = await town.rows(app, query)
        if found == expected:
            return
    assert found == expected
