"""One request and its answer, for observers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, as observers get them."""

    method: str
    template: str
    path: str
    query: Mapping[str, str]
    request: Any
    status: int
    response: Any
