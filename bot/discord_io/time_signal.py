"""The time by Discord's clock: every one of its answers says it."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

import aiohttp


class TimeSignal:
    """Passes on what time Discord says it is. An answer without a date, or with none that can be read, says nothing."""

    def __init__(self, hear: Callable[[datetime], object]) -> None:
        self._hear = hear

    async def answered(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        """What aiohttp calls when an answer begins to arrive."""
        try:
            moment = parsedate_to_datetime(params.response.headers.get("Date", ""))
        except ValueError:
            return
        self._hear(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
