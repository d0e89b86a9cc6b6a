"""Access control: requests with the key, from this machine, and not from another site through the browser."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # The address holds the key: it goes to no other site. (With no-referrer, forms would lose their Origin.)
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})


def knows_key(request: web.Request, key: str) -> bool:
    """Whether the path begins with the key; compared in constant time."""
    given = request.path.split("/", 2)[1]
    return hmac.compare_digest(given.encode(errors="replace"), key.encode())


def is_addressed_to_loopback(request: web.Request) -> bool:
    """Whether the Host header names this machine; this prevents DNS rebinding."""
    name, _, port = request.host.rpartition(":")
    return (name if port.isdecimal() else request.host) in _LOOPBACK


def is_same_origin(request: web.Request) -> bool:
    """Whether a POST comes from the page itself, by the headers that browsers send."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    return request.headers.get("Origin") == f"http://{request.host}" and site == "same-origin"
