"""Sessions: periods in which no event can have been missed."""

from bot.services.recent import Recent

_GUILDS = 1000
"""How many guilds' interruptions are remembered: many more than can be interrupted while work goes on."""


class Sessions:
    """Numbers the sessions of the connection, and of single guilds within it.

    A session lasts as long as no event can have been missed. An interruption ends it, for everything or for one
    guild, and the next session has a higher number. What was seen in a session that has ended may be out of date.
    """

    def __init__(self) -> None:
        self._current = 0
        self._all_interrupted_at = 0
        self._interrupted_at: Recent[int, int] = Recent(_GUILDS)

    @property
    def current(self) -> int:
        """The number of the newest session."""
        return self._current

    def advance(self) -> int:
        """Begin a session and return its number; those before it go on for whatever is not interrupted by it."""
        self._current += 1
        return self._current

    def interrupt(self, guild_id: int | None = None) -> None:
        """End the session of one guild, or of everything if `guild_id` is None, and begin the next."""
        session = self.advance()
        if guild_id is None:
            self._all_interrupted_at = session
        else:
            self._interrupted_at[guild_id] = session

    def uninterrupted(self, session: int, guild_id: int | None = None) -> bool:
        """Whether neither the connection nor, if given, the guild was interrupted since `session`."""
        guild_at = 0 if guild_id is None else self._interrupted_at.get(guild_id) or 0
        return session >= max(self._all_interrupted_at, guild_at)
