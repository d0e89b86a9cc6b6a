"""The entry point of `spade` and of `python -m bot`.

The commands are imported inside `main`: the import takes about a second, and Ctrl-C must end it without a traceback.
"""

import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

from bot.cli.failure import INTERRUPTED


def main() -> NoReturn:
    """Run the command that the process was started with, and exit with its status.

    While the command runs, it handles Ctrl-C itself. Before and after that, Ctrl-C ends the process at once.
    """
    handles_interrupt = (
        signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
    )  # a shell script ignores it for background jobs
    if handles_interrupt:
        signal.signal(signal.SIGINT, _stop)
    from bot.cli.main import run_command  # noqa: PLC0415 - see above

    try:
        if handles_interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        status = run_command()
        if handles_interrupt:
            signal.signal(signal.SIGINT, _stop)
    except KeyboardInterrupt:  # just before the command began, or just after it ended
        _stop()
    sys.exit(status)


def _stop(*_: object) -> NoReturn:
    with suppress(OSError):
        os.write(2, b"spade: stopped\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
