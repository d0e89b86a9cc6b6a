"""What people do at their clients: write, run commands, press buttons, choose, fill in modals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.clients.inputs import filled_in, sent_value
from bot.sandbox.clients.options import Resolved, command_data, command_options, focused_options
from bot.sandbox.clients.sender import InteractionSender
from bot.sandbox.world.entities import Channel, Member, MessageType, PostedMessage, User
from bot.sandbox.world.permissions import Permission, guild_permissions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.sandbox.gateway.gateway import Gateway
    from bot.sandbox.interactions.commands import Commands
    from bot.sandbox.interactions.interactions import Interactions
    from bot.sandbox.interactions.responses import Response
    from bot.sandbox.world.world import World


class People:
    """What a person can do in a client, and nothing else.

    Things a client would not offer (an unknown command, a disabled button, a missing option) raise
    LookupError or ValueError at once; then nothing is sent to the bot. Each method that
    sends something returns a `Response` immediately; wait on that. `sender` sends what no client would offer.
    """

    def __init__(self, world: World, commands: Commands, interactions: Interactions, gateway: Gateway) -> None:
        self.sender = InteractionSender(world, interactions, gateway, self)
        self._world = world
        self._state = world.state
        self._commands = commands

    def write(self, user: User | Member | int, content: str, **details: Any) -> PostedMessage:
        """Write to the bot in the user's DM with it; the details are those of `Messages.draft`."""
        return self._world.messages.post(self._world.dms.channel_with(user), user, content, **details)

    async def run_command(
        self,
        user: User | Member | int,
        channel: Channel | int,
        name: str,
        options: Mapping[str, object] | None = None,
        subcommands: Sequence[str] = (),
    ) -> Response:
        """Run a slash command; options are plain values or users, members, channels, roles."""
        user, channel = self._state.user(user), self._state.channel(channel)
        command = self._usable(user, channel, name, 1)
        resolved = Resolved(self._state, channel)
        chosen = command_options(command, options or {}, subcommands, resolved)
        data = command_data(command, resolved)
        if chosen:
            data["options"] = chosen
        return self.sender.send(2, user, channel, data, name=" ".join((name, *subcommands)))

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
        """Type into an option with suggestions; they come as `choices` of the response."""
        user, channel = self._state.user(user), self._state.channel(channel)
        command = self._usable(user, channel, name, 1)
        resolved = Resolved(self._state, channel)
        chosen = focused_options(command, options or {}, subcommands, resolved, (focused, typed))
        data = command_data(command, resolved) | {"options": chosen}
        return self.sender.send(4, user, channel, data, name=name)

    async def run_context_menu(
        self,
        user: User | Member | int,
        channel: Channel | int,
        name: str,
        target: User | Member | PostedMessage,
    ) -> Response:
        """Run a context menu command on a user or a message."""
        user, channel = self._state.user(user), self._state.channel(channel)
        resolved = Resolved(self._state, channel)
        if isinstance(target, PostedMessage):
            command = self._usable(user, channel, name, 3)
            resolved.add_message(target)
        else:
            command = self._usable(user, channel, name, 2)
            resolved.add_user(target.id)
        data = command_data(command, resolved) | {"target_id": str(target.id)}
        response = self.sender.send(2, user, channel, data, name=name)
        response.message_type = MessageType.CONTEXT_MENU_COMMAND
        return response

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
        resolved = Resolved(self._state, self._state.channels[message.channel_id])
        data: dict[str, Any] = {"values": [sent_value(menu, value, resolved) for value in values]}
        if menu["type"] != 3:
            data["resolved"] = resolved.payload()
        return self._component(user, message, menu, data)

    async def submit_modal(self, opened: Response, values: Mapping[str, Any]) -> Response:
        """Submit the modal a response opened; `values` by the inputs' custom_id or label."""
        if opened.modal is None:
            raise LookupError("no modal was opened")
        inputs = {item["custom_id"]: item for item in opened.inputs()}
        labels = {item.get("label"): key for key, item in inputs.items()}
        given = {key if key in inputs else labels.get(key): value for key, value in values.items()}
        if None in given:
            raise LookupError(f"the modal has the inputs {sorted(inputs)}")
        resolved = Resolved(self._state, opened.channel)
        filled = [filled_in(item, given, resolved) for item in opened.modal["components"]]
        data = {"custom_id": opened.modal["custom_id"], "components": filled, "resolved": resolved.payload()}
        return self.sender.send(5, opened.user, opened.channel, data, source=opened.source)

    def offered(self, user: User | Member | int, channel: Channel | int, kind: int) -> list[dict[str, Any]]:
        """Return the commands of a kind (1 slash, 2 on users, 3 on messages) that a client would show there."""
        user, channel = self._state.user(user), self._state.channel(channel)
        found = []
        for command in self._commands.available(channel.guild_id):
            if command["type"] == kind:
                try:
                    found.append(self._usable(user, channel, command["name"], kind))
                except LookupError:
                    continue
        return found

    # What a client checks first

    def _usable(self, user: User, channel: Channel, name: str, kind: int) -> dict[str, Any]:
        command = self._commands.find(channel.guild_id, name, kind)
        needed = command["default_member_permissions"]
        guild = self._state.guild_of(channel)
        if guild is not None:
            if user.id not in guild.members or not self._state.permissions_of(user, channel):
                raise LookupError(f"{user.name} does not see {channel.name}")
            has = guild_permissions(guild, guild.members[user.id])
            wanted = int(needed or 0) or int(Permission.ADMINISTRATOR)  # "0" leaves administrators alone
            if needed is not None and has & wanted != wanted:
                raise LookupError(f"{user.name} is not offered /{name}")
        elif channel.recipient is not user:
            raise LookupError(f"this is not {user.name}'s DM")
        return command

    def _component(
        self, user: User | Member | int, message: PostedMessage, item: dict[str, Any], extra: dict[str, Any]
    ) -> Response:
        user, channel = self._state.user(user), self._state.channel(message.channel_id)
        guild = self._state.guild_of(channel)
        if guild is None and channel.recipient is not user:
            raise LookupError(f"{user.name} does not see this DM")
        if message.ephemeral and (message.interaction_metadata or {})["user"]["id"] != str(user.id):
            raise LookupError(f"{user.name} does not see this ephemeral message")
        if guild is not None and not self._state.permissions_of(user, channel) & Permission.VIEW_CHANNEL:
            raise LookupError(f"{user.name} does not see {channel.name}")
        data = {"custom_id": item["custom_id"], "component_type": item["type"], "id": item["id"]} | extra
        return self.sender.send(3, user, channel, data, source=message)
