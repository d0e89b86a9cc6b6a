"""What the bot has asked of the REST API."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Request:
    """One REST request the sandbox has answered; status 0 when it never did."""

    method: str
    route: str
    path: str
    status: int


class RequestLog:
    """All requests so far, in order."""

    def __init__(self) -> None:
        self._all: list[Request] = []

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Request]:
        return iter(self._all)

    def add(self, request: Request) -> None:
        """Note a request."""
        self._all.append(request)

    def count(self, method: str | None = None, route: str | None = None, status: int | None = None) -> int:
        """Count requests by method, route template (exactly) and status."""
        return sum(
            (method is None or request.method == method)
            and (route is None or request.route == route)
            and (status is None or request.status == status)
            for request in self._all
        )

    def by_route(self) -> Counter[tuple[str, str, int]]:
        """Return how many requests each method, route template and status had."""
        return Counter((request.method, request.route, request.status) for request in self._all)
