"""The lock file that excludes a second writer from a database file, and shows whether the last one ended properly.

The library filelock takes such a lock, but offers neither the shared look at it nor what its last holder left in it.
"""

import fcntl
import os
import time
from pathlib import Path

_TRIES = 3
_PAUSE_SECONDS = 0.01


class WriterLock:
    """An advisory lock on a file beside the database; the system releases it when the process ends, even if killed.

    The file contains the holder's process id, which is removed on release. If a free lock still contains one, its
    holder was killed or the machine was switched off; after `acquire`, `abandoned` is True in that case.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self.abandoned = False

    def acquire(self) -> bool:
        """Take the lock; False if another process holds it."""
        while True:
            descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
            if not any(self._taken(descriptor) for _ in range(_TRIES)):
                os.close(descriptor)
                return False
            if self._is_in_place(descriptor):
                break
            os.close(descriptor)  # deleted since it was opened: it would keep nobody out
        self.abandoned = os.fstat(descriptor).st_size > 0
        os.truncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return True

    def keep(self) -> bool:
        """Take the lock again if its file was deleted or replaced meanwhile; False if another process has it now."""
        if self._descriptor is None or self._is_in_place(self._descriptor):
            return True
        former, abandoned = self._descriptor, self.abandoned
        if not self.acquire():
            return False
        os.close(former)
        self.abandoned = abandoned
        return True

    def _is_in_place(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except OSError:
            return False

    def _taken(self, descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)  # the other process may be in `look`, which takes a moment
            return False
        return True

    def look(self) -> bool:
        """Whether the lock is free and its last holder did not end properly; does not take the lock."""
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
        """The process id in the file, or "unknown"."""
        try:
            return self._path.read_text(encoding="ascii").strip() or "unknown"
        except OSError:
            return "unknown"

    def release(self) -> None:
        """Release the lock; idempotent. While it is `abandoned`, the process id stays in the file."""
        if self._descriptor is not None:
            if not self.abandoned:
                os.truncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None
