"""The time by Discord's clocks, from the headers of its responses."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

import aiohttp
from multidict import CIMultiDictProxy

_SLOW_DOWN = 429
_YEARS = range(2015, 2200)
"""Discord is from 2015."""


class TimeSignal:
    """Passes the times of each response to `hear`: its Date, and when the API counted the request, or None.

    A response without a valid Date is ignored, and so is one from a cache, which says so by its Age.
    """

    def __init__(self, hear: Callable[[datetime, datetime | None], object]) -> None:
        self._hear = hear

    async def answered(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        """The hook that aiohttp calls when a response begins to arrive."""
        headers = params.response.headers
        if headers.get("Age", "0").strip() != "0":
            return
        moment = _date(headers)
        if moment is not None:
            # The limits of a 429 may be those of different buckets.
            self._hear(moment, None if params.response.status == _SLOW_DOWN else _counted_at(headers))


def _date(headers: "CIMultiDictProxy[str]") -> datetime | None:
    try:
        moment = parsedate_to_datetime(headers.get("Date", ""))
        return _possible(moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
    except (ValueError, TypeError, OverflowError):
        return None


def _counted_at(headers: "CIMultiDictProxy[str]") -> datetime | None:
    """The moment at which a bucket is full again, less the seconds until then."""
    try:
        seconds = float(headers["X-RateLimit-Reset"]) - float(headers["X-RateLimit-Reset-After"])
        return _possible(datetime.fromtimestamp(seconds, UTC))
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def _possible(moment: datetime) -> datetime | None:
    """The moment; None if Discord cannot have meant it, and nobody could reckon with it."""
    return moment if moment.year in _YEARS else None
