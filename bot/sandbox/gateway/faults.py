"""Faults of the gateway: events in disorder, connections that are cut or closed, sessions that become invalid."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bot.sandbox.gateway.gateway import HandshakeFault, HandshakeMoment

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.gateway.gateway import Gateway
    from bot.sandbox.gateway.session import Connection


class GatewayFaults:
    """Disturbs a gateway: its order of events for as long as is set, its present connections at once."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._disorder = gateway.disorder
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def duplicated(self) -> int:
        """How many events were delivered twice so far."""
        return self._disorder.duplicated

    @property
    def reordered(self) -> int:
        """How many events changed places with the next one so far."""
        return self._disorder.reordered

    def duplicate(self, probability: float) -> None:
        """Deliver message events twice with this probability; the second has another sequence number."""
        self._disorder.duplicate = probability

    def reorder(self, probability: float, *, within_seconds: float = 1.0) -> None:
        """Let neighbouring new messages change places with this probability."""
        self._disorder.reorder = probability
        self._disorder.reorder_within = within_seconds

    def calm(self) -> None:
        """Stop altering events, stop their disorder, and deliver an event that is held back."""
        self._gateway.alteration = None
        self._disorder.duplicate = self._disorder.reorder = 0.0
        self._disorder.flush()

    def fail_handshakes(self, moment: HandshakeMoment, code: int) -> None:
        """Let every handshake fail from now on: with an HTTP status at REQUEST, with a close code later."""
        self._gateway.handshake_fault = HandshakeFault(moment, code)

    def accept_handshakes(self) -> int:
        """Let handshakes succeed again; return how many failed so far."""
        self._gateway.handshake_fault = None
        return self._gateway.handshakes_failed

    def alter(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Send `change(payload)` in place of each HELLO and each event from now on.

        The payload is a copy of its own: `op`, `d`, `s` and `t`. A str is sent as it is, anything else as JSON.
        """
        self._gateway.alteration = change

    def send_event(self, name: object, data: object) -> int:
        """Send an event, well formed or not, to every session, whatever its intents; return how many there are."""
        sessions = list(self._gateway.sessions.values())
        for session in sessions:
            session.push(name, data)
        return len(sessions)

    def send_text(self, text: str) -> int:
        """Send a text that is not numbered, JSON or not, on all connections; return how many there are."""
        return self._each(lambda connection: connection.send(text), resume=True)

    def drop(self, *, resume: bool = True) -> int:
        """Cut all connections without a close frame; return how many.

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

    def close(self, code: int = 4000, *, resume: bool = True) -> int:
        """Close all connections with a code; return how many."""

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
        connections = list(self._gateway.connections)
        for connection in connections:
            if connection.session is not None and not resume:
                connection.session.resumable = False
                self._gateway.sessions.pop(connection.session.id, None)
            act(connection)
        return len(connections)
