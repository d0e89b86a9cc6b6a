"""Words for a failed request: which one it was, and what Discord said about it."""

import aiohttp
import discord
from discord import app_commands

from bot.redaction import HIDDEN, redact

LONGEST = 400
"""The most characters of a description."""
_TOKEN_AFTER = frozenset({"webhooks", "interactions"})
"""In a route, the part after the id that follows one of these is a token."""


def described(error: BaseException) -> str:
    """What went wrong with a request to Discord, in one line without a full stop and without any secret.

    It names the status, Discord's code, the method, the route, and the fields that Discord objects to.
    """
    match error:
        case discord.HTTPException():
            code = f" ({error.code})" if error.code else ""
            request = f" to {route}" if (route := _route(error)) else ""
            line = f"Discord answered {error.status}{code}{request}: {_reason(error)}"
        case discord.RateLimited():
            line = "Discord asked to slow down"
        case discord.GatewayNotFound():
            line = "Discord names no gateway"
        case TimeoutError():
            line = "Discord did not answer in time"
        case aiohttp.ClientError() | OSError():
            line = f"Discord cannot be reached ({type(error).__name__})"
        case _:
            line = f"{type(error).__name__}: {' '.join(str(error).split())}"
    line = redact(line)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def passes(error: discord.HTTPException) -> bool:
    """Whether an answer says nothing about the request, so that the same one may succeed later."""
    return error.status >= 500 or error.status == 429


def _route(error: discord.HTTPException) -> str:
    """The method and the path of the request, without the address of the API and without tokens."""
    method, url = getattr(error.response, "method", None), getattr(error.response, "url", None)
    if method is None or url is None:
        return ""
    parts = str(getattr(url, "path", url)).strip("/").split("/")
    if parts[:1] == ["api"]:
        parts = parts[2:]
    for place in range(2, len(parts)):
        if parts[place - 2] in _TOKEN_AFTER:
            parts[place] = HIDDEN
    return f"{method} /{'/'.join(parts)}"


def _reason(error: discord.HTTPException) -> str:
    """Discord's own words with the fields it names. An answer that is a page of HTML has none."""
    if isinstance(error, app_commands.CommandSyncFailure):
        lines = [error.text.partition("\n")[0], *str(error).splitlines()[1:]]
    else:
        lines = error.text.splitlines()
    words = "; ".join(line.strip() for line in lines if line.strip())
    return words if words and not words.startswith("<") else str(error.response.reason)
