"""Registering the commands with Discord, which an outage delays but does not prevent."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiohttp
import discord

from bot.discord_io.connection.problem import described, passes
from bot.discord_io.connection.timeout import request_timeout

log = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 300.0


class CommandRegistration:
    """Makes the commands known. `sync` is the request; Discord keeps what it was last given until then."""

    def __init__(self, sync: Callable[[], Awaitable[object]]) -> None:
        self._sync = sync
        self._later: asyncio.Task[None] | None = None

    async def register(self) -> None:
        """Register the commands. If Discord cannot do it now, return and keep trying in the background until `stop`.

        Raises discord.HTTPException if Discord refuses the commands as they are.
        """
        if not await self._try(FIRST_DELAY_SECONDS):
            self._later = asyncio.create_task(self._keep_trying(), name="registering the commands")

    def stop(self) -> None:
        """Try no further."""
        if self._later is not None:
            self._later.cancel()

    async def _keep_trying(self) -> None:
        delay = FIRST_DELAY_SECONDS
        try:
            while True:
                await asyncio.sleep(delay)
                delay = min(2 * delay, LONGEST_DELAY_SECONDS)
                if await self._try(delay):
                    log.info("The commands are registered")
                    return
        except discord.HTTPException as error:
            log.error("The commands cannot be registered: %s", described(error))  # noqa: TRY400 - for people

    async def _try(self, next_delay: float) -> bool:
        """Whether it succeeded. Raises discord.HTTPException for a refusal."""
        try:
            async with request_timeout():
                await self._sync()
        except discord.HTTPException as error:
            if not passes(error):
                raise
            problem = described(error)
        except (discord.RateLimited, aiohttp.ClientError, OSError, TimeoutError) as error:
            problem = described(error)
        else:
            return True
        log.warning("The commands are not registered yet: %s. Trying again in %.0f s", problem, next_delay)
        return False
