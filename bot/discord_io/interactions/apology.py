"""What a person is told when a command, a press or a form fails, with a reference that stands in the log."""

import logging
import secrets
from types import TracebackType

import aiohttp
import discord
from discord import app_commands

from bot.clock import UnsureTimeError
from bot.discord_io.connection.problem import described
from bot.discord_io.interactions.answering import answering
from bot.store.error import OutageError, StoreError, UnknownZoneError
from bot.views.words.refusals import database_away, time_unsure, unexpected_error, unknown_zone

log = logging.getLogger(__name__)


_NO_FAULT_OF_SPADE = (
    aiohttp.ClientError,
    OSError,
    TimeoutError,
    discord.DiscordServerError,
    app_commands.CommandNotFound,
    app_commands.CommandSignatureMismatch,
)
"""What no traceback helps with: outages, and commands that are not those that Spade declared."""
_TOO_LATE = 10062
"""Discord does not know the interaction any more: it waits three seconds."""


async def apologise(interaction: discord.Interaction, error: BaseException, what: str) -> None:
    """Log an error under a reference, and tell the person that something failed, with the reference.

    What the person can mend is said in a sentence, and needs no reference. An outage of the database, and that the time
    is not certain, are logged by themselves, so the person is told of them instead.
    """
    cause = getattr(error, "original", error)  # discord.py wraps what a command raises
    if isinstance(cause, OutageError):
        await tell(interaction, database_away())
        return
    if isinstance(cause, UnsureTimeError):
        await tell(interaction, time_unsure())
        return
    if isinstance(cause, UnknownZoneError):
        log.error("%s failed: %s", what, cause)
        await tell(interaction, unknown_zone(cause.zone))
        return
    reference = secrets.token_hex(4)
    if isinstance(cause, discord.HTTPException):
        what = f"{what} ({described(cause)})"
    if isinstance(cause, StoreError):
        log.error("Reference %s: %s failed: %s", reference, what, cause)
    elif isinstance(cause, _NO_FAULT_OF_SPADE) or (isinstance(cause, discord.NotFound) and cause.code == _TOO_LATE):
        reason = f"{type(cause).__name__}: {cause}"
        log.warning("Reference %s: %s failed: Discord did, or it was late (%s)", reference, what, reason)
    else:
        log.error("Reference %s: %s failed", reference, what, exc_info=error)
    await tell(interaction, unexpected_error(reference))


class Apologising:
    """An asynchronous context for work on an interaction: an error ends the block with an apology, and is not raised.

    `what` says in the log what failed.
    """

    def __init__(self, interaction: discord.Interaction, what: str) -> None:
        self._interaction = interaction
        self._what = what

    async def __aenter__(self) -> None:
        """Nothing is needed before."""

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> bool:
        """Apologise for an error; what ends the task or the process is raised on."""
        if not isinstance(error, Exception):
            return False
        await apologise(self._interaction, error, self._what)
        return True


async def tell(interaction: discord.Interaction, text: str) -> None:
    """Tell a person something even if the interaction was answered before; if Discord refuses, log that."""
    try:
        async with answering(interaction):
            if interaction.response.is_done():
                await interaction.followup.send(text, ephemeral=True)
            else:
                await interaction.response.send_message(text, ephemeral=True)
    except (discord.HTTPException, aiohttp.ClientError, OSError) as refused:
        log.warning("A person could not be told what happened: %s", described(refused))
    except discord.InteractionResponded:
        pass  # the handler answered in the meantime
