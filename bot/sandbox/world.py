"""The whole world of a sandbox."""

from __future__ import annotations

from bot.sandbox.threads import Threads


class World(Threads):
    """Guilds, people, channels, threads and messages of one sandbox.

    Its methods are what happens on Discord: each changes the state at once and tells connected sessions of
    the bot, as far as their intents and the bot's permissions reach. Nothing here waits.
    """
