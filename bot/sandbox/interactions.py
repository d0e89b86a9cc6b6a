"""Interactions from the bot's side: answering in time, follow-ups, edits, once and only once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bot.sandbox.composing import Upload, compose, numbered, revise
from bot.sandbox.entities import EPHEMERAL, LOADING, PostedMessage
from bot.sandbox.errors import ApiError
from bot.sandbox.limits import check_choices, check_message, check_modal
from bot.sandbox.payloads import message_payload, user_payload

if TYPE_CHECKING:
    from bot.sandbox.entities import User
    from bot.sandbox.responses import Response
    from bot.sandbox.world import World

ALLOWED = {2: {4, 5, 9}, 3: {4, 5, 6, 7, 9}, 4: {8}, 5: {4, 5, 6, 7}}


class Interactions:
    """Every interaction so far. Times are counted on the event loop's clock, not on the world's.

    `answer_seconds` and `token_seconds` are Discord's 3 seconds and 15 minutes; `age` makes an interaction
    older than it is.
    """

    def __init__(self, world: World) -> None:
        self.answer_seconds = 3.0
        self.token_seconds = 900.0
        self._world = world
        self._by_id: dict[int, Response] = {}
        self._by_token: dict[str, Response] = {}

    def open(self, answer: Response) -> None:
        """Take in a new interaction."""
        self._by_id[answer.id] = answer
        self._by_token[answer.token] = answer
        asyncio.get_running_loop().call_later(self.answer_seconds, self._expire, answer)

    def answers_of(self, user: User) -> list[Response]:
        """Return all answers a person has received, oldest first; ephemeral messages stand only there."""
        return [answer for answer in self._by_id.values() if answer.user is user]

    def age(self, answer: Response, seconds: float) -> None:
        """Let an interaction grow older at once."""
        answer.born -= seconds
        if self._age_of(answer) > self.answer_seconds:
            self._expire(answer)

    def _expire(self, answer: Response) -> None:
        if not answer.responded and answer.error is None:
            answer.error = "The application did not respond"

    def _age_of(self, answer: Response) -> float:
        return asyncio.get_running_loop().time() - answer.born

    # The first answer

    def respond(self, interaction_id: int, token: str, body: dict[str, Any], files: list[Upload]) -> dict[str, Any]:
        """Take the bot's first answer; return Discord's `{interaction, resource}`.

        Raises:
            ApiError: 10062 when unknown or late, 40060 when already answered, 50035 for a wrong body.
        """
        answer = self._by_id.get(interaction_id)
        if answer is None or answer.token != token:
            raise ApiError(10062)
        if answer.responded:
            raise ApiError(40060)
        if self._age_of(answer) > self.answer_seconds:
            raise ApiError(10062)
        kind, data = body.get("type"), body.get("data") or {}
        opened_by_message = answer.source is not None
        if kind not in ALLOWED[answer.kind] or (kind in {6, 7} and not opened_by_message):
            error = {"code": "BASE_TYPE_CHOICES", "message": "This interaction cannot be answered like that."}
            raise ApiError(50035, {"type": {"_errors": [error]}})
        resource = self._carry_out(answer, kind, data, files)
        answer.callback = kind
        reply: dict[str, Any] = {"id": str(answer.id), "type": answer.kind}
        if answer.original is not None and kind in {4, 5, 6, 7}:
            reply["response_message_id"] = str(answer.original.id)
            reply["response_message_loading"] = answer.original.loading
            reply["response_message_ephemeral"] = answer.original.ephemeral
        reply["channel_id"] = str(answer.channel.id)
        if answer.channel.guild_id is not None:
            reply["guild_id"] = str(answer.channel.guild_id)
        return {"interaction": reply} | ({} if resource is None else {"resource": resource})

    def _carry_out(
        self, answer: Response, kind: int, data: dict[str, Any], files: list[Upload]
    ) -> dict[str, Any] | None:
        if kind == 4:
            answer.original = self._send(answer, data, files)
            return {"type": 4, "message": self._shown(answer.original)}
        if kind == 5:
            placeholder = PostedMessage(self._world.ids.make(), answer.channel.id, self._world.bot)
            placeholder.flags = LOADING | ((data.get("flags") or 0) & EPHEMERAL)
            answer.original = self._place(answer, placeholder)
            return None
        if kind == 8:
            choices = data.get("choices") or []
            check_choices(choices)
            answer.choices = choices
            return None
        if kind == 9:
            check_modal(data)
            answer.modal = data | {"components": numbered(data["components"])}
            return None
        assert answer.source is not None
        if kind == 7:
            self._change(answer.source, data, files)
            answer.edits += 1
        answer.original = answer.source
        return {"type": 7, "message": self._shown(answer.source)} if kind == 7 else None

    # What follows it

    def follow_up(self, token: str, body: dict[str, Any], files: list[Upload]) -> dict[str, Any]:
        """Send another message; the first after a defer fills the placeholder instead.

        Raises:
            ApiError: 10015 when the token is unknown, too old, or nothing was answered yet.
        """
        answer = self._answered(token)
        original = answer.original
        if answer.callback == 5 and original is not None and original.loading:
            check_message(body, files=len(files))
            self._change(original, {key: body[key] for key in body if key != "flags"}, files)
            return self._shown(original)
        return self._shown(self._send(answer, body, files))

    def get(self, token: str, message_id: int | None) -> dict[str, Any]:
        """Return a message of an interaction; None stands for the original."""
        return self._shown(self._find(self._answered(token), message_id))

    def edit(self, token: str, message_id: int | None, body: dict[str, Any], files: list[Upload]) -> dict[str, Any]:
        """Edit a message of an interaction; None stands for the original."""
        answer = self._answered(token)
        message = self._find(answer, message_id)
        self._change(message, body, files)
        answer.edits += 1
        return self._shown(message)

    def delete(self, token: str, message_id: int | None) -> None:
        """Delete a message of an interaction; None stands for the original."""
        answer = self._answered(token)
        message = self._find(answer, message_id)
        if message in answer.messages:
            answer.messages.remove(message)
        if message is answer.original:
            answer.original = None
            answer.deleted = True
        channel = self._world.channels[message.channel_id]
        if message.id in channel.log:
            self._world.delete(message)

    def _answered(self, token: str) -> Response:
        answer = self._by_token.get(token)
        if answer is None:
            raise ApiError(10015)
        if self._age_of(answer) > self.token_seconds:
            raise ApiError(50027)
        if not answer.responded:
            raise ApiError(10015)
        return answer

    def _find(self, answer: Response, message_id: int | None) -> PostedMessage:
        if message_id is None:
            if answer.original is None:
                raise ApiError(10008)
            return answer.original
        for message in [*answer.messages, answer.source]:
            if message is not None and message.id == message_id:
                return message
        raise ApiError(10008)

    def _send(self, answer: Response, body: dict[str, Any], files: list[Upload]) -> PostedMessage:
        return self._place(answer, compose(self._world, answer.channel, body, files))

    def _place(self, answer: Response, message: PostedMessage) -> PostedMessage:
        owners = {"0": str(answer.channel.guild_id or 0)}
        message.webhook_id = self._world.application_id
        message.interaction_metadata = {
            "id": str(answer.id),
            "type": answer.kind,
            "user": user_payload(answer.user),
            "authorizing_integration_owners": owners,
        }
        if answer.kind == 3 and answer.source is not None:
            message.interaction_metadata["interacted_message_id"] = str(answer.source.id)
        elif answer.kind == 5:
            message.interaction_metadata["triggering_interaction_metadata"] = {
                "id": str(answer.id),
                "type": 2,
                "user": user_payload(answer.user),
                "authorizing_integration_owners": owners,
            }
        elif answer.name is not None:
            message.interaction = {
                "id": str(answer.id),
                "type": answer.kind,
                "name": answer.name,
                "user": user_payload(answer.user),
            }
            if not answer.messages:
                message.type = int(answer.message_type)
        answer.messages.append(message)
        if not message.ephemeral:
            self._world.put(message)
        return message

    def _change(self, message: PostedMessage, body: dict[str, Any], files: list[Upload]) -> None:
        was_loading = message.loading
        message.flags &= ~LOADING
        revise(self._world, message, body, files)
        if message.id in self._world.channels[message.channel_id].log:
            if was_loading:
                self._world.update(message)
            else:
                self._world.touch(message)
        elif not was_loading:
            message.edited_at = self._world.now()

    def _shown(self, message: PostedMessage) -> dict[str, Any]:
        return message_payload(self._world, message, content=True)
