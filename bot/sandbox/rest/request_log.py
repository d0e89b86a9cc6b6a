"""A log of the requests the bot has sent to the REST API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One REST request and the status of its answer; 0 if it was never answered."""

    method: str
    route: str
    path: str
    status: int


class RequestLog:
    """All requests so far, in order."""

    def __init__(self) -> None:
        self._all: list[LoggedRequest] = []

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[LoggedRequest]:
        return iter(self._all)

    def add(self, request: LoggedRequest) -> None:
        """Append a request."""
        self._all.append(request)

    def count(self, method: str | None = None, route: str | None = None, status: int | None = None) -> int:
        """Count requests by method, route template (exactly) and status."""
        return sum(
            (method is None or request.method == method)
            and (route is None or request.route == route)
            and (status is None or request.status == status)
            for request in self._all
        )
