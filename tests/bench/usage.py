"""The memory and the threads of this process. It imports next to nothing: what measures must not weigh."""

import os
import resource
import sys
from pathlib import Path

_PAGE = resource.getpagesize()


def peak_memory() -> int:
    """The most memory that this process has had, in bytes; where the system tells, without that of its parent."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return in_bytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def resident_memory() -> int:
    """The memory that this process has now, in bytes; where the system does not tell, the most that it has had."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except OSError:
        return peak_memory()


def threads() -> int:
    """How many threads this process has; 0 where the system does not tell."""
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - a number is all
    except OSError:
        return 0


def in_bytes(used: int) -> int:
    """A peak as the system tells it, in bytes."""
    return used if sys.platform == "darwin" else used * 1024
