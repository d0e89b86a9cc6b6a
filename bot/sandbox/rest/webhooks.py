"""Responses to interactions: the callback, follow-ups, and their messages."""

from __future__ import annotations

from bot.sandbox.bodies.errors import ApiError
from bot.sandbox.rest.call import Call
from bot.sandbox.rest.routing import Reply, Routes

routes = Routes()
# Decorators work from the bottom up: "@original" is registered before the parameter that would catch it.
HOOK = "/webhooks/{webhook_id}/{webhook_token}"


@routes.add("POST", "/interactions/{interaction_id}/{interaction_token}/callback", open=True)
def callback(call: Call) -> object:
    """Take the first response: 204, or with `with_response` the object that was made."""
    token = call.params["interaction_token"]
    made = call.interactions.respond(call.id("interaction_id"), token, call.fields, call.files)
    return Reply(200, made) if call.query.get("with_response") in {"1", "true", "True"} else None


@routes.add("POST", HOOK, open=True)
def follow_up(call: Call) -> object:
    """Send a follow-up."""
    return call.interactions.follow_up(_token(call), call.fields, call.files)


@routes.add("GET", HOOK + "/messages/{message_id}", open=True)
@routes.add("GET", HOOK + "/messages/@original", open=True)
def get_message(call: Call) -> object:
    """Return a message of an interaction."""
    return call.interactions.get(_token(call), _message_id(call))


@routes.add("PATCH", HOOK + "/messages/{message_id}", open=True)
@routes.add("PATCH", HOOK + "/messages/@original", open=True)
def edit_message(call: Call) -> object:
    """Edit a message of an interaction."""
    return call.interactions.edit(_token(call), _message_id(call), call.fields, call.files)


@routes.add("DELETE", HOOK + "/messages/{message_id}", open=True)
@routes.add("DELETE", HOOK + "/messages/@original", open=True)
def delete_message(call: Call) -> object:
    """Delete a message of an interaction."""
    call.interactions.delete(_token(call), _message_id(call))
    return None


def _token(call: Call) -> str:
    if call.id("webhook_id") != call.state.application_id:
        raise ApiError(10015)
    return call.params["webhook_token"]


def _message_id(call: Call) -> int | None:
    return call.id("message_id") if "message_id" in call.params else None
