"""The lock file that keeps a second writer away from a database file, and shows whether the last one ended properly."""

import fcntl
import os
import time
from pathlib import Path

_TRIES = 3
_PAUSE_SECONDS = 0.01


class WriterLock:
    """An advisory lock on a file beside the database; the system frees it when the process ends, however it ends.

    The holder's process id stands in the file and is taken out on release. Whoever takes a free lock and finds one
    knows that its holder was killed, or that the machine was switched off: see `abandoned`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self.abandoned = False

    def acquire(self) -> bool:
        """Take the lock; False when another process holds it."""
        descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        if not any(self._taken(descriptor) for _ in range(_TRIES)):
            os.close(descriptor)
            return False
        self.abandoned = os.fstat(descriptor).st_size > 0
        os.truncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return True

    def _taken(self, descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)  # somebody may only be looking
            return False
        return True

    def look(self) -> bool:
        """Without taking the lock: whether nobody holds it and its last holder did not end properly."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return os.fstat(descriptor).st_size > 0
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)

    def holder(self) -> str:
        """The process id that the holder wrote down, or "unknown"."""
        try:
            return self._path.read_text(encoding="ascii").strip() or "unknown"
        except OSError:
            return "unknown"

    def release(self) -> None:
        """Give the lock back; doing so twice does nothing more. While it is `abandoned`, the file goes on saying so."""
        if self._descriptor is not None:
            if not self.abandoned:
                os.truncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None
