"""The custom ids of a message's buttons and menus, as far as they can be read."""

from collections.abc import Iterator, Mapping
from typing import Any


def custom_ids(raw: Mapping[str, Any]) -> Iterator[str | None]:
    """The custom ids of a message's components; None for each place where one may be and cannot be read."""
    yield from _within(raw.get("components"))


def _within(components: object) -> Iterator[str | None]:
    if not isinstance(components, list):
        yield None
        return
    for one in components:
        if not isinstance(one, dict):
            yield None
            continue
        if "custom_id" in one:
            yield one["custom_id"] if isinstance(one["custom_id"], str) else None
        if "components" in one:
            yield from _within(one["components"])
