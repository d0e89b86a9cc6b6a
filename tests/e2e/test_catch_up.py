"""Three days down: many messages in sixty channels and threads are fetched and counted once."""

import math
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from bot.clock import DrivenClock
from bot.domain.snowflake import first_id_at
from bot.sandbox import PostedMessage as SentMessage
from bot.sandbox import Sandbox
from bot.store import managers
from tests.faults.expectation import compare
from tests.faults.town import Town
from tests.support.stage import connected

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
DOWN = timedelta(hours=72)
CHANNELS, THREADS, POSTS = 20, 20, 20
MESSAGES = int(os.environ.get("CATCH_UP_MESSAGES", "20000"))
"""`make faults` asks for a hundred thousand."""


def build(sandbox: Sandbox) -> Town:
    """Twenty channels, twenty threads in them, twenty forum posts; three managers among a hundred people."""
    world = sandbox.world
    town = Town(world, Random(11))
    town.guild = world.guilds.add("Town", owner=world.users.add("owner"))
    town.managers = [world.users.add(f"manager-{number}") for number in range(3)]
    town.members = [world.users.add(f"member-{number}") for number in range(100)]
    for user in (*town.managers, *town.members):
        world.members.add(town.guild, user)
    town.rooms = [world.channels.add(town.guild, f"room-{number}") for number in range(CHANNELS)]
    town.forum = world.channels.add(town.guild, "posts", kind="forum")
    return town


def speak_first(town: Town) -> None:
    """Threads on a message, threads on nothing, and posts, all seen by Spade before it goes down."""
    world = town.world
    for number in range(THREADS):
        owner, room = town.members[number], town.rooms[number]
        if number % 2:
            world.threads.names_starter = number % 4 == 1
            on = world.messages.post(room, town.members[number + 1], "words")
            town.threads.append(world.threads.start(room, "thread", owner, message=on))
        else:
            town.threads.append(world.threads.start(room, "thread", owner))
        world.messages.post(town.threads[-1], owner, "words")
    town.threads += [
        world.threads.open_post(town.forum, "post", town.members[number], "words") for number in range(POSTS)
    ]


def miss(town: Town, number: int, count: int) -> None:
    """Messages of three days: replies to what is there, to what is gone, mentions, or just words."""
    random, world, place = town.random, town.world, town.places[number]
    people = [*town.members, *(town.managers * 15)]
    moments = sorted(random.sample(range(1, int(DOWN.total_seconds())), count))
    written: list[SentMessage] = []
    for second in moments:
        message_id = first_id_at(BEGAN + timedelta(hours=1, seconds=second)) + number  # no two messages have one id
        turn = random.random()
        details: dict[str, object] = {}
        if turn < 0.25 and written:
            target = random.choice(written[-20:])
            details = {"reply_to": target.id, "mentions": [target.author] if random.random() < 0.5 else []}
        elif turn < 0.35:
            details = {"reply_to": message_id - (1 << 22), "mentions": []}  # deleted
        elif turn < 0.45:
            details = {"mentions": random.sample(people, 1)}
        written.append(world.messages.draft(place, random.choice(people), "words", message_id=message_id, **details))
    world.messages.load(place, written)


@pytest.mark.timeout(300)
async def test_three_days_of_messages_are_fetched_and_counted_once(tmp_path: Path) -> None:
    clock = DrivenClock(BEGAN)
    database = tmp_path / "spade.db"
    async with Sandbox(now=clock.now) as sandbox:
        town = build(sandbox)
        async with connected(sandbox, clock, database) as app:
            async with app.database.writing() as connection:
                await managers.add(connection, town.guild.id, [manager.id for manager in town.managers])
            clock.set(BEGAN + timedelta(minutes=1))
            speak_first(town)
            last = max(place.last_message_id or 0 for place in town.places)
            await sandbox.until(lambda: app.follower.newest_received_id >= last and app.follower.caught_up)
            await app.follower.settle()
        assert compare(town, database, (), ()).lines == []
        counts = [MESSAGES // 60 + (number < MESSAGES % 60) for number in range(60)]
        for number, count in enumerate(counts):
            miss(town, number, count)
        clock.set(BEGAN + timedelta(hours=73))
        for thread in town.threads[::4]:
            town.world.archive.add(thread)
        before, begun = len(sandbox.requests), time.monotonic()
        async with connected(sandbox, clock, database, patience=120):
            seconds = time.monotonic() - begun
        asked = list(sandbox.requests)[before:]
        pages = [one for one in asked if one.method == "GET" and one.route == "/channels/{channel_id}/messages"]
        others = [
            one for one in asked if one.method == "GET" and one.route.startswith("/channels") and one not in pages
        ]
        least = sum(math.ceil(count / 100) for count in counts)
        difference = compare(town, database, (), ())
        assert (difference.lost, difference.doubled, difference.lines[:3]) == (0, 0, [])
        print(
            f"catch-up: messages={MESSAGES} requests={len(pages)} least={least} "
            f"archives and openers={len(others)} seconds={seconds:.0f}"
        )
        # A page of context for some channels; a list of each archive, and who opened each thread on a channel.
        assert len(pages) <= least + 60
        assert len(others) <= CHANNELS + 1 + THREADS + len(town.threads[::4])
