"""A small server on the stage: an owner, two managers, a member, one channel."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.sandbox import MANAGER, Channel, Guild, PostedMessage, Response, Role, User
from tests.support.stage import Stage, stage

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Town:
    on: Stage
    guild: Guild
    general: Channel
    team: Role
    owner: User
    mia: User
    noor: User
    rafa: User

    async def ask(self, who: User, name: str, *path: str, **options: object) -> Response:
        answer = await self.on.sandbox.people.run_command(who, self.general, name, options, subcommands=path)
        return await answer.wait()

    async def menu(self, who: User, name: str, target: User | PostedMessage) -> Response:
        answer = await self.on.sandbox.people.run_context_menu(who, self.general, name, target)
        return await answer.wait()


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    async with stage(folder / "spade.db", BEGAN) as on:
        world = on.sandbox.world
        owner, mia, noor, rafa = (
            world.users.add(name, display_name=name.title()) for name in ("olga", "mia", "noor", "rafa")
        )
        guild = world.guilds.add("Gardeners", owner=owner)
        team = world.roles.add(guild, "Team", permissions=int(MANAGER))
        general = world.channels.add(guild, "general")
        world.members.add(guild, rafa)
        for user in (mia, noor):
            world.members.add(guild, user, roles=[team])
        await on.sandbox.until(lambda: on.sandbox.commands.available(guild.id))
        here = Town(on, guild, general, team, owner, mia, noor, rafa)
        for manager in (mia, noor):
            await here.ask(owner, "setup", manager=manager, time_zone="UTC")
        yield here


def card(answer: Response) -> str:
    """Everything a first message says."""
    assert answer.original is not None
    return str(answer.original.embeds) + answer.original.content
