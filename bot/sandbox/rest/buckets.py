"""Rate limits: the headers of every answer, and Discord's real limits if they are enforced."""

from __future__ import annotations

import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# method and route template → how many requests in how many seconds; others 50 in 1 s
RATES: dict[tuple[str, str], tuple[int, float]] = {
    ("POST", "/channels/{channel_id}/messages"): (5, 5.0),
    ("PATCH", "/channels/{channel_id}/messages/{message_id}"): (5, 5.0),
    ("DELETE", "/channels/{channel_id}/messages/{message_id}"): (5, 1.0),
    ("GET", "/channels/{channel_id}/messages"): (5, 1.0),
    ("PUT", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/@me"): (1, 0.25),
    ("GET", "/channels/{channel_id}/threads/archived/public"): (5, 5.0),
}
GLOBAL = (50, 1.0)
GENEROUS = (1000, 1.0)


@dataclass(slots=True)
class _Window:
    used: deque[float] = field(default_factory=deque)

    def take(self, now: float, limit: int, seconds: float) -> float:
        """Count a request; return 0.0, or the seconds to wait if it does not fit (it is then not counted)."""
        while self.used and self.used[0] <= now - seconds:
            self.used.popleft()
        if len(self.used) >= limit:
            return self.used[0] + seconds - now
        self.used.append(now)
        return 0.0


@dataclass(frozen=True, slots=True)
class RateLimitDecision:
    """Whether a request fits its limits, and the headers that tell the client.

    `retry_after` is 0.0 if it fits, else the seconds to wait; `everywhere` if the global limit is the one exceeded.
    """

    retry_after: float
    everywhere: bool
    headers: dict[str, str]


class Buckets:
    """Counts requests per route and major parameter. If not `enforced`, all fit and the headers tell of high limits."""

    def __init__(self, clock: Callable[[], float], *, enforced: bool) -> None:
        self.enforced = enforced
        self._clock = clock
        self._windows: dict[str, _Window] = {}
        self._all = _Window()

    def judge(self, method: str, template: str, major: str, epoch: float) -> RateLimitDecision:
        """Count a request of a route; `major` is its channel, guild or webhook."""
        limit, seconds = RATES.get((method, template), (50, 1.0)) if self.enforced else GENEROUS
        name = f"{zlib.crc32(f'{method} {template}'.encode()):08x}"
        retry_after, everywhere = 0.0, False
        remaining = limit - 1
        if self.enforced:
            now = self._clock()
            window = self._windows.setdefault(f"{name}:{major}", _Window())
            if "/interactions/" not in template and "/webhooks/" not in template:
                retry_after = self._all.take(now, *GLOBAL)
                everywhere = retry_after > 0
            if not everywhere:
                retry_after = window.take(now, limit, seconds)
            remaining = limit - len(window.used)
            seconds = max(0.0, window.used[0] + seconds - now) if window.used else seconds
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, remaining)),
            "X-RateLimit-Reset": f"{epoch + seconds:.3f}",
            "X-RateLimit-Reset-After": f"{seconds:.3f}",
            "X-RateLimit-Bucket": name,
        }
        return RateLimitDecision(retry_after, everywhere, headers)
