"""All faults that can be made to happen between the bot and the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.sandbox.gateway.faults import GatewayFaults
    from bot.sandbox.rest.faults import RequestFaults


class Faults:
    """The faults of REST `requests` and those of the `gateway`."""

    def __init__(self, requests: RequestFaults, gateway: GatewayFaults) -> None:
        self.requests = requests
        self.gateway = gateway

    def calm(self) -> None:
        """End every fault, and deliver an event that is held back."""
        self.requests.calm()
        self.gateway.calm()
