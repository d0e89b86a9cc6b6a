"""Interactions as the bot handles them: the first response, follow-ups, edits, and their deadlines."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bot.sandbox.bodies.composing import Upload, compose, numbered, revise
from bot.sandbox.bodies.errors import ApiError
from bot.sandbox.bodies.limits import check_choices, check_message, check_modal
from bot.sandbox.world.entities import EPHEMERAL, LOADING, PostedMessage
from bot.sandbox.world.payloads import message_payload, user_payload

if TYPE_CHECKING:
    from bot.sandbox.interactions.responses import Response
    from bot.sandbox.world.entities import User
    from bot.sandbox.world.world import World

ALLOWED = {2: {4, 5, 9}, 3: {4, 5, 6, 7, 9}, 4: {8}, 5: {4, 5, 6, 7}}


class Interactions:
    """Every interaction so far. Times are on the event loop's clock, not on the world's.

    `answer_seconds` and `token_seconds` are Discord's 3 seconds and 15 minutes; `age` makes an interaction
    older than it is.
    """

    def __init__(self, world: World) -> None:
        self.answer_seconds = 3.0
        self.token_seconds = 900.0
        self._world = world
        self._by_id: dict[int, Response] = {}
        self._by_token: dict[str, Response] = {}

    def open(self, response: Response) -> None:
        """Register a new interaction and start its deadline."""
        self._by_id[response.id] = response
        self._by_token[response.token] = response
        asyncio.get_running_loop().call_later(self.answer_seconds, self._expire, response)

    def responses_to(self, user: User) -> list[Response]:
        """Return all answers a person has received, oldest first; ephemeral messages are held only there."""
        return [response for response in self._by_id.values() if response.user is user]

    def age(self, response: Response, seconds: float) -> None:
        """Make an interaction older by some seconds."""
        response.born -= seconds
        if self._age_of(response) > self.answer_seconds:
            self._expire(response)

    def _expire(self, response: Response) -> None:
        if not response.responded and response.error is None:
            response.error = "The application did not respond"

    def _age_of(self, response: Response) -> float:
        return asyncio.get_running_loop().time() - response.born

    # The first response

    def respond(self, interaction_id: int, token: str, body: dict[str, Any], files: list[Upload]) -> dict[str, Any]:
        """Take the bot's first response; return Discord's `{interaction, resource}`.

        Raises:
            ApiError: 10062 if unknown or late, 40060 when already answered, 50035 for a wrong body.
        """
        response = self._by_id.get(interaction_id)
        if response is None or response.token != token:
            raise ApiError(10062)
        if response.responded:
            raise ApiError(40060)
        if self._age_of(response) > self.answer_seconds:
            raise ApiError(10062)
        kind, data = body.get("type"), body.get("data") or {}
        opened_by_message = response.source is not None
        if kind not in ALLOWED[response.kind] or (kind in {6, 7} and not opened_by_message):
            error = {"code": "BASE_TYPE_CHOICES", "message": "This interaction cannot be answered like that."}
            raise ApiError(50035, {"type": {"_errors": [error]}})
        resource = self._carry_out(response, kind, data, files)
        response.callback = kind
        reply: dict[str, Any] = {"id": str(response.id), "type": response.kind}
        if response.original is not None and kind in {4, 5, 6, 7}:
            reply["response_message_id"] = str(response.original.id)
            reply["response_message_loading"] = response.original.loading
            reply["response_message_ephemeral"] = response.original.ephemeral
        reply["channel_id"] = str(response.channel.id)
        if response.channel.guild_id is not None:
            reply["guild_id"] = str(response.channel.guild_id)
        return {"interaction": reply} | ({} if resource is None else {"resource": resource})

    def _carry_out(
        self, response: Response, kind: int, data: dict[str, Any], files: list[Upload]
    ) -> dict[str, Any] | None:
        if kind == 4:
            response.original = self._send(response, data, files)
            return {"type": 4, "message": self._shown(response.original)}
        if kind == 5:
            placeholder = PostedMessage(self._world.state.ids.make(), response.channel.id, self._world.state.bot)
            placeholder.flags = LOADING | ((data.get("flags") or 0) & EPHEMERAL)
            response.original = self._place(response, placeholder)
            return None
        if kind == 8:
            choices = data.get("choices") or []
            check_choices(choices)
            response.choices = choices
            return None
        if kind == 9:
            check_modal(data)
            response.modal = data | {"components": numbered(data["components"])}
            return None
        assert response.source is not None
        if kind == 7:
            self._change(response.source, data, files)
            response.edits += 1
        response.original = response.source
        return {"type": 7, "message": self._shown(response.source)} if kind == 7 else None

    # Follow-ups and edits

    def follow_up(self, token: str, body: dict[str, Any], files: list[Upload]) -> dict[str, Any]:
        """Send another message; the first after a defer fills the placeholder instead.

        Raises:
            ApiError: 10015 if the token is unknown, too old, or nothing was answered yet.
        """
        response = self._answered(token)
        original = response.original
        if response.callback == 5 and original is not None and original.loading:
            check_message(body, files=len(files))
            self._change(original, {key: body[key] for key in body if key != "flags"}, files)
            return self._shown(original)
        return self._shown(self._send(response, body, files))

    def get(self, token: str, message_id: int | None) -> dict[str, Any]:
        """Return a message of an interaction; None stands for the original."""
        return self._shown(self._find(self._answered(token), message_id))

    def edit(self, token: str, message_id: int | None, body: dict[str, Any], files: list[Upload]) -> dict[str, Any]:
        """Edit a message of an interaction; None stands for the original."""
        response = self._answered(token)
        message = self._find(response, message_id)
        self._change(message, body, files)
        response.edits += 1
        return self._shown(message)

    def delete(self, token: str, message_id: int | None) -> None:
        """Delete a message of an interaction; None stands for the original."""
        response = self._answered(token)
        message = self._find(response, message_id)
        if message in response.messages:
            response.messages.remove(message)
        if message is response.original:
            response.original = None
            response.deleted = True
        channel = self._world.state.channels[message.channel_id]
        if message.id in channel.log:
            self._world.messages.delete(message)

    def _answered(self, token: str) -> Response:
        response = self._by_token.get(token)
        if response is None:
            raise ApiError(10015)
        if self._age_of(response) > self.token_seconds:
            raise ApiError(50027)
        if not response.responded:
            raise ApiError(10015)
        return response

    def _find(self, response: Response, message_id: int | None) -> PostedMessage:
        if message_id is None:
            if response.original is None:
                raise ApiError(10008)
            return response.original
        for message in [*response.messages, response.source]:
            if message is not None and message.id == message_id:
                return message
        raise ApiError(10008)

    def _send(self, response: Response, body: dict[str, Any], files: list[Upload]) -> PostedMessage:
        return self._place(response, compose(self._world.state, response.channel, body, files))

    def _place(self, response: Response, message: PostedMessage) -> PostedMessage:
        owners = {"0": str(response.channel.guild_id or 0)}
        message.webhook_id = self._world.state.application_id
        message.interaction_metadata = {
            "id": str(response.id),
            "type": response.kind,
            "user": user_payload(response.user),
            "authorizing_integration_owners": owners,
        }
        if response.kind == 3 and response.source is not None:
            message.interaction_metadata["interacted_message_id"] = str(response.source.id)
        elif response.kind == 5:
            message.interaction_metadata["triggering_interaction_metadata"] = {
                "id": str(response.id),
                "type": 2,
                "user": user_payload(response.user),
                "authorizing_integration_owners": owners,
            }
        elif response.name is not None:
            message.interaction = {
                "id": str(response.id),
                "type": response.kind,
                "name": response.name,
                "user": user_payload(response.user),
            }
            if not response.messages:
                message.type = int(response.message_type)
        response.messages.append(message)
        if not message.ephemeral:
            self._world.messages.put(message)
        return message

    def _change(self, message: PostedMessage, body: dict[str, Any], files: list[Upload]) -> None:
        was_loading = message.loading
        message.flags &= ~LOADING
        revise(self._world.state, message, body, files)
        if message.id in self._world.state.channels[message.channel_id].log:
            if was_loading:
                self._world.messages.update(message)
            else:
                self._world.messages.touch(message)
        elif not was_loading:
            message.edited_at = self._world.state.now()

    def _shown(self, message: PostedMessage) -> dict[str, Any]:
        return message_payload(self._world.state, message, content=True)
