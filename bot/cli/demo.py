"""`spade demo`: the whole job on a real community's record, against a Discord on this machine."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bot.app import App, open_app
from bot.cli.failure import Failure
from bot.clock import DrivenClock
from bot.config import LogSettings, Settings
from bot.discord_io.address import point_at
from bot.log import start_log
from bot.sandbox import MANAGER, Answer, Message, Sandbox
from bot.sandbox.record import Player, Record, bundled_record
from bot.views.received import received_message

STARTS_AT = datetime(2026, 3, 2, tzinfo=UTC)
ENDS_AT = datetime(2026, 3, 30, 10, tzinfo=UTC)
MANAGER_IDS = (1329767395471659287, 421905984642345381, 974674265817651310)
TICK = timedelta(hours=1)
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A sandbox with the community in it, and the bot connected to it, both on one clock."""

    clock: DrivenClock
    sandbox: Sandbox
    player: Player
    app: App


def demo(
    folder: Annotated[
        Path, typer.Option("--folder", metavar="FOLDER", help="Where the digest's picture is saved.")
    ] = Path("spade-demo"),
) -> None:
    """See Spade do its whole job on four weeks of a real community's record. No token, no network."""
    start_log(LogSettings(level="warning"))
    console = Console()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"the folder {folder} cannot be made: {error.strerror}") from error
    asyncio.run(_show(console, folder))


async def _show(console: Console, folder: Path) -> None:
    record = bundled_record()
    console.print(
        f"A Discord on this machine, with {len(record.people)} people of a real community's forum; "
        "their names are made up and their words left out.",
        highlight=False,
    )
    with tempfile.TemporaryDirectory() as place:
        async with stage(record, Path(place) / "demo.db") as on:
            await set_up(on)
            await play(on, console)
            nudge, digest = on.sandbox.dms(MANAGER_IDS[0])[-1], _digests(on)[-1]
            picture = folder / "digest.png"
            picture.write_bytes(on.sandbox.picture(digest))
            console.print("\n[bold]The last nudge[/bold], as its manager reads it:")
            console.print(Padding(received_message(nudge.embeds, nudge.components), (1, 0)))
            console.print("[bold]The last digest[/bold], as the team's channel shows it:")
            console.print(Padding(received_message(digest.embeds, digest.components), (1, 0)))
    console.print(f"Its picture: {picture.absolute()}", highlight=False, soft_wrap=True)
    console.print(
        '\nTo go on with a server of your own: `spade init`, then the README\'s section "On your server".',
        highlight=False,
    )


@asynccontextmanager
async def stage(record: Record, database: Path) -> AsyncIterator[Stage]:
    """Open a sandbox with the record's past in it, and let the real bot log in."""
    clock = DrivenClock(STARTS_AT)
    token = f"sandbox.{secrets.token_hex(8)}"
    async with Sandbox(now=clock.now, token=token) as sandbox:
        player = Player(sandbox.world, record)
        player.load_until(STARTS_AT)
        point_at(sandbox.url)
        settings = Settings(database=f"sqlite:///{database}")
        async with open_app(settings, clock, hold_seconds=0.02) as app:
            running = asyncio.create_task(app.bot.start(token))
            try:
                await sandbox.until(lambda: app.follower.in_step or running.done(), PATIENCE_SECONDS)
                if running.done():
                    running.result()
                yield Stage(clock, sandbox, player, app)
            finally:
                await app.bot.close()
                await asyncio.gather(running, return_exceptions=True)


async def set_up(on: Stage) -> None:
    """Do what an owner and a manager do on the first day, through slash commands."""
    world, people = on.sandbox.world, on.sandbox.people
    team = world.add_channel(on.player.guild, "team", kind="text")
    role = world.add_role(on.player.guild, "Managers", permissions=int(MANAGER))
    for manager_id in MANAGER_IDS:
        world.give_role(role, manager_id)
        await _done(
            await people.run_command(
                on.player.guild.owner_id,
                team,
                "setup",
                {
                    "manager": world.user(manager_id),
                    "digest_channel": team,
                    "time_zone": "Europe/Berlin",
                },
            )
        )
    await _done(await people.run_command(MANAGER_IDS[0], team, "nudges", subcommands=("on",)))


async def play(on: Stage, console: Console) -> None:
    """Let four weeks pass: every message through the gateway, and once an hour a look at what is due."""
    lines = list(on.player.record.between(STARTS_AT, ENDS_AT))
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} messages"),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        task = progress.add_task("", total=len(lines))
        next_tick = STARTS_AT + TICK
        newest_id = 0
        for line in lines:
            while next_tick <= line.sent_at:
                await _tick(on, next_tick, newest_id)
                next_tick += TICK
            on.clock.set(line.sent_at)
            newest_id = on.player.play(line).id
            progress.update(task, advance=1, description=f"{line.sent_at:%d %B %Y}")
            await asyncio.sleep(0)
        while next_tick <= ENDS_AT:
            await _tick(on, next_tick, newest_id)
            next_tick += TICK


async def _tick(on: Stage, moment: datetime, newest_id: int) -> None:
    """Let the bot hear everything so far, then look at what is due at `moment`."""
    follower = on.app.follower
    await on.sandbox.until(lambda: follower.newest_heard_id >= newest_id and follower.in_step, PATIENCE_SECONDS)
    on.clock.set(moment)
    await on.app.schedule.tick()


async def _done(answer: Answer) -> None:
    await answer.wait(PATIENCE_SECONDS)


def _digests(on: Stage) -> list[Message]:
    team = next(channel for channel in on.player.guild.channels.values() if channel.name == "team")
    return [message for message in team.messages if message.embeds and "image" in message.embeds[0]]
