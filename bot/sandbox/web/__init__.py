"""A web page on loopback through which people use a sandbox as they would a chat client."""

from bot.sandbox.web.page import Viewer, WebPage

__all__ = ["Viewer", "WebPage"]
