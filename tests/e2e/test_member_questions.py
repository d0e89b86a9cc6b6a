"""Who is in a server is asked all at once, through the gateway, and a few by requests if that does not answer."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.discord_io.delivery import members
from bot.discord_io.delivery.members import KEPT_FOR, MemberDirectory
from bot.sandbox import User
from bot.sandbox.gateway.gateway import Gateway
from bot.services.delivery.messenger import DiscordUnreachableError
from tests.support.stage import Stage, stage

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
MEMBER = "/guilds/{guild_id}/members/{user_id}"


class Hall:
    """A server with many members, and the questions that reached the gateway, as numbers of ids."""

    def __init__(self, on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        world = on.sandbox.world
        self.on = on
        self.guild = world.guilds.add("Hall")
        self.role = world.roles.add(self.guild, "crew")
        self.people: list[User] = [world.users.add(f"p{number}") for number in range(130)]
        for number, user in enumerate(self.people):
            world.members.add(self.guild, user, nick=f"P {number}")
        world.roles.give(self.role, self.people[0])
        self.gone = world.users.add("gone")
        self.questions: list[int] = []
        self.mute = False
        self.directory = MemberDirectory(on.app.bot, on.clock.now)
        answer = Gateway._list_members

        def watched(gateway: Gateway, session: Any, data: Any) -> None:
            self.questions.append(len(data["user_ids"]))
            if not self.mute:
                answer(gateway, session, data)

        monkeypatch.setattr(Gateway, "_list_members", watched)

    @property
    def requests(self) -> int:
        """How many members were asked for one by one."""
        return self.on.sandbox.requests.count("GET", MEMBER)

    async def ask(self, people: list[User], *, check_absent: bool = True) -> list[str]:
        ids = [user.id for user in people]
        found = await self.directory.present(self.guild.id, ids, check_absent=check_absent)
        return [found[one].name for one in ids if one in found]


@asynccontextmanager
async def hall(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hall]:
    async with stage(folder / "spade.db", BEGAN) as on:
        hall = Hall(on, monkeypatch)
        await on.sandbox.until(lambda: on.app.bot.get_guild(hall.guild.id) is not None)
        yield hall


async def test_one_question_is_for_a_hundred_and_is_remembered_for_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall(tmp_path, monkeypatch) as on:
        assert len(await on.ask(on.people)) == 130
        assert on.questions == [100, 30]
        assert await on.ask(on.people[:2]) == ["P 0", "P 1"]
        found = await on.directory.present(on.guild.id, [on.people[0].id])
        assert on.role.id in (found[on.people[0].id].role_ids or ())
        assert found[on.people[0].id].joined_at == BEGAN
        on.on.clock.set(BEGAN + KEPT_FOR)
        await on.ask(on.people[:2])
        assert len(on.questions) == 2
        on.on.clock.set(BEGAN + KEPT_FOR + timedelta(milliseconds=1))
        await on.ask(on.people[:2])
        on.on.clock.set(BEGAN, back=True)
        await on.ask(on.people[:2])  # what was heard in the future is not remembered
        assert on.questions[2:] == [2, 2]
        assert await on.directory.present(on.guild.id, []) == {}
        assert on.requests == 0

        # Who asks at the same time waits, and finds what the others were told.
        on.questions.clear()
        on.on.clock.set(BEGAN + timedelta(hours=1))
        answers = await asyncio.gather(*(on.ask(on.people[:5]) for _ in range(4)), on.ask(on.people[3:7]))
        assert [len(names) for names in answers] == [5, 5, 5, 5, 4]
        assert on.questions == [5, 2]

        # Names stay no longer than they are used, and of no more people than a bound.
        assert {answer.asked_at for answer in on.directory._kept.values()} == {BEGAN + timedelta(hours=1)}
        monkeypatch.setattr(members, "KEPT_FOR", timedelta(seconds=0.05))
        await on.ask(on.people[:1])
        await on.ask(on.people[7:8])
        await asyncio.sleep(0.1)
        assert not on.directory._kept
        monkeypatch.setattr(members, "KEPT_FOR", KEPT_FOR)
        monkeypatch.setattr(members, "MOST_KEPT", 3)
        on.questions.clear()
        await on.ask(on.people[10:14])
        await on.ask(on.people[11:14])
        await on.ask(on.people[10:11])
        assert on.questions == [4, 1]


async def test_that_somebody_has_left_is_checked_before_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall(tmp_path, monkeypatch) as on:
        assert await on.ask([on.people[0], on.gone], check_absent=False) == ["P 0"]
        assert on.requests == 0
        for _ in range(2):
            assert await on.ask([on.people[0], on.gone]) == ["P 0"]
            assert on.requests == 1
        assert on.questions == [2, 1]
        list_all = on.guild.members.copy()
        original = Gateway._list_members

        def forgetful(gateway: Gateway, session: Any, data: Any) -> None:
            for user in on.people:
                on.guild.members.pop(user.id, None)
            try:
                original(gateway, session, data)
            finally:
                on.guild.members.update(list_all)

        monkeypatch.setattr(Gateway, "_list_members", forgetful)
        assert await on.ask(on.people[3:5]) == ["P 3", "P 4"]


async def test_one_member_who_cannot_be_read_costs_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """They are looked up by themselves; if that cannot be read either, they are there, and nothing else is known."""
    async with hall(tmp_path, monkeypatch) as on:
        odd = on.people[1]

        def spoilt(member: dict[str, Any]) -> dict[str, Any]:
            return member | {"roles": None} if member["user"]["id"] == str(odd.id) else member

        def spoilt_among(payload: dict[str, Any]) -> dict[str, Any]:
            if payload["t"] == "GUILD_MEMBERS_CHUNK":
                payload["d"]["members"] = [spoilt(one) for one in payload["d"]["members"]]
            return payload

        on.on.sandbox.faults.gateway.alter(spoilt_among)
        assert await on.ask(on.people) == [f"P {number}" for number in range(130)]
        assert on.requests == 1
        assert "member ? (roles)" in caplog.text
        on.on.sandbox.faults.requests.alter(spoilt, route=MEMBER, times=None)
        on.on.clock.set(BEGAN + timedelta(hours=1))
        found = await on.directory.present(on.guild.id, [one.id for one in on.people])
        assert len(found) == 130
        assert (found[odd.id].name, found[odd.id].role_ids) == ("", None)
        assert on.role.id in (found[on.people[0].id].role_ids or ())


async def test_without_an_answer_of_the_gateway_a_few_are_asked_for_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with hall(tmp_path, monkeypatch) as on:
        monkeypatch.setattr(members, "REQUEST_SECONDS", 0.2)
        on.mute = True
        assert await on.ask(on.people[:3]) == ["P 0", "P 1", "P 2"]
        assert on.requests == 3
        assert await on.ask(on.people[3:6]) == ["P 3", "P 4", "P 5"]
        assert on.questions == [3]  # it is not asked again for a while
        with pytest.raises(DiscordUnreachableError):
            await on.ask(on.people)
        monkeypatch.setattr(members, "REQUEST_SECONDS", 60.0)
        on.mute = False
        on.directory._quiet_until[on.guild.id] = 0.0
        assert len(await on.ask(on.people[6:40])) == 34
        assert on.requests == 6
        assert caplog.text.count("does not name members") == 1

        # More questions than a connection may ask in a minute: a few people are looked up, the rest waits.
        monkeypatch.setattr(members, "QUESTIONS_A_MINUTE", 2)
        assert await on.ask(on.people[40:42]) == ["P 40", "P 41"]
        assert on.requests == 8
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await on.ask(on.people[50:100])

        # Not connected.
        monkeypatch.setattr(members, "QUESTIONS_A_MINUTE", 100)
        asked = len(on.questions)
        socket, on.on.app.bot.ws = on.on.app.bot.ws, None
        try:
            assert await on.ask(on.people[42:43]) == ["P 42"]
        finally:
            on.on.app.bot.ws = socket
        assert len(on.questions) == asked
        on.on.sandbox.world.guilds.take_down(on.guild)
        guild = on.on.app.bot.get_guild(on.guild.id)
        await on.on.sandbox.until(lambda: guild is None or guild.unavailable)
        with pytest.raises(DiscordUnreachableError):
            await on.ask(on.people[:1])
