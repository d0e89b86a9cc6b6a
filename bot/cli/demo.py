"""`spade demo`: the whole job on a real community's record, against a Discord on this machine."""

import asyncio
import logging
import re
import signal
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bot.cli.failure import Failure, unwritable
from bot.cli.output import PICTURE, ForceOption, Outputs
from bot.cli.playback import Playback
from bot.cli.stage import ENDS_AT, MANAGER_IDS, ZONE_NAME, Stage, stage
from bot.config import Settings
from bot.log import start_log
from bot.sandbox import PostedMessage
from bot.sandbox.sample.record import bundled_record
from bot.sandbox.web import Viewer, WebPage
from bot.views.kit.received import received_message

STARTS_AT = datetime(2026, 3, 2, tzinfo=UTC)
SERVED_FROM = datetime(2026, 3, 16, tzinfo=UTC)
"""With the page, two weeks fewer are played first, so that it opens sooner."""
_PICTURE = "digest.png"
_LINK = re.compile(r"/channels/\d+/(\d+)/(\d+)")
ABOUT = (
    "A real community's forum, January to April 2026: who wrote and who was answered, and when. Names are made up, and "
    "the sample has no texts."
)


def demo(
    folder: Annotated[
        Path, typer.Option("--folder", metavar="FOLDER", help="Where the digest's picture is saved.")
    ] = Path("spade-demo"),
    serve: Annotated[
        bool, typer.Option("--serve", help="Go on in a browser: use Spade yourself, on a page on this machine.")
    ] = False,
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="The page's port; any free one without it.")
    ] = 0,
    *,
    force: ForceOption = False,
) -> None:
    """See Spade do its whole job on a real community's record.

    Four weeks of it pass in less than a minute. No token, no network.
    """
    start_log("warning")
    logging.getLogger("discord.gateway").setLevel(logging.ERROR)  # weeks pass in seconds, so heartbeats seem late
    console = Console()
    if serve:
        asyncio.run(_serve(console, port))
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder / _PICTURE, error) from error
    outputs = Outputs(Settings(), None, force=force)
    outputs.require(folder / _PICTURE, PICTURE)
    asyncio.run(_show(console, folder, outputs))


async def _show(console: Console, folder: Path, outputs: Outputs) -> None:
    record = bundled_record()
    console.print(
        f"A Discord on this machine, with {len(record.people)} people of a real community's forum; their names are "
        "made up and their words left out. Three of them are its managers. The bot logs in, is set up with /setup, "
        "reads what was written before and hears four weeks of messages. Each manager gets nudges and presses Done on "
        "the first two lines; that is all the demo adds to the record.\n",
        highlight=False,
    )
    with tempfile.TemporaryDirectory() as place:
        async with stage(record, Path(place) / "demo.db", STARTS_AT) as on:
            await play(Playback(on), console)
            nudge, digest = on.nudges[-1], on.digests[-1]
            picture = _save_picture(on, digest, folder / _PICTURE, outputs)
            reader = on.sandbox.world.state.user(MANAGER_IDS[0]).display_name
            console.print(f"\n[bold]The last nudge[/bold], as {reader} reads it, one of the managers:")
            console.print(Padding(received_message(nudge.embeds, nudge.components), (1, 0)))
            console.print("[bold]The last digest[/bold], as the team's channel shows it:")
            console.print(Padding(received_message(digest.embeds, digest.components), (1, 0)))
    drawn = (
        f"Its picture: {picture.absolute()}" if picture else "Its picture could not be drawn; the log above says why."
    )
    console.print(drawn, highlight=False, soft_wrap=True)
    console.print(
        "\nTo use it yourself, in a browser and on the same record: `spade demo --serve`, or `make serve`.\n"
        'To go on with a server of your own: `spade init`, then the README\'s section "On your server".',
        highlight=False,
        soft_wrap=True,
    )


def _save_picture(on: Stage, digest: PostedMessage, path: Path, outputs: Outputs) -> Path | None:
    try:
        picture = on.sandbox.picture(digest)
    except LookupError:
        return None
    outputs.write(path, picture, PICTURE)
    return path


async def play(playback: Playback, console: Console) -> None:
    """Let the weeks pass up to `ENDS_AT`, with a progress bar."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} messages"),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        task = progress.add_task("", total=playback.lines_until(ENDS_AT))
        await playback.play_until(
            ENDS_AT, lambda line: progress.update(task, advance=1, description=f"{line.sent_at:%d %B %Y}")
        )


async def _serve(console: Console, port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows; there, Ctrl-C ends the program without the last line
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    console.print("Two weeks of a real community's record come first; the page opens after them.", highlight=False)
    with tempfile.TemporaryDirectory() as place:
        try:
            async with stage(bundled_record(), Path(place) / "demo.db", SERVED_FROM, port=port) as on:
                playback = Playback(on)
                playing = asyncio.create_task(play(playback, console))
                await _either(playing, stopped)
                if not stopped.is_set():
                    await _keep_open(console, on, playback, stopped)
        except OSError as error:
            raise Failure(f"the page cannot be served at port {port}: {error.strerror}") from error


async def _keep_open(console: Console, on: Stage, playback: Playback, stopped: asyncio.Event) -> None:
    page = open_page(on, playback)
    console.print(
        f"\nOpen this in a browser on this machine: [bold]{page.address}[/bold]\n"
        "You are a manager there: read the nudge, press its buttons, try /waiting, answer somebody, let a week pass.\n"
        "Ctrl-C ends it.",
        highlight=False,
        soft_wrap=True,
    )
    await _either(asyncio.create_task(playback.walk()), stopped)
    console.print("\nEnded. Nothing of it stays.")


async def _either(task: asyncio.Task[None], stopped: asyncio.Event) -> None:
    """Run a task until it ends or `stopped` is set; it is then cancelled."""
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if task.done():
        task.result()
    else:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def open_page(on: Stage, playback: Playback) -> WebPage:
    """Open the page on a stage; it can be read as the first manager or as a member who waits."""
    playback.managers.away.add(MANAGER_IDS[0])
    return WebPage(
        on.sandbox,
        on.player.guild,
        viewers=[Viewer(MANAGER_IDS[0], "manager"), Viewer(_a_member_who_waits(on), "member")],
        zone=ZoneInfo(ZONE_NAME),
        forward=playback.forward,
        about=ABOUT,
    )


def _a_member_who_waits(on: Stage) -> int:
    """The id of the first member in the last nudge, where those who wait come first; else the record's last author."""
    buttons = [control for nudge in on.nudges[-1:] for control in nudge.controls()]
    for button in buttons:
        found = _LINK.search(str(button.get("url", "")))
        message = found and on.sandbox.world.state.channel(int(found[1])).log.get(int(found[2]))
        if message:
            return message.author.id
    record = on.player.record
    return record.people[record.lines[-1].author][0]
