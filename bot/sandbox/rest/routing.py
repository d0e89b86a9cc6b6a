"""Routes of the REST API and their handlers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.rest.call import Call


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status other than 200 or 204."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the REST API; `open` ones need no token in the header."""

    method: str
    template: str
    serve: Callable[[Call], object]
    open: bool = False


class Routes:
    """Collects the routes of one resource; use `add` as a decorator.

    A handler returns JSON (200), None (204) or a `Reply`.
    """

    def __init__(self) -> None:
        self.all: list[Route] = []

    def add(
        self,
        method: str,
        template: str,
        *,
        open: bool = False,  # noqa: A002  (the route's own word)
    ) -> Callable[[Callable[[Call], object]], Callable[[Call], object]]:
        """Register the decorated handler for a method and a route template."""

        def register(serve: Callable[[Call], object]) -> Callable[[Call], object]:
            self.all.append(Route(method, template, serve, open))
            return serve

        return register
