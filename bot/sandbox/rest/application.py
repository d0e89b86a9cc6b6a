"""The application itself: its description, its gateway address and its commands."""

from __future__ import annotations

from typing import Any

from bot.sandbox.bodies.errors import ApiError
from bot.sandbox.rest.call import Call
from bot.sandbox.rest.routing import Reply, Routes
from bot.sandbox.world.intents import Intent
from bot.sandbox.world.payloads import user_payload

routes = Routes()


@routes.add("GET", "/gateway", open=True)
def gateway(call: Call) -> object:
    """Return the address of the gateway."""
    return {"url": call.state.gateway_url}


@routes.add("GET", "/gateway/bot")
def gateway_bot(call: Call) -> object:
    """Return the address of the gateway and the limit of session starts."""
    limit = {"total": 1000, "remaining": 999, "reset_after": 86_400_000, "max_concurrency": 1}
    return {"url": call.state.gateway_url, "shards": 1, "session_start_limit": limit}


@routes.add("GET", "/oauth2/applications/@me")
@routes.add("GET", "/applications/@me")
def application(call: Call) -> object:
    """Describe the application, with its granted intents as flags."""
    state = call.state
    flags = 0
    for intent, flag in (
        (Intent.GUILD_PRESENCES, 1 << 12),
        (Intent.GUILD_MEMBERS, 1 << 14),
        (Intent.MESSAGE_CONTENT, 1 << 18),
    ):
        flags |= flag if state.granted & intent else 0
    return {
        "id": str(state.application_id),
        "name": state.bot.name,
        "icon": None,
        "description": "",
        "summary": "",
        "type": None,
        "bot": user_payload(state.bot),
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": flags,
        "flags_new": str(flags),
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": user_payload(state.app_owner),
        "approximate_guild_count": sum(state.bot_in(guild) for guild in state.guilds.values()),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "eligible_oauth2_scopes": [],
    }


GLOBAL = "/applications/{application_id}/commands"
OF_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"


def _scope(call: Call) -> int | None:
    if call.id("application_id") != call.state.application_id:
        raise ApiError(10002)
    if "guild_id" not in call.params:
        return None
    guild = call.state.guilds.get(call.id("guild_id"))
    if guild is None or not call.state.bot_in(guild):
        raise ApiError(50001)
    return guild.id


def _localized(call: Call, command: dict[str, Any]) -> dict[str, Any]:
    if call.query.get("with_localizations") in {"1", "true", "True"}:
        return command
    hidden = {"name_localizations", "description_localizations"}
    return {key: value for key, value in command.items() if key not in hidden}


@routes.add("GET", GLOBAL)
@routes.add("GET", OF_GUILD)
def list_commands(call: Call) -> object:
    """List the commands of a scope."""
    return [_localized(call, command) for command in call.commands.all(_scope(call))]


@routes.add("PUT", GLOBAL)
@routes.add("PUT", OF_GUILD)
def overwrite_commands(call: Call) -> object:
    """Replace all commands of a scope."""
    return call.commands.overwrite(_scope(call), call.body or [])


@routes.add("POST", GLOBAL)
@routes.add("POST", OF_GUILD)
def upsert_command(call: Call) -> object:
    """Add or overwrite one command: 201 for a new one."""
    scope = _scope(call)
    before = len(call.commands.all(scope))
    command = call.commands.upsert(scope, call.fields)
    return Reply(201 if len(call.commands.all(scope)) > before else 200, command)


@routes.add("GET", GLOBAL + "/{command_id}")
@routes.add("GET", OF_GUILD + "/{command_id}")
def get_command(call: Call) -> object:
    """Return one command."""
    return call.commands.get(_scope(call), call.id("command_id"))


@routes.add("PATCH", GLOBAL + "/{command_id}")
@routes.add("PATCH", OF_GUILD + "/{command_id}")
def edit_command(call: Call) -> object:
    """Change one command."""
    return call.commands.edit(_scope(call), call.id("command_id"), call.fields)


@routes.add("DELETE", GLOBAL + "/{command_id}")
@routes.add("DELETE", OF_GUILD + "/{command_id}")
def delete_command(call: Call) -> object:
    """Remove one command."""
    call.commands.delete(_scope(call), call.id("command_id"))
    return None
