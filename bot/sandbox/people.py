"""People at their clients: they write, run commands, press, choose, and fill in forms."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bot.sandbox.entities import Channel, Member, MessageType, PostedMessage, Role, User
from bot.sandbox.options import Resolved, command_options, focused_options
from bot.sandbox.payloads import (
    channel_payload,
    message_event,
    message_payload,
    permissions_text,
    user_payload,
)
from bot.sandbox.permissions import ALL, Permission, guild_permissions
from bot.sandbox.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.sandbox.commands import Commands
    from bot.sandbox.gateway import Gateway
    from bot.sandbox.interactions import Interactions
    from bot.sandbox.world import World


class People:
    """What a person could do in a client, and nothing else.

    Things a client would not offer (an unknown command, a disabled button, a missing option) raise
    LookupError or ValueError at once; nothing reaches the bot then. Each method returns an `Response`
    immediately; wait on that.
    """

    def __init__(self, world: World, commands: Commands, interactions: Interactions, gateway: Gateway) -> None:
        self._world = world
        self._commands = commands
        self._interactions = interactions
        self._gateway = gateway

    def write(self, user: User | Member | int, content: str, **details: Any) -> PostedMessage:
        """Write to the bot in the user's DM with it; the details are those of `World.draft`."""
        return self._world.post(self._world.dm_with(user), user, content, **details)

    async def run_command(
        self,
        user: User | Member | int,
        channel: Channel | int,
        name: str,
        options: Mapping[str, object] | None = None,
        subcommands: Sequence[str] = (),
    ) -> Response:
        """Run a slash command; options are plain values or users, members, channels, roles."""
        user, channel = self._world.user(user), self._world.channel(channel)
        command = self._usable(user, channel, name, 1)
        resolved = Resolved(self._world, channel)
        chosen = command_options(command, options or {}, subcommands, resolved)
        data = self._command_data(command, resolved)
        if chosen:
            data["options"] = chosen
        return self._open(2, user, channel, data, name=" ".join((name, *subcommands)))

    async def autocomplete(
        self,
        user: User | Member | int,
        channel: Channel | int,
        name: str,
        focused: str,
        typed: str = "",
        options: Mapping[str, object] | None = None,
        subcommands: Sequence[str] = (),
    ) -> Response:
        """Type into an option with suggestions; they come as `choices` of the answer."""
        user, channel = self._world.user(user), self._world.channel(channel)
        command = self._usable(user, channel, name, 1)
        resolved = Resolved(self._world, channel)
        chosen = focused_options(command, options or {}, subcommands, resolved, (focused, typed))
        data = self._command_data(command, resolved) | {"options": chosen}
        return self._open(4, user, channel, data, name=name)

    async def run_context_menu(
        self,
        user: User | Member | int,
        channel: Channel | int,
        name: str,
        target: User | Member | PostedMessage,
    ) -> Response:
        """Run a context menu command on a user or a message."""
        user, channel = self._world.user(user), self._world.channel(channel)
        resolved = Resolved(self._world, channel)
        if isinstance(target, PostedMessage):
            command = self._usable(user, channel, name, 3)
            resolved.add_message(target)
        else:
            command = self._usable(user, channel, name, 2)
            resolved.add_user(target.id)
        data = self._command_data(command, resolved) | {"target_id": str(target.id)}
        answer = self._open(2, user, channel, data, name=name)
        answer.message_type = MessageType.CONTEXT_MENU_COMMAND
        return answer

    async def press(self, user: User | Member | int, message: PostedMessage, label_or_id: str) -> Response:
        """Press a button by its label or custom_id."""
        button = message.button(label_or_id)
        if button.get("disabled") or "custom_id" not in button:
            raise LookupError(f"the button {label_or_id!r} is disabled or a link")
        return self._component(user, message, button, {})

    async def select(
        self,
        user: User | Member | int,
        message: PostedMessage,
        values: Sequence[object],
        *,
        custom_id: str | None = None,
    ) -> Response:
        """Choose in a select: values (or labels) of its options, or users, roles, channels."""
        menus = [item for item in message.controls() if item["type"] != 2]
        menus = [item for item in menus if custom_id in (None, item["custom_id"])]
        if not menus:
            raise LookupError(f"no select {custom_id or ''} on the message")
        menu = menus[0]
        if menu.get("disabled"):
            raise LookupError("the select is disabled")
        if not menu["min_values"] <= len(values) <= menu["max_values"]:
            raise ValueError(f"choose {menu['min_values']} to {menu['max_values']} values")
        resolved = Resolved(self._world, self._world.channels[message.channel_id])
        data: dict[str, Any] = {"values": [_choice(menu, value, resolved) for value in values]}
        if menu["type"] != 3:
            data["resolved"] = resolved.payload()
        return self._component(user, message, menu, data)

    async def submit_modal(self, opened: Response, values: Mapping[str, Any]) -> Response:
        """Submit the modal an answer opened; `values` by the inputs' custom_id or label."""
        if opened.modal is None:
            raise LookupError("no modal was opened")
        inputs = {item["custom_id"]: item for item in opened.inputs()}
        labels = {item.get("label"): key for key, item in inputs.items()}
        given = {key if key in inputs else labels.get(key): value for key, value in values.items()}
        if None in given:
            raise LookupError(f"the modal has the inputs {sorted(inputs)}")
        resolved = Resolved(self._world, opened.channel)
        filled = [_filled(item, given, resolved) for item in opened.modal["components"]]
        data = {"custom_id": opened.modal["custom_id"], "components": filled, "resolved": resolved.payload()}
        return self._open(5, opened.user, opened.channel, data, source=opened.source, name=None)

    def offered(self, user: User | Member | int, channel: Channel | int, kind: int) -> list[dict[str, Any]]:
        """Return the commands of a kind (1 slash, 2 on users, 3 on messages) that a client would show there."""
        user, channel = self._world.user(user), self._world.channel(channel)
        found = []
        for command in self._commands.available(channel.guild_id):
            if command["type"] == kind:
                try:
                    found.append(self._usable(user, channel, command["name"], kind))
                except LookupError:
                    continue
        return found

    # How an interaction reaches the bot

    def _usable(self, user: User, channel: Channel, name: str, kind: int) -> dict[str, Any]:
        command = self._commands.find(channel.guild_id, name, kind)
        needed = command["default_member_permissions"]
        guild = self._world.guild_of(channel)
        if guild is not None:
            if user.id not in guild.members or not self._world.permissions_of(user, channel):
                raise LookupError(f"{user.name} does not see {channel.name}")
            has = guild_permissions(guild, guild.members[user.id])
            wanted = int(needed or 0) or int(Permission.ADMINISTRATOR)  # "0" leaves administrators alone
            if needed is not None and has & wanted != wanted:
                raise LookupError(f"{user.name} is not offered /{name}")
        elif channel.recipient is not user:
            raise LookupError(f"this is not {user.name}'s DM")
        return command

    def _command_data(self, command: dict[str, Any], resolved: Resolved) -> dict[str, Any]:
        data: dict[str, Any] = {"id": command["id"], "name": command["name"], "type": command["type"]}
        if "guild_id" in command:
            data["guild_id"] = command["guild_id"]
        if resolved.payload():
            data["resolved"] = resolved.payload()
        return data

    def _component(
        self, user: User | Member | int, message: PostedMessage, item: dict[str, Any], extra: dict[str, Any]
    ) -> Response:
        user, channel = self._world.user(user), self._world.channel(message.channel_id)
        guild = self._world.guild_of(channel)
        if guild is None and channel.recipient is not user:
            raise LookupError(f"{user.name} does not see this DM")
        if message.ephemeral and (message.interaction_metadata or {})["user"]["id"] != str(user.id):
            raise LookupError(f"{user.name} does not see this ephemeral message")
        if guild is not None and not self._world.permissions_of(user, channel) & Permission.VIEW_CHANNEL:
            raise LookupError(f"{user.name} does not see {channel.name}")
        data = {"custom_id": item["custom_id"], "component_type": item["type"], "id": item["id"]} | extra
        return self._open(3, user, channel, data, source=message, name=None)

    def _open(
        self,
        kind: int,
        user: User,
        channel: Channel,
        data: dict[str, Any],
        *,
        source: PostedMessage | None = None,
        name: str | None,
    ) -> Response:
        interaction_id = self._world.ids.make()
        answer = Response(
            interaction_id,
            f"interaction-{interaction_id:x}",
            kind,
            user,
            channel,
            source=source,
            born=asyncio.get_running_loop().time(),
            name=name,
            people=self,
        )
        self._interactions.open(answer)
        if not self._gateway.live:
            answer.error = "The application did not respond (it is not connected)"
        self._world.emit_own("INTERACTION_CREATE", self._payload(answer, data))
        return answer

    def _payload(self, answer: Response, data: dict[str, Any]) -> dict[str, Any]:
        world, channel = self._world, answer.channel
        guild = world.guild_of(channel)
        payload: dict[str, Any] = {
            "id": str(answer.id),
            "application_id": str(world.application_id),
            "type": answer.kind,
            "token": answer.token,
            "version": 1,
            "data": data,
            "channel_id": str(channel.id),
            "channel": channel_payload(world, channel),
            "locale": "en-US",
            "entitlements": [],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": {"0": str(guild.id if guild is not None else 0)},
            "attachment_size_limit": 10 * 1024 * 1024,
            "context": 0 if guild is not None else 1,
            "app_permissions": str(int(ALL)),
        }
        if guild is None:
            payload["user"] = user_payload(answer.user)
        else:
            payload["app_permissions"] = str(int(world.permissions_of(world.bot, channel)))
            payload["guild_id"] = str(guild.id)
            payload["guild_locale"] = guild.locale
            payload["guild"] = {"id": str(guild.id), "locale": guild.locale, "features": []}
            payload["channel"]["permissions"] = str(int(world.permissions_of(answer.user, channel)))
            member = guild.members[answer.user.id]
            payload["member"] = Resolved(world, channel).member(member.id) | {
                "user": user_payload(member.user),
                "permissions": str(int(world.permissions_of(member, channel))),
                "mute": False,
                "deaf": False,
            }
            if not answer.channel.is_thread and not int(payload["member"]["permissions"]):
                payload["member"]["permissions"] = permissions_text(guild, member)
        if answer.source is not None:
            payload["message"] = message_payload(world, answer.source, content=True)
            if not answer.source.ephemeral:
                payload["message"] = message_event(world, answer.source, content=True)
        return payload


