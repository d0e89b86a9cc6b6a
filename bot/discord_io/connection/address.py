"""Which Discord the bot talks to: the real one, or a sandbox on this machine."""

from ipaddress import ip_address
from urllib.parse import urlsplit

import discord
from discord.gateway import DiscordWebSocket
from yarl import URL


def require_loopback(address: str) -> str:
    """The address without a slash at its end; ValueError with a sentence unless it names this machine.

    A bot token must not be sent anywhere else by a mistyped address.
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        on_loopback = host == "localhost" or ip_address(host).is_loopback
        port = parts.port
    except ValueError:
        on_loopback, port = False, None
    if parts.scheme != "http" or not on_loopback or port is None or "@" in parts.netloc:
        raise ValueError(
            f"{address!r} is no sandbox on this machine: write an address like http://127.0.0.1:8080 "
            "(without --discord-url, Spade talks to Discord)"
        )
    # Built from the parts that were checked, so that no other parser can read another host in it.
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def point_at(address: str) -> None:
    """Make every client of this process talk to a sandbox; see `require_loopback`."""
    sandbox = require_loopback(address)
    discord.http.Route.BASE = f"{sandbox}/api/v10"
    DiscordWebSocket.DEFAULT_GATEWAY = URL(sandbox.replace("http", "ws", 1) + "/gateway")
