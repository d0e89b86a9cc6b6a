"""The kinds of permanent trouble that one guild can be in, each with its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

from bot.app import App
from bot.domain.guild import GuildSettings
from bot.domain.nudge_time import NudgeSchedule
from bot.sandbox import Permission, Sandbox
from bot.services.digest.report import Reporter
from bot.services.nudge.check import NudgeCheck
from tests.faults_guilds.country import Town, settled


@dataclass
class Trouble:
    """How a guild gets into trouble and out of it. The lists hold the guilds that are in trouble of some kinds."""

    sandbox: Sandbox
    app: App
    faulty: list[Town] = field(default_factory=list)
    unanswered: list[Town] = field(default_factory=list)
    failing: list[Town] = field(default_factory=list)

    async def begin(self, town: Town) -> None:
        """Trouble begins."""
        await self._change(town, begins=True)

    async def end(self, town: Town) -> None:
        """Trouble ends."""
        await self._change(town, begins=False)

    async def _change(self, town: Town, *, begins: bool) -> None:
        changes: dict[str, Callable[[Town, bool], Awaitable[None]]] = {
            "faulty": self._faulty,
            "unwritable": self._unwritable,
            "unanswered": self._unanswered,
            "failing": self._failing,
            "shut": self._shut,
        }
        await changes[town.trouble or ""](town, begins)

    async def _faulty(self, town: Town, begins: bool) -> None:
        """A fault in Spade that only this guild meets: its figures and its nudges raise."""
        self.faulty[:] = [town] if begins else []

    async def _unwritable(self, town: Town, begins: bool) -> None:
        """Nothing that is said there can be written down."""
        create = (
            f"CREATE TRIGGER unwritable BEFORE INSERT ON activity WHEN NEW.guild_id = {town.guild.id} "
            "BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        await self._execute(create if begins else "DROP TRIGGER unwritable")

    async def _unanswered(self, town: Town, begins: bool) -> None:
        """Discord never answers anything about it."""
        self.unanswered[:] = [town] if begins else []

    async def _failing(self, town: Town, begins: bool) -> None:
        """Discord answers everything about it with 500."""
        self.failing[:] = [town] if begins else []

    async def _shut(self, town: Town, begins: bool) -> None:
        """The digest's channel is locked, and all managers' DMs are closed; at the end they turn nudges on again."""
        world = self.sandbox.world
        if begins:
            world.channels.deny_bot(town.board, Permission.SEND_MESSAGES)
            for manager in town.managers:
                world.dms.close(manager)
            return
        world.channels.allow_bot(town.board, Permission.SEND_MESSAGES)
        for manager in town.managers:
            world.dms.open(manager)
            answer = await self.sandbox.people.run_command(manager, town.room, "nudges", {}, subcommands=("on",))
            await settled(answer)

    async def _execute(self, statement: str) -> None:
        async with self.app.database.writing() as connection:
            await connection.exec_driver_sql(statement)

    @contextmanager
    def faults_planted(self) -> Iterator[None]:
        """Let what is calculated of the faulty guilds raise."""
        kept = [(Reporter, "draft"), (Reporter, "personal"), (NudgeCheck, "look")]
        whole = [(owner, name, vars(owner)[name]) for owner, name in kept]

        def raising(function):
            async def calculated(service: object, settings: GuildSettings | NudgeSchedule, *args: object) -> object:
                guild = settings.guild if isinstance(settings, NudgeSchedule) else settings
                if guild.guild_id in {town.guild.id for town in self.faulty}:
                    raise ZeroDivisionError
                return await function(service, settings, *args)

            return calculated

        for owner, name, function in whole:
            setattr(owner, name, raising(function))
        try:
            yield
        finally:
            for owner, name, function in whole:
                setattr(owner, name, function)

    def spoil_answers(self) -> None:
        """Let the requests that concern those guilds hang or fail."""
        dispatcher = self.sandbox._dispatcher
        serve = dispatcher._serve

        async def spoilt(route, request: web.Request) -> web.StreamResponse:
            if any(self._concerns(town, request) for town in self.unanswered):
                while any(self._concerns(town, request) for town in self.unanswered):
                    await asyncio.sleep(5.0)
                return web.Response(status=502)
            if any(self._concerns(town, request) for town in self.failing):
                return web.Response(status=500, text="upstream", headers={"Via": "1.1 sandbox"})
            return await serve(route, request)

        dispatcher._serve = spoilt

    def _concerns(self, town: Town, request: web.Request) -> bool:
        letters = [self.sandbox.world.state.dms.get(manager.id) for manager in town.managers]
        channels = {*town.guild.channels, *(letter.id for letter in letters if letter is not None)}
        found = request.match_info
        return int(found.get("guild_id", 0)) == town.guild.id or int(found.get("channel_id", 0)) in channels
