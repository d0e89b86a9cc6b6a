"""The lock file that keeps a second writer away from a database file."""

import fcntl
import os
from pathlib import Path


class WriterLock:
    """An advisory lock on a file beside the database; the system frees it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False when another process holds it."""
        descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.truncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return True

    def holder(self) -> str:
        """The process id that the holder wrote down, or "unknown"."""
        try:
            return self._path.read_text(encoding="ascii").strip() or "unknown"
        except OSError:
            return "unknown"

    def release(self) -> None:
        """Give the lock back; doing so twice does nothing more."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