def _choice(menu: dict[str, Any], value: object, resolved: Resolved) -> str:
    if menu["type"] == 3:
        for option in menu["options"]:
            if value in (option["value"], option["label"]):
                return str(option["value"])
        raise LookupError(f"no option {value!r} among {[option['label'] for option in menu['options']]}")
    return resolved.add(value)


def _filled(item: dict[str, Any], given: Mapping[Any, Any], resolved: Resolved) -> dict[str, Any]:
    filled: dict[str, Any] = {"type": item["type"], "id": item["id"]}
    if "components" in item:
        filled["components"] = [_filled(child, given, resolved) for child in item["components"]]
    if isinstance(item.get("component"), dict):
        filled["component"] = _filled(item["component"], given, resolved)
    if "custom_id" not in item:
        return filled
    filled["custom_id"] = item["custom_id"]
    value = given.get(item["custom_id"], item.get("value", ""))
    if item["type"] == 4:
        text = str(value)
        if item.get("required", True) and not text:
            raise ValueError(f"the input {item['custom_id']!r} must be filled in")
        if not (item.get("min_length") or 0) <= len(text) <= (item.get("max_length") or 4000):
            raise ValueError(f"the input {item['custom_id']!r} has a length out of bounds")
        filled["value"] = text
        return filled
    if isinstance(value, User | Member | Role | Channel | str | int):
        value = [value] if value != "" else []
    filled["values"] = [_choice(item, one, resolved) for one in value]
    return filled
