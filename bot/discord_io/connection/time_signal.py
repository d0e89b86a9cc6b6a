"""The time by Discord's clock, from the Date header of its responses."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

import aiohttp


class TimeSignal:
    """Passes the time of each response to `hear`. A response without a valid Date header is ignored."""

    def __init__(self, hear: Callable[[datetime], object]) -> None:
        self._hear = hear

    async def answered(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        """The hook that aiohttp calls when a response begins to arrive."""
        try:
            moment = parsedate_to_datetime(params.response.headers.get("Date", ""))
        except ValueError:
            return
        self._hear(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
