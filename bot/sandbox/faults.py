"""What can go wrong between the bot and Discord, on purpose: seeded, scriptable, countable."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from bot.sandbox.order import Order

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.entities import Channel
    from bot.sandbox.gateway import Gateway
    from bot.sandbox.session import Connection


@dataclass(slots=True, eq=False)
class Fault:
    """One planned fault of REST. `hits` counts how often it struck.

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
    hits: int = 0
    lifted: bool = field(default=False)

    def lift(self) -> None:
        """End the fault."""
        self.lifted = True

    def matches(self, method: str, route: str, channel_id: int | None) -> bool:
        """Whether a request is one this fault may strike."""
        if self.lifted or (self.times is not None and self.hits >= self.times):
            return False
        return (
            (self.method is None or self.method == method)
            and (self.route is None or self.route in route)
            and (self.channel_id is None or self.channel_id == channel_id)
        )


class Faults:
    """All faults of a sandbox. The same seed and the same traffic make the same faults."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311  (reproducible faults, no secrets)
        self.order = Order(Random(seed + 1))  # noqa: S311
        self.planned: list[Fault] = []
        self.gateway: Gateway | None = None
        self._closing: set[asyncio.Task[None]] = set()

    # REST. `route` is a part of the route template, such as "/messages"; `channel` one channel.

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

    def strike(self, kind: str, method: str, route: str, channel_id: int | None) -> Fault | None:
        """Return the fault of a kind that hits this request now, if any, and count the hit."""
        for fault in self.planned:
            if fault.kind != kind or not fault.matches(method, route, channel_id):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.probability >= 1.0 or self.random.random() < fault.probability:
                fault.hits += 1
                return fault
        return None

    def calm(self) -> None:
        """End every fault, planned or drawn, and deliver what was held back."""
        for fault in self.planned:
            fault.lift()
        self.planned.clear()
        self.order.duplicate = self.order.reorder = 0.0
        self.order.flush()

    def _plan(self, kind: str, *, channel: Channel | int | None = None, **details: Any) -> Fault:
        channel_id = channel if channel is None or isinstance(channel, int) else channel.id
        fault = Fault(kind, channel_id=channel_id, **details)
        self.planned.append(fault)
        return fault

    # Gateway

    def duplicate(self, probability: float) -> None:
        """Deliver message events twice with this probability; the second has a number of its own."""
        self.order.duplicate = probability

    def reorder(self, probability: float, *, within_seconds: float = 1.0) -> None:
        """Let neighbouring new messages change places with this probability."""
        self.order.reorder = probability
        self.order.reorder_within = within_seconds

    def drop_gateway(self, *, resume: bool = True) -> int:
        """Cut all gateway connections without a word; return how many.

        With `resume` off, the sessions are gone: a RESUME is refused and what happened meanwhile is not
        replayed.
        """
        return self._each(lambda connection: connection.abort(), resume=resume)

    def request_reconnect(self, *, resume: bool = True) -> int:
        """Ask all clients to reconnect (op 7); return how many."""
        return self._each(lambda connection: connection.send_op(7), resume=resume)

    def invalidate(self, *, resumable: bool = False) -> int:
        """Tell all clients that their session is invalid (op 9); return how many."""
        return self._each(lambda connection: connection.send_op(9, data=resumable), resume=resumable)

    def close_gateway(self, code: int = 4000, *, resume: bool = True) -> int:
        """Close all gateway connections with a code; return how many."""

        def close(connection: Connection) -> None:
            task = asyncio.ensure_future(connection.close(code, ""))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

        return self._each(close, resume=resume)

    def ignore_heartbeats(self) -> int:
        """Stop acknowledging heartbeats on the present connections; return how many."""

        def silence(connection: Connection) -> None:
            connection.acknowledges = False

        return self._each(silence, resume=True)

    def _each(self, act: Callable[[Connection], None], *, resume: bool) -> int:
        assert self.gateway is not None
        connections = list(self.gateway.connections)
        for connection in connections:
            if connection.session is not None and not resume:
                connection.session.resumable = False
                self.gateway.sessions.pop(connection.session.id, None)
            act(connection)
        return len(connections)
