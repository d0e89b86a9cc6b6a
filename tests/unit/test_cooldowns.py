"""How often somebody may use something: at the limit, beyond it, and again later."""

import asyncio
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord import InteractionType, app_commands

from bot.discord_io.interactions import cooldowns
from bot.discord_io.interactions.authorisation import Audience, Authorisation, declare_audience
from bot.discord_io.interactions.cooldowns import Cooldowns, Cost, Pause, TooMany, declare_cost
from bot.discord_io.interactions.guard import InteractionGuard
from bot.store.error import LostDatabaseError, OutageError
from bot.views.words.refusals import busy_here, not_a_manager, too_fast

MIA, NOAH, HERE, THERE = 1, 2, 5, 6


@pytest.fixture
def time(monkeypatch):
    passed = [1000.0]
    monkeypatch.setattr(cooldowns, "_now", lambda: passed[0])
    return passed


@pytest.mark.parametrize("cost", list(Cost))
def test_a_person_may_use_each_thing_so_often_and_again_when_its_time_is_over(time, cost):
    counts, limit = Cooldowns(), cost.value.person
    assert [counts.by_person("/a", cost, MIA) for _ in range(limit.uses)] == [None] * limit.uses
    time[0] += limit.seconds / 4
    for _ in range(3):  # trying again does not lengthen it
        assert counts.by_person("/a", cost, MIA) == Pause(TooMany.BY_PERSON, limit.seconds * 3 / 4)
    assert counts.by_person("/a", cost, NOAH) is None
    assert counts.by_person("/b", cost, MIA) is None
    time[0] += limit.seconds
    assert counts.by_person("/a", cost, MIA) is None


def test_no_nudge_can_be_pressed_too_fast():
    """Five lines, each pressed, undone and pressed again, and every press doubled by impatience."""
    assert Cost.PRESS.value.person.uses >= 5 * 3 * 2


async def in_task(counts, name, guild_id, person_id):
    return counts.in_guild(name, Cost.HEAVY, guild_id, person_id)


async def test_a_guild_may_use_what_is_heavy_so_often(time):
    counts, limit = Cooldowns(), Cost.HEAVY.value.guild
    for number in range(limit.uses):
        assert await asyncio.create_task(in_task(counts, "/a", HERE, 100 + number)) is None
    assert await asyncio.create_task(in_task(counts, "/a", HERE, MIA)) == Pause(TooMany.IN_GUILD, limit.seconds)
    assert await asyncio.create_task(in_task(counts, "/b", HERE, MIA)) is None
    assert await asyncio.create_task(in_task(counts, "/a", THERE, MIA)) is None
    time[0] += limit.seconds + 1
    assert await asyncio.create_task(in_task(counts, "/a", HERE, MIA)) is None


@pytest.mark.parametrize("end", ["returns", "fails", "is cancelled"])
async def test_what_is_heavy_is_done_for_a_person_once_at_a_time(time, end):
    counts, done = Cooldowns(), asyncio.Event()

    async def work():
        assert counts.in_guild("/a", Cost.HEAVY, HERE, MIA) is None
        await done.wait()
        if end == "fails":
            raise ValueError

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    assert await asyncio.create_task(in_task(counts, "/b", HERE, MIA)) == Pause(TooMany.AT_ONCE)
    assert await asyncio.create_task(in_task(counts, "/b", HERE, NOAH)) is None
    assert await asyncio.create_task(in_task(counts, "/b", THERE, MIA)) is None
    assert counts.in_guild("/a", Cost.LIGHT, HERE, MIA) is None
    if end == "is cancelled":
        task.cancel()
    done.set()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0)
    assert await asyncio.create_task(in_task(counts, "/b", HERE, MIA)) is None


async def test_work_that_never_ends_keeps_nobody_away_for_good(time):
    counts = Cooldowns()
    assert counts.in_guild("/a", Cost.HEAVY, HERE, MIA) is None
    assert counts.in_guild("/a", Cost.HEAVY, HERE, MIA) == Pause(TooMany.AT_ONCE)
    time[0] += cooldowns.FORGOTTEN_AFTER_SECONDS
    assert counts.in_guild("/a", Cost.HEAVY, HERE, MIA) is None


class Asking:
    """An interaction of a person, as far as the guard looks; `told` is what they were answered."""

    guild_id = HERE
    locale = discord.Locale.american_english
    permissions = discord.Permissions.none()

    def __init__(self, person_id, kind=InteractionType.application_command):
        self.type = kind
        self.user = discord.Object(person_id)
        self.command = SimpleNamespace(qualified_name="digest", extras=DIGEST.extras)
        self.response = self.followup = self
        self.deferred = False
        self.told = []

    def is_done(self):
        return self.deferred

    async def defer(self, **_):
        self.deferred = True

    async def send(self, text, *, ephemeral):
        assert ephemeral
        self.told.append(text)

    send_message = send

    async def autocomplete(self, choices):
        self.told.append(choices)


async def nothing(_interaction):
    """Do nothing."""


DIGEST: app_commands.Command[Any, ..., Any] = app_commands.Command(
    name="digest", description="digest", callback=nothing
)
declare_audience(DIGEST, Audience.MANAGERS)
declare_cost(DIGEST, Cost.HEAVY)


class ManagedByMia:
    """The access of a server with one manager."""

    async def is_manager(self, _guild_id, person_id, _role_ids):
        return person_id == MIA

    may_manage = is_manager


async def asks(guard, person_id, kind=InteractionType.application_command):
    """Whether a person is admitted, and what they are told; in a task of its own, as discord.py has it."""
    asking = Asking(person_id, kind)
    return await asyncio.create_task(guard.admits_command(asking)), asking.told


async def test_people_who_may_not_use_a_command_cannot_use_it_up_for_those_who_may(time):
    guard = InteractionGuard(Authorisation(ManagedByMia()), lambda _guild_id: "en")
    for person_id in range(100, 110):
        for _ in range(Cost.HEAVY.value.person.uses):
            assert await asks(guard, person_id) == (False, [not_a_manager()])
        assert await asks(guard, person_id) == (False, [too_fast(60)])
    for _ in range(Cost.HEAVY.value.person.uses):
        assert await asks(guard, MIA) == (True, [])
    assert await asks(guard, MIA) == (False, [too_fast(60)])


async def test_whoever_types_too_fast_gets_no_suggestions_for_a_moment(time):
    guard = InteractionGuard(Authorisation(ManagedByMia()), lambda _guild_id: "en")
    typing = InteractionType.autocomplete
    for _ in range(Cost.SUGGESTION.value.person.uses):
        assert await asks(guard, MIA, typing) == (True, [])
    assert await asks(guard, MIA, typing) == (False, [[]])
    time[0] += Cost.SUGGESTION.value.person.seconds + 1
    assert await asks(guard, MIA, typing) == (True, [])


@pytest.mark.parametrize("error", [OutageError("locked"), LostDatabaseError("gone")])
async def test_without_a_database_there_are_no_suggestions_and_no_further_line_in_the_log(error, caplog):
    class NoAccess(ManagedByMia):
        async def is_manager(self, _guild_id, _person_id, _role_ids):
            raise error

        may_manage = is_manager

    guard = InteractionGuard(Authorisation(NoAccess()), lambda _guild_id: "en")
    assert await asks(guard, MIA, InteractionType.autocomplete) == (False, [[]])
    assert caplog.messages == []


def test_the_sentence_says_when_to_try_again():
    assert too_fast(1).endswith("Try again in 1 second.")
    assert busy_here(12).endswith("Try again in 12 seconds.")
