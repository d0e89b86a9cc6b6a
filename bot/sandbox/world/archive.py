"""The archive of threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.world.intents import Intent
from bot.sandbox.world.payloads import channel_payload

if TYPE_CHECKING:
    from bot.sandbox.world.entities import Channel
    from bot.sandbox.world.events import Events
    from bot.sandbox.world.state import State


class ThreadArchive:
    """Archives threads and takes them out again; each call sends THREAD_UPDATE.

    `locked` says whether only moderators may reopen the thread; None leaves that as it is.
    """

    def __init__(self, state: State, events: Events) -> None:
        self._state = state
        self._events = events

    def add(self, thread: Channel | int, *, locked: bool | None = None) -> None:
        """Archive a thread."""
        self._set(thread, archived=True, locked=locked)

    def remove(self, thread: Channel | int, *, locked: bool | None = None) -> None:
        """Take a thread out of the archive."""
        self._set(thread, archived=False, locked=locked)

    def _set(self, thread: Channel | int, *, archived: bool, locked: bool | None) -> None:
        thread = self._state.channel(thread)
        thread.archived = archived
        thread.archived_at = self._state.now()
        thread.locked = thread.locked if locked is None else locked
        self._events.emit("THREAD_UPDATE", Intent.GUILDS, channel_payload(self._state, thread), channel=thread)
