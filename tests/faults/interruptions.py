"""When a bot was interrupted, and what of deleted messages was on record then."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

JUST_BEFORE = 0.5
"""An event this shortly before an interruption may have been lost with the connection."""
WRITTEN_WITHIN = 1.0
"""How long it takes at most until a received delete is on record, if nothing interrupts and the machine is not busy."""
LATE = 10.0
"""The same if it is; but then what was to be taken back is still on record when the bot is interrupted."""


class Interruptions:
    """Notes each interruption of a bot with that database, to tell which deletes it may not have honoured."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._noted: list[tuple[float, frozenset[int]]] = []

    def note(self) -> None:
        """The bot is about to be interrupted, or has been."""
        self._noted.append((time.monotonic(), self._with_facts()))

    def _with_facts(self) -> frozenset[int]:
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT message_id FROM touch UNION SELECT message_id FROM waiting")
            return frozenset(message_id for (message_id,) in found)

    def hit(self, message_id: int, at: float) -> bool:
        """Whether a message's delete, sent `at` a time of the monotonic clock, may have been lost or not be written."""
        for moment, with_facts in self._noted:
            if at - JUST_BEFORE <= moment <= at + (LATE if message_id in with_facts else WRITTEN_WITHIN):
                return True
        return False
