"""The application's registered commands, global and per guild."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.bodies.errors import ApiError, Problems
from bot.sandbox.bodies.limits import note_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.sandbox.world.state import State

MOST_OF_A_KIND = {1: 100, 2: 15, 3: 15}


class Commands:
    """Command definitions as Discord returns them, per guild id; the id None stands for the global ones."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._scopes: dict[int | None, dict[int, dict[str, Any]]] = {None: {}}

    def all(self, guild_id: int | None = None) -> list[dict[str, Any]]:
        """Return the commands of one scope."""
        return list(self._scopes.get(guild_id, {}).values())

    def available(self, guild_id: int | None) -> list[dict[str, Any]]:
        """Return the commands that can be used: the guild's, then the global ones of other names."""
        own = self.all(guild_id) if guild_id is not None else []
        taken = {(command["type"], command["name"]) for command in own}
        return own + [c for c in self.all() if (c["type"], c["name"]) not in taken]

    def find(self, guild_id: int | None, name: str, kind: int) -> dict[str, Any]:
        """Return a command a person can see.

        Raises:
            LookupError: If there is none of this name and kind, or it is not for this kind of channel.
        """
        known = [c for c in self.available(guild_id) if c["type"] == kind]
        for command in known:
            if command["name"] != name:
                continue
            contexts = command.get("contexts")
            if guild_id is None and contexts is None and command.get("dm_permission") is False:
                raise LookupError(f"/{name} is not for DMs")
            if contexts is not None and (0 if guild_id is not None else 1) not in contexts:
                raise LookupError(f"/{name} is not for this kind of channel")
            return command
        raise LookupError(f"no command {name!r} among {sorted(c['name'] for c in known)}")

    def get(self, guild_id: int | None, command_id: int) -> dict[str, Any]:
        """Return one command.

        Raises:
            ApiError: 10063 if there is none.
        """
        command = self._scopes.get(guild_id, {}).get(command_id)
        if command is None:
            raise ApiError(10063)
        return command

    def upsert(self, guild_id: int | None, definition: dict[str, Any]) -> dict[str, Any]:
        """Add a command, or overwrite the one of the same name and type.

        Raises:
            ApiError: 50035 if the definition breaks a limit.
        """
        self._check([definition])
        return self._store(guild_id, definition)

    def overwrite(self, guild_id: int | None, definitions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Replace all commands of a scope; those of the same name and type keep their ids.

        Raises:
            ApiError: 50035 if a definition breaks a limit; nothing is changed then.
        """
        self._check(definitions)
        before = self._scopes.get(guild_id, {})
        self._scopes[guild_id] = {}
        stored = [self._store(guild_id, definition, before) for definition in definitions]
        for kind, limit in MOST_OF_A_KIND.items():
            if sum(command["type"] == kind for command in stored) > limit:
                self._scopes[guild_id] = before
                problems = Problems()
                problems.add((), "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")
                problems.raise_if_any()
        return stored

    def edit(self, guild_id: int | None, command_id: int, changes: dict[str, Any]) -> dict[str, Any]:
        """Change some keys of a command.

        Raises:
            ApiError: 10063 if there is none, 50035 if the result breaks a limit.
        """
        return self.upsert(guild_id, self.get(guild_id, command_id) | changes)

    def delete(self, guild_id: int | None, command_id: int) -> None:
        """Remove a command.

        Raises:
            ApiError: 10063 if there is none.
        """
        self.get(guild_id, command_id)
        del self._scopes[guild_id][command_id]

    def _check(self, definitions: Sequence[dict[str, Any]]) -> None:
        problems = Problems()
        seen: set[tuple[object, object]] = set()
        for index, definition in enumerate(definitions):
            at: tuple[str | int, ...] = (index,) if len(definitions) > 1 else ()
            note_command(problems, at, definition)
            key = (definition.get("type") or 1, definition.get("name"))
            if key in seen:
                problems.add((*at, "name"), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Name must be unique")
            seen.add(key)
        problems.raise_if_any()

    def _store(
        self,
        guild_id: int | None,
        definition: dict[str, Any],
        before: dict[int, dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        scope = self._scopes.setdefault(guild_id, {})
        kind = definition.get("type") or 1
        earlier = [*(before or {}).values(), *scope.values()]
        same = [c for c in earlier if c["name"] == definition["name"] and c["type"] == kind]
        allowed = definition.get("default_member_permissions")
        command: dict[str, Any] = {
            "id": same[0]["id"] if same else str(self._state.ids.make()),
            "application_id": str(self._state.application_id),
            "version": str(self._state.ids.make()),
            "default_member_permissions": None if allowed is None else str(allowed),
            "type": kind,
            "name": definition["name"],
            "name_localizations": definition.get("name_localizations"),
            "description": definition.get("description") or "",
            "description_localizations": definition.get("description_localizations"),
            "dm_permission": definition.get("dm_permission", True) is not False,
            "contexts": definition.get("contexts"),
            "integration_types": definition.get("integration_types") or [0],
            "nsfw": bool(definition.get("nsfw")),
        }
        if definition.get("options"):
            command["options"] = [_option(option) for option in definition["options"]]
        if guild_id is not None:
            command["guild_id"] = str(guild_id)
        scope[int(command["id"])] = command
        return command


def _option(given: dict[str, Any]) -> dict[str, Any]:
    option = {key: value for key, value in given.items() if value is not None}
    if option.get("options"):
        option["options"] = [_option(inner) for inner in option["options"]]
    elif "options" in option and option["type"] not in {1, 2}:
        del option["options"]
    return option
