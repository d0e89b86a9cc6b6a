"""Years in a few rounds: nothing that lives as long as the bot holds more for each channel, message, job or server."""

import functools
import types
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox import Guild, User
from bot.services.members.privacy import PrivacyService
from bot.store import managers
from tests.support.stage import Stage, stage

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
OURS = ("bot.", "cogs.")
LIMITS = {
    "channel_context.CONTEXT": 3,
    "catch_up._OUT_OF_SIGHT": 2,
    "guild_facts._GUILDS": 2,
    "history_context._THREADS": 2,
    "job_progress._ENDED": 2,
    "recent_ids.MOST_KEPT": 4,
    "sessions._GUILDS": 2,
}
"""What is bounded by a number is bounded by a small one here."""


def held_by(one: object) -> Iterator[tuple[str, object]]:
    """What an object of ours refers to: its attributes, the elements of a container, whose method or closure it is."""
    if isinstance(one, dict):
        yield from (("[]", part) for pair in one.items() for part in pair)
    elif isinstance(one, list | tuple | set | frozenset | deque):
        yield from (("[]", part) for part in one)
    elif isinstance(one, functools.partial):
        yield from (("()", part) for part in (one.func, *one.args))
    elif isinstance(one, types.MethodType):
        yield "", one.__self__
    elif isinstance(one, types.FunctionType):
        yield from (("()", cell.cell_contents) for cell in one.__closure__ or ())
    elif type(one).__module__.startswith(OURS) and not type(one).__module__.startswith("bot.sandbox"):
        names = {name for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ())} | vars_of(one).keys()
        yield from ((f".{name}", getattr(one, name)) for name in sorted(names) if hasattr(one, name))


def vars_of(one: object) -> dict[str, Any]:
    return getattr(one, "__dict__", {})


def sizes(root: object) -> Counter[str]:
    """The length of each container that can be reached, by the way to it; those at one place are added up."""
    found: Counter[str] = Counter()
    seen: set[int] = set()
    left: list[tuple[str, object]] = [("app", root)]
    for path, one in left:
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, dict | list | set | deque):
            found[path] += len(one)
        left += [(path + step, part) for step, part in held_by(one)]
    return found


def test_what_grows_is_found() -> None:
    notes: dict[int, list[int]] = {}
    root = [functools.partial(lambda _key: notes, 1)]
    before = sizes(root)
    notes[1] = [1, 2]
    assert sizes(root) - before == Counter({"app[]()()": 1, "app[]()()[]": 2})


class Life:
    """A server in which every day something is made, said, archived and deleted."""

    def __init__(self, on: Stage) -> None:
        world = on.sandbox.world
        self.on = on
        self.owner, self.manager = world.users.add("owner"), world.users.add("manager")
        self.guild: Guild = world.guilds.add("Home", owner=self.owner)
        self.general = world.channels.add(self.guild, "general")
        world.members.add(self.guild, self.manager)
        self.days = 0

    async def day(self) -> None:
        on, world = self.on, self.on.sandbox.world
        self.days += 1
        on.clock.set(BEGAN + timedelta(days=self.days))
        member: User = world.users.add(f"member-{self.days}")
        world.members.add(self.guild, member)
        question = world.messages.post(self.general, member, "words", mentions=[self.manager])
        world.reactions.add(question, self.manager, "👍")
        kept, gone = (world.threads.start(self.general, name, member) for name in ("kept", "gone"))
        for thread in (kept, gone):
            world.messages.post(thread, self.manager, "words")
        room = world.channels.add(self.guild, "room")
        world.messages.delete(world.messages.post(room, member, "words"))
        await on.heard(world.messages.post(room, self.manager, "words").id)
        world.archive.add(kept)
        world.channels.delete(gone)
        world.channels.delete(room)
        on.app.follower.note_out_of_sight(10**6 + self.days, question.id)
        elsewhere = world.guilds.add(f"Elsewhere {self.days}", owner=member)
        await on.sandbox.until(lambda: on.app.follower.guild_caught_up(elsewhere.id))
        world.guilds.kick_bot(elsewhere)
        await on.app.reader.wait(await on.app.reader.backfill(self.guild.id, BEGAN))
        await self.privacy.erase(self.guild.id, member.id)
        on.clock.set(BEGAN + timedelta(days=self.days, minutes=2))
        await on.heard(world.messages.post(self.general, self.owner, "words").id)
        await on.tick()
        await on.sandbox.until(lambda: not on.app.follower.knows(kept.id))

    @property
    def privacy(self) -> PrivacyService:
        cog: Any = self.on.app.bot.cogs["Privacy"]
        service: PrivacyService = cog._service
        return service


async def test_nothing_grows_with_the_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in LIMITS.items():
        monkeypatch.setattr(f"bot.services.record.{name}", limit)
    monkeypatch.setattr("bot.services.members.roster._GUILDS", 2)
    async with stage(tmp_path / "spade.db", BEGAN) as on:
        life = Life(on)
        async with on.app.database.writing() as connection:
            await managers.add(connection, life.guild.id, [life.manager.id])
        for _ in range(2):
            await life.day()
        before = sizes(on.app)
        for _ in range(2):
            await life.day()
        grown = sizes(on.app) - before
    watched: list[str] = [path for path in before if path.endswith(("_openers._entries", "._ended._entries"))]
    assert len(watched) >= 2, "the walk does not reach what lives long"
    # Whoever was erased is marked on record, for good; the marks of a guild are held while it is in use.
    left = {path: more for path, more in grown.items() if more >= 2 and not path.endswith(".forgotten.marks")}
    assert left == {}
