"""Answers that are not Discord's: a proxy's page, for example, with status 200."""

from types import SimpleNamespace

import aiohttp

_NO_CONTENT = 204


async def require_json(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
) -> None:
    """The hook that aiohttp calls when a response begins to arrive: fails the request unless a success brings JSON.

    discord.py would take any other content for a text and fail somewhere else. Errors may have any content.
    """
    response = params.response
    if not 200 <= response.status < 300 or response.status == _NO_CONTENT:
        return
    if response.headers.get("Content-Type") != "application/json":
        response.close()
        raise aiohttp.ClientPayloadError(f"Discord answered {response.status} without JSON")
