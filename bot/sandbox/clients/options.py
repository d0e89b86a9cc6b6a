"""The options of a slash command as a client sends them, with the entities they name resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.world.entities import Channel, Member, PostedMessage, Role, User
from bot.sandbox.world.payloads import (
    bare_member_payload,
    channel_payload,
    message_event,
    role_payload,
    user_payload,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.sandbox.world.state import State


class Resolved:
    """Collects the users, members, roles, channels and messages an interaction names."""

    def __init__(self, state: State, channel: Channel) -> None:
        self._state = state
        self._channel = channel
        self._guild = state.guild_of(channel)
        self._found: dict[str, dict[str, Any]] = {}

    def payload(self) -> dict[str, Any]:
        """Return Discord's `resolved` object."""
        return self._found

    def member(self, user_id: int) -> dict[str, Any]:
        """Return a member object with permissions and without the user."""
        assert self._guild is not None
        member = self._guild.members[user_id]
        allowed = self._state.permissions_of(member, self._channel)
        return bare_member_payload(member) | {"permissions": str(int(allowed))}

    def add(self, value: object) -> str:
        """Add an entity, given as an object or by its id, and return its id as text.

        Raises:
            LookupError: If no entity has this id.
        """
        if isinstance(value, User | Member):
            return self.add_user(value.id)
        if isinstance(value, Role):
            return self.add_role(value.id)
        if isinstance(value, Channel):
            return self.add_channel(value.id)
        number = int(str(value))
        if number in self._state.users:
            return self.add_user(number)
        if number in self._state.channels:
            return self.add_channel(number)
        return self.add_role(number)

    def add_user(self, user_id: int) -> str:
        """Add a user, with the membership if there is one."""
        key = str(user_id)
        self._found.setdefault("users", {})[key] = user_payload(self._state.user(user_id))
        if self._guild is not None and user_id in self._guild.members:
            self._found.setdefault("members", {})[key] = self.member(user_id)
        return key

    def add_role(self, role_id: int) -> str:
        """Add a role of the guild."""
        if self._guild is None or role_id not in self._guild.roles:
            raise LookupError(f"no user, channel or role {role_id}")
        self._found.setdefault("roles", {})[str(role_id)] = role_payload(self._guild.roles[role_id])
        return str(role_id)

    def add_channel(self, channel_id: int) -> str:
        """Add a channel of the guild, with the bot's permissions there."""
        channel = self._state.channel(channel_id)
        full = channel_payload(self._state, channel)
        left_out = {"permission_overwrites", "recipients", "available_tags", "member"}
        short = {key: value for key, value in full.items() if key not in left_out}
        short["permissions"] = str(int(self._state.permissions_of(self._state.bot, channel)))
        self._found.setdefault("channels", {})[str(channel_id)] = short
        return str(channel_id)

    def add_message(self, message: PostedMessage) -> str:
        """Add a message; its content is included whatever the intents."""
        payload = message_event(self._state, message, content=True)
        self._found.setdefault("messages", {})[str(message.id)] = payload
        return str(message.id)


def command_data(command: dict[str, Any], resolved: Resolved) -> dict[str, Any]:
    """Return the `data` object of an interaction with a command, without options."""
    data: dict[str, Any] = {"id": command["id"], "name": command["name"], "type": command["type"]}
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
    if resolved.payload():
        data["resolved"] = resolved.payload()
    return data


def command_options(
    command: dict[str, Any],
    given: Mapping[str, object],
    subcommands: Sequence[str],
    resolved: Resolved,
) -> list[dict[str, Any]]:
    """Return the options of a command that is filled in completely.

    Raises:
        LookupError: For a subcommand or an option the command does not have.
        ValueError: For a required option that is missing or a value out of bounds.
    """
    path, options = _descend(command, subcommands)
    missing = [o["name"] for o in options if o.get("required") and o["name"] not in given]
    if missing:
        raise ValueError(f"/{command['name']} needs {', '.join(missing)}")
    return _wrap(path, [_filled(options, name, value, resolved) for name, value in given.items()])


def focused_options(
    command: dict[str, Any],
    given: Mapping[str, object],
    subcommands: Sequence[str],
    resolved: Resolved,
    focused: tuple[str, str],
) -> list[dict[str, Any]]:
    """Return the options of a command while a person types into one of them.

    Raises:
        LookupError: For an option the command does not have or that offers no suggestions.
    """
    path, options = _descend(command, subcommands)
    name, typed = focused
    option = _named(options, name)
    if not option.get("autocomplete"):
        raise LookupError(f"the option {name} offers no suggestions")
    chosen = [_filled(options, key, value, resolved) for key, value in given.items()]
    chosen.append({"name": name, "type": option["type"], "value": typed, "focused": True})
    return _wrap(path, chosen)


def _descend(command: dict[str, Any], subcommands: Sequence[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    path: list[dict[str, Any]] = []
    options: list[dict[str, Any]] = command.get("options") or []
    for name in subcommands:
        step = _named(options, name)
        path.append(step)
        options = step.get("options") or []
    if any(option["type"] in {1, 2} for option in options):
        raise LookupError(f"/{command['name']} needs one of {[option['name'] for option in options]}")
    return path, options


def _wrap(path: list[dict[str, Any]], chosen: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for step in reversed(path):
        chosen = [{"name": step["name"], "type": step["type"], "options": chosen}]
    return chosen


def _named(options: list[dict[str, Any]], name: str) -> dict[str, Any]:
    for option in options:
        if option["name"] == name:
            return option
    raise LookupError(f"no option {name!r} among {[option['name'] for option in options]}")


def _filled(options: list[dict[str, Any]], name: str, value: object, resolved: Resolved) -> dict[str, Any]:
    option = _named(options, name)
    kind = option["type"]
    sent: object = value
    if kind == 3:
        sent = _text(option, str(value))
    elif kind in {4, 10}:
        sent = _number(option, value)
    elif kind == 5:
        sent = bool(value)
    elif kind in {6, 7, 8, 9}:
        sent = resolved.add(value)
    else:
        raise LookupError(f"options of type {kind} are not for the sandbox")
    return {"name": name, "type": kind, "value": sent}


def _text(option: dict[str, Any], value: str) -> object:
    if not option.get("min_length", 0) <= len(value) <= option.get("max_length", 6000):
        raise ValueError(f"the option {option['name']} has a length out of bounds")
    return _chosen(option, value)


def _number(option: dict[str, Any], value: object) -> object:
    value = _chosen(option, value)
    if not isinstance(value, int | float):
        raise ValueError(f"the option {option['name']} takes a number")  # noqa: TRY004  (as the other bounds)
    low, high = option.get("min_value", float("-inf")), option.get("max_value", float("inf"))
    if not low <= value <= high:
        raise ValueError(f"the option {option['name']} is not between {low} and {high}")
    return value


def _chosen(option: dict[str, Any], value: object) -> object:
    choices = option.get("choices")
    if not choices:
        return value
    for choice in choices:
        if value in (choice["value"], choice["name"]):
            return choice["value"]
    raise ValueError(f"the option {option['name']} takes one of {[choice['name'] for choice in choices]}")
