"""The process that draws one picture: it reads the facts from standard input and writes a PNG to standard output.

It imports only what drawing needs. It does not outlive its parent process: then its input ends, or its output breaks.
"""

import pickle
import resource
import sys

from bot.views.digest.canvas import draw_digest

MEMORY_BYTES = 1 << 30
"""The most address space; drawing takes a fifth of it."""
CPU_SECONDS = 60


def limit(kind: int, most: int) -> None:
    """Lower a limit of this process; one that is lower already stays."""
    soft, hard = resource.getrlimit(kind)
    allowed = min((most, *(one for one in (soft, hard) if one != resource.RLIM_INFINITY)))
    resource.setrlimit(kind, (allowed, allowed))


if __name__ == "__main__":
    limit(resource.RLIMIT_AS, MEMORY_BYTES)
    limit(resource.RLIMIT_CPU, CPU_SECONDS)
    limit(resource.RLIMIT_CORE, 0)
    facts = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the parent process
    sys.stdout.buffer.write(draw_digest(facts))
