"""A page on loopback on which people use a sandbox as they would a chat client."""

from bot.sandbox.page.page import Page, Viewer

__all__ = ["Page", "Viewer"]
