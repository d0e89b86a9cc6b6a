"""A small server on a stage: two managers, a few members, one channel; Spade set up and nudges turned on."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app import App
from bot.clock import DrivenClock
from bot.sandbox import Channel, Guild, PostedMessage, Response, Sandbox, User
from tests.support.moderators import moderators
from tests.support.stage import PATIENCE, Stage, connected

MONDAY = datetime(2026, 3, 2, 5, tzinfo=UTC)
"""Before nine in the morning, which is when nudges come."""


@dataclass(slots=True)
class Team:
    """The server, and what people do in it."""

    clock: DrivenClock
    sandbox: Sandbox
    app: App
    database: Path
    guild: Guild
    room: Channel
    ann: User
    bea: User
    max: User
    ned: User

    async def run(self, user: User, *command: str, **options: object) -> Response:
        """Run a slash command and wait for its answer."""
        name, *subcommands = command
        answer = await self.sandbox.people.run_command(user, self.room, name, options, subcommands)
        return await answer.wait(PATIENCE)

    async def says(self, user: User, content: str = "words", **details: object) -> PostedMessage:
        """A second later somebody writes, and the bot puts it on record."""
        self.clock.set(self.clock.now() + timedelta(seconds=1))
        message = self.sandbox.world.messages.post(self.room, user, content, **details)
        await Stage(self.clock, self.sandbox, self.app).heard(message.id)
        return message

    async def later(self, **elapsed: float) -> None:
        """Time passes, then the bot looks for due work."""
        self.clock.set(self.clock.now() + timedelta(**elapsed))
        await self.tick()

    async def on(self, day: int, hour: int = 9, minute: int = 1) -> None:
        """It is that hour, so many days after the Monday; the bot looks for due work."""
        self.clock.set(MONDAY.replace(hour=hour, minute=minute) + timedelta(days=day))
        await self.tick()

    async def tick(self) -> None:
        await Stage(self.clock, self.sandbox, self.app).tick()

    def dms(self, user: User) -> list[PostedMessage]:
        return self.sandbox.dms(user)

    def nudges(self, user: User) -> list[PostedMessage]:
        """The DMs that are nudges, not the first hello."""
        return [message for message in self.dms(user) if "worth a word" in message.embeds[0].get("title", "")]

    async def press(self, user: User, message: PostedMessage, label: str) -> Response:
        """Press a button; the answer need not hold anything, as the message itself changes."""
        return await self.sandbox.people.press(user, message, label)

    async def changed(self, message: PostedMessage, words: str) -> None:
        """Wait until a message says something."""
        await self.sandbox.until(lambda: words in text_of(message))


def text_of(message: PostedMessage) -> str:
    """All that an embed says."""
    embed = message.embeds[0]
    fields = [f"{field['name']}\n{field['value']}" for field in embed.get("fields", ())]
    return "\n".join([embed.get("title", ""), embed.get("description", ""), *fields])


async def told(answer: Response) -> str:
    """What only the person who pressed is told; the message with the button is another one."""
    await answer.until(lambda one: any(message.ephemeral and not message.loading for message in one.messages))
    return answer.messages[-1].content


def labels(message: PostedMessage) -> list[str]:
    """The buttons that can be pressed."""
    return [item["label"] for item in message.controls() if item["type"] == 2 and not item.get("disabled")]


@asynccontextmanager
async def team(folder: Path, *, on: Sequence[str] = ("ann", "bea")) -> AsyncIterator[Team]:
    """The bot logged in, set up, with nudges turned on for those named."""
    clock = DrivenClock(MONDAY)
    async with Sandbox(now=clock.now) as sandbox:
        world = sandbox.world
        guild = world.guilds.add("Mesh")
        room = world.channels.add(guild, "general", kind="text")
        people = {name: world.users.add(name.lower(), display_name=name) for name in ("Ann", "Bea", "Max", "Ned")}
        for user in people.values():
            world.members.add(guild, user, joined_at=MONDAY - timedelta(days=40))
        moderators(world, guild, people["Ann"], people["Bea"])
        async with connected(sandbox, clock, folder / "spade.db") as app:
            made = Team(clock, sandbox, app, folder / "spade.db", guild, room, *people.values())
            owner = world.state.user(guild.owner_id)
            for manager in (made.ann, made.bea):
                await made.run(owner, "setup", manager=manager)
            for name in on:
                await made.run(getattr(made, name), "nudges", "on")
            yield made


@asynccontextmanager
async def restarted(before: Team) -> AsyncIterator[Team]:
    """The same server with a new bot on the same database; the old one is gone."""
    await before.app.bot.close()
    await before.app.database.close()
    async with connected(before.sandbox, before.clock, before.database) as app:
        before.app = app
        yield before
