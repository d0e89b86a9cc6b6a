"""Selects and the inputs of modals, filled in as a client sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.world.entities import Channel, Member, Role, User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.sandbox.clients.options import Resolved


def sent_value(menu: dict[str, Any], value: object, resolved: Resolved) -> str:
    """Return the value that a client sends for a choice: an option by value or label, or the id of an entity.

    Raises:
        LookupError: If the select does not offer it.
    """
    if menu["type"] == 3:
        for option in menu["options"]:
            if value in (option["value"], option["label"]):
                return str(option["value"])
        raise LookupError(f"no option {value!r} among {[option['label'] for option in menu['options']]}")
    return resolved.add(value)


def filled_in(item: dict[str, Any], given: Mapping[Any, Any], resolved: Resolved) -> dict[str, Any]:
    """Return a component of a modal as a client submits it, with the values given by custom_id.

    Raises:
        LookupError: If a select does not offer a value.
        ValueError: If a required text is missing or a text has a length out of bounds.
    """
    filled: dict[str, Any] = {"type": item["type"], "id": item["id"]}
    if "components" in item:
        filled["components"] = [filled_in(child, given, resolved) for child in item["components"]]
    if isinstance(item.get("component"), dict):
        filled["component"] = filled_in(item["component"], given, resolved)
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
    filled["values"] = [sent_value(item, one, resolved) for one in value]
    return filled
