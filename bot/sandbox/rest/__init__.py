"""The REST API v10, one module per resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.rest import (
    application,
    channels,
    guilds,
    members,
    messages,
    pins,
    reactions,
    threads,
    users,
    webhooks,
)

if TYPE_CHECKING:
    from bot.sandbox.rest.routing import Route

# Fixed words before parameters at the same place: the first match serves.
ROUTES: list[Route] = [
    *application.routes.all,
    *users.routes.all,
    *guilds.routes.all,
    *members.routes.all,
    *pins.routes.all,
    *reactions.routes.all,
    *messages.routes.all,
    *threads.routes.all,
    *channels.routes.all,
    *webhooks.routes.all,
]
