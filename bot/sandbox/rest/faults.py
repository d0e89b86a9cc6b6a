"""Planned faults of REST requests: errors, lost requests and replies, rate limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from bot.sandbox.world.entities import Channel


@dataclass(slots=True, eq=False)
class Fault:
    """One planned fault. `hits` counts how often it struck.

    It strikes requests whose method, route template and channel match, `times` times at most (None: until
    lifted), each with a probability. `skip` lets that many matching requests pass first.
    """

    kind: str
    method: str | None = None
    route: str | None = None
    channel_id: int | None = None
    probability: float = 1.0
    times: int | None = None
    skip: int = 0
    status: int = 0
    retry_after: float = 0.0
    everywhere: bool = False
    action: Callable[[], object] | None = None
    change: Callable[[Any], object] | None = None
    text: str | None = None
    content_type: str = "application/json"
    hits: int = 0
    lifted: bool = field(default=False)

    def lift(self) -> None:
        """End the fault."""
        self.lifted = True

    def matches(self, method: str, route: str, channel_id: int | None) -> bool:
        """Whether this fault may strike a request."""
        if self.lifted or (self.times is not None and self.hits >= self.times):
            return False
        return (
            (self.method is None or self.method == method)
            and (self.route is None or self.route in route)
            and (self.channel_id is None or self.channel_id == channel_id)
        )


class RequestFaults:
    """The faults planned for REST requests. The same seed and the same requests make the same faults.

    The keywords of each method choose the requests: `method`; `route`, a part of the route template, such as
    "/messages"; `channel`; `probability`; `skip`. `times` is how often the fault strikes.
    """

    def __init__(self, random: Random) -> None:
        self.planned: list[Fault] = []
        self._random = random

    def rate_limit(
        self, retry_after: float = 0.05, *, everywhere: bool = False, times: int | None = 1, **where: Any
    ) -> Fault:
        """Answer 429, of the bucket or of the whole application."""
        return self._plan("429", times=times, retry_after=retry_after, everywhere=everywhere, **where)

    def server_error(self, status: int = 502, *, times: int | None = 1, **where: Any) -> Fault:
        """Answer 5xx; the request has no effect."""
        return self._plan("5xx", times=times, status=status, **where)

    def hang(self, *, times: int | None = 1, **where: Any) -> Fault:
        """Never answer; the request has no effect."""
        return self._plan("hang", times=times, **where)

    def lose_reply(self, *, times: int | None = 1, **where: Any) -> Fault:
        """Carry the request out, then cut the connection before the reply."""
        return self._plan("lose", times=times, **where)

    def lose_request(self, *, times: int | None = 1, **where: Any) -> Fault:
        """Cut the connection before the request has any effect."""
        return self._plan("cut", times=times, **where)

    def forbid(self, channel: Channel | int | None = None, *, times: int | None = None, **where: Any) -> Fault:
        """Answer 403 (50001), whatever the permissions say."""
        return self._plan("403", channel=channel, times=times, **where)

    def meanwhile(self, action: Callable[[], object], *, times: int | None = 1, **where: Any) -> Fault:
        """Do something to the world after a matching request was answered, before the reply leaves.

        This is how history changes while it is paged.
        """
        return self._plan("meanwhile", times=times, action=action, **where)

    def alter(self, change: Callable[[Any], object], *, times: int | None = 1, **where: Any) -> Fault:
        """Carry the request out, and answer `change(body)` if it succeeds; the body is a copy of its own."""
        return self._plan("alter", times=times, change=change, **where)

    def garble(
        self,
        text: str | None = None,
        *,
        content_type: str = "text/html",
        status: int = 200,
        times: int | None = 1,
        **where: Any,
    ) -> Fault:
        """Carry the request out, and answer a text in place of its JSON; without one, the first half of that JSON.

        An empty `content_type` leaves the header out.
        """
        return self._plan("garble", times=times, text=text, content_type=content_type, status=status, **where)

    def strike(self, kind: str, method: str, route: str, channel_id: int | None) -> Fault | None:
        """Return the fault of a kind that hits this request now, if any, and count the hit."""
        for fault in self.planned:
            if fault.kind != kind or not fault.matches(method, route, channel_id):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.probability >= 1.0 or self._random.random() < fault.probability:
                fault.hits += 1
                return fault
        return None

    def calm(self) -> None:
        """End every planned fault."""
        for fault in self.planned:
            fault.lift()
        self.planned.clear()

    def _plan(self, kind: str, *, channel: Channel | int | None = None, **details: Any) -> Fault:
        channel_id = channel if channel is None or isinstance(channel, int) else channel.id
        fault = Fault(kind, channel_id=channel_id, **details)
        self.planned.append(fault)
        return fault
