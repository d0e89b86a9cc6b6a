"""Where a process ends. Each point is a moment between two steps of sending or settling a nudge."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord

from bot.domain.delivery import DeliveryState
from bot.services.delivery.outbox import Outbox
from bot.store import deliveries, nudges

ENDED = 137

BY_ITSELF = (
    "before claim",
    "in the claim's transaction",
    "after claim",
    "before request",
    "request sent",
    "reply read",
    "in the mark's transaction",
    "after mark",
    "before history",
    "history read",
    "in the second claim's transaction",
)
"""The process ends itself there."""
ACCEPTED = "accepted"
"""Discord has taken the message; the process is killed before the reply leaves."""

Step = Callable[..., Awaitable[Any]]


def end() -> None:
    """End at once: nothing is flushed, closed, rolled back or said."""
    os._exit(ENDED)


def _before(step: Step) -> Step:
    async def ending(*_arguments: object, **_named: object) -> None:
        end()

    return ending


def _after(step: Step, when: Callable[..., bool] = lambda *_: True) -> Step:
    async def ending(*arguments: Any, **named: Any) -> Any:
        result = await step(*arguments, **named)
        if when(*arguments):
            end()
        return result

    return ending


def _moves_to(state: DeliveryState) -> Callable[..., bool]:
    return lambda _connection, _delivery, to: to is state


def arm(point: str, messenger: Any, trace: aiohttp.TraceConfig) -> None:
    """Let this process end at a point, the first time it gets there."""
    match point:
        case "before claim":
            deliveries.claim = _before(deliveries.claim)
        case "in the claim's transaction":
            nudges.add_members = _after(nudges.add_members)
        case "after claim":
            messenger.send_to_person = _before(messenger.send_to_person)
        case "before request":
            trace.on_request_start.append(_on_post)
        case "request sent":
            trace.on_request_chunk_sent.append(_on_post)
        case "reply read":
            messenger.send_to_person = _after(messenger.send_to_person)
        case "in the mark's transaction":
            deliveries.move = _after(deliveries.move, _moves_to(DeliveryState.SENT))
        case "after mark":
            Outbox._sent = _after(Outbox._sent)
        case "before history":
            messenger.find = _before(messenger.find)
        case "history read":
            messenger.find = _after(messenger.find)
        case "in the second claim's transaction":
            deliveries.move = _after(deliveries.move, _moves_to(DeliveryState.CLAIMED))
        case _:
            raise ValueError(f"no such point: {point}")


async def _on_post(_session: aiohttp.ClientSession, _context: object, params: Any) -> None:
    if params.method == "POST" and str(params.url).startswith(discord.http.Route.BASE + "/channels/"):
        end()
