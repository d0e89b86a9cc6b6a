"""`spade run`: runs the bot."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from typing import Annotated

import aiohttp
import discord
import typer

from bot import __version__
from bot.app import App, open_app
from bot.bot_token import TOKEN_VARIABLE, bot_token
from bot.cli.failure import Failure
from bot.cli.options import ConfigOption, DatabaseOption, settings_of
from bot.clock import SystemClock
from bot.config import Settings
from bot.database_url import database_file
from bot.discord_io.connection.address import point_at
from bot.discord_io.connection.problem import described, passes
from bot.store.backup_files import backup_path
from bot.store.database import Database
from bot.store.error import DatabaseUnreachableError, LostDatabaseError, StoreError

log = logging.getLogger(__name__)

DiscordUrlOption = Annotated[
    str | None,
    typer.Option("--discord-url", metavar="URL", help="A sandbox on this machine in place of Discord."),
]
_READY_SECONDS = 300.0
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 50.0
"""From the beginning of one try to the next, so that Spade is back within a minute of Discord."""


class Outage(Failure):
    """Discord, the network or the database server does not answer: a temporary failure, worth a retry."""


def run(config: ConfigOption = None, database: DatabaseOption = None, discord_url: DiscordUrlOption = None) -> None:
    """Run the bot until it is stopped.

    The token is taken from the environment variable SPADE_TOKEN. Without a network it waits for one.
    """
    settings = settings_of(config, database)
    token = bot_token()
    point(discord_url)
    asyncio.run(_run(settings, token))


def point(discord_url: str | None) -> None:
    """Connect to a sandbox in place of Discord, if a URL is given; Failure if it is not on this machine."""
    if discord_url is not None:
        try:
            point_at(discord_url)
        except ValueError as error:
            raise Failure(str(error), status=2) from error


async def _run(settings: Settings, token: str) -> None:
    """Stay connected until a signal; retry with exponential backoff while something is out of reach.

    Each different problem is told once.
    """
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    log.info("Spade %s starts on %s", __version__, settings.database)
    pause, told = _FIRST_PAUSE_SECONDS, set[str]()
    time = asyncio.get_running_loop().time
    while not stopped.is_set():
        began_at = time()
        try:
            with as_failures():
                await _stay_connected(settings, token, stopped)
        except Outage as outage:
            if outage.message not in told:
                told.add(outage.message)
                message = outage.message.rstrip(".")
                log.warning("%s. Trying again, at least every %.0f s", message, _LONGEST_PAUSE_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), max(began_at + pause - time(), 0.0))
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    log.info("Stopped")


async def _stay_connected(settings: Settings, token: str, stopped: asyncio.Event) -> None:
    """Run until `stopped`, or raise what ended the bot. Once connected, `GatewayConnection` reconnects.

    A database that is damaged, or whose file was deleted or replaced, ends it within a second or so.
    """
    async with open_app(settings, SystemClock()) as app:
        app.schedule.start()
        running = asyncio.create_task(app.bot.start(token))
        waiting = asyncio.create_task(stopped.wait())
        losing = asyncio.create_task(app.database.lost())
        await asyncio.wait((running, waiting, losing), return_when=asyncio.FIRST_COMPLETED)
        for task in (running, waiting, losing):
            task.cancel()
        await asyncio.gather(running, waiting, losing, return_exceptions=True)
        if not losing.cancelled():
            raise await _salvaged(app.database, losing.result(), settings)
        if not running.cancelled() and (error := running.exception()) is not None:
            raise error


async def _salvaged(database: Database, lost: LostDatabaseError, settings: Settings) -> LostDatabaseError:
    """The error of a lost database, with what was saved of it."""
    file = database_file(settings.database)
    if file is None:
        return lost
    said = await database.salvaged(backup_path(file, SystemClock().now()))
    return LostDatabaseError(f"{lost} {said}".strip())


@asynccontextmanager
async def connected(opening: AbstractAsyncContextManager[App], token: str) -> AsyncIterator[App]:
    """The app, logged in and with the record caught up, but without its schedule: nothing is sent."""
    with as_failures():
        async with opening as app:
            running = asyncio.create_task(app.bot.start(token))
            try:
                async with asyncio.timeout(_READY_SECONDS):
                    while not app.follower.caught_up:
                        if running.done():
                            running.result()
                        await asyncio.sleep(0.05)
                yield app
            except TimeoutError:
                raise Failure("Discord did not show the servers in time: try again later") from None
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)


@contextmanager
def as_failures() -> Iterator[None]:
    """Turn the exceptions of a connection into Failure, or Outage if a retry may help, with one sentence each."""
    try:
        yield
    except DatabaseUnreachableError as error:
        raise Outage(str(error)) from error
    except StoreError as error:
        raise Failure(str(error)) from error
    except discord.LoginFailure as error:
        raise Failure(
            f"Discord does not accept the token in {TOKEN_VARIABLE}: copy it again from the page Bot of your "
            "application, or reset it there"
        ) from error
    except discord.PrivilegedIntentsRequired as error:
        raise Failure(
            "Discord refused the connection because an intent is not granted (4014): open the page Bot of your "
            "application and look under Privileged Gateway Intents"
        ) from error
    except discord.ConnectionClosed as error:
        raise Failure(f"Discord closed the connection for good (code {error.code})") from error
    except discord.HTTPException as error:
        raise (Outage if passes(error) else Failure)(f"Discord cannot be used right now: {described(error)}") from error
    except discord.GatewayNotFound as error:
        raise Outage("Discord cannot be used right now: it names no gateway") from error
    except (aiohttp.ClientError, OSError) as error:
        raise Outage(f"Discord cannot be reached ({type(error).__name__}): check the network") from error
