"""Sending interactions to the bot."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bot.sandbox.clients.options import Resolved
from bot.sandbox.interactions.responses import Response
from bot.sandbox.world.payloads import (
    channel_payload,
    message_event,
    message_payload,
    permissions_text,
    user_payload,
)
from bot.sandbox.world.permissions import ALL

if TYPE_CHECKING:
    from bot.sandbox.gateway.gateway import Gateway
    from bot.sandbox.interactions.interactions import Interactions
    from bot.sandbox.interactions.responses import Client
    from bot.sandbox.world.entities import Channel, PostedMessage, User
    from bot.sandbox.world.world import World


class InteractionSender:
    """Sends interactions as they are given; it does not check that a client would offer them."""

    def __init__(self, world: World, interactions: Interactions, gateway: Gateway, client: Client) -> None:
        self._world = world
        self._interactions = interactions
        self._gateway = gateway
        self._client = client

    def send(
        self,
        kind: int,
        user: User,
        channel: Channel,
        data: dict[str, Any],
        *,
        source: PostedMessage | None = None,
        name: str | None = None,
    ) -> Response:
        """Send an interaction of a kind (2 command, 3 component, 4 autocomplete, 5 modal) with its `data`.

        `source` is the message a component stands on, `name` the full name of a command. If no session of the bot is
        connected, the response has an error at once.
        """
        interaction_id = self._world.state.ids.make()
        response = Response(
            interaction_id,
            f"interaction-{interaction_id:x}",
            kind,
            user,
            channel,
            source=source,
            born=asyncio.get_running_loop().time(),
            name=name,
            client=self._client,
        )
        self._interactions.open(response)
        if not self._gateway.live:
            response.error = "The application did not respond (it is not connected)"
        self._world.events.emit_to_all("INTERACTION_CREATE", self._payload(response, data))
        return response

    def _payload(self, response: Response, data: dict[str, Any]) -> dict[str, Any]:
        state, channel = self._world.state, response.channel
        guild = state.guild_of(channel)
        payload: dict[str, Any] = {
            "id": str(response.id),
            "application_id": str(state.application_id),
            "type": response.kind,
            "token": response.token,
            "version": 1,
            "data": data,
            "channel_id": str(channel.id),
            "channel": channel_payload(state, channel),
            "locale": "en-US",
            "entitlements": [],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": {"0": str(guild.id if guild is not None else 0)},
            "attachment_size_limit": 10 * 1024 * 1024,
            "context": 0 if guild is not None else 1,
            "app_permissions": str(int(ALL)),
        }
        if guild is None:
            payload["user"] = user_payload(response.user)
        else:
            payload["app_permissions"] = str(int(state.permissions_of(state.bot, channel)))
            payload["guild_id"] = str(guild.id)
            payload["guild_locale"] = guild.locale
            payload["guild"] = {"id": str(guild.id), "locale": guild.locale, "features": []}
            payload["channel"]["permissions"] = str(int(state.permissions_of(response.user, channel)))
            member = guild.members[response.user.id]
            payload["member"] = Resolved(state, channel).member(member.id) | {
                "user": user_payload(member.user),
                "permissions": str(int(state.permissions_of(member, channel))),
                "mute": False,
                "deaf": False,
            }
            if not response.channel.is_thread and not int(payload["member"]["permissions"]):
                payload["member"]["permissions"] = permissions_text(guild, member)
        if response.source is not None:
            payload["message"] = message_payload(state, response.source, content=True)
            if not response.source.ephemeral:
                payload["message"] = message_event(state, response.source, content=True)
        return payload
