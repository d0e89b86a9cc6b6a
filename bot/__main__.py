"""The way in: `spade`, and `python -m bot`, which is the same.

Nothing of Spade is loaded before `main` asks for it: that takes a second, and Ctrl-C must be as calm then as later.
"""

import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

from bot.cli.failure import INTERRUPTED


def main() -> NoReturn:
    """Run the command that the process was started with, and exit with its status.

    Ctrl-C is the command's own business while it runs; before and after it, the process just ends.
    """
    heeds = signal.getsignal(signal.SIGINT) is not signal.SIG_IGN  # as it is in the background of a script
    if heeds:
        signal.signal(signal.SIGINT, _leave)
    from bot.cli.main import run_command  # noqa: PLC0415 - see above

    try:
        if heeds:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        status = run_command()
        if heeds:
            signal.signal(signal.SIGINT, _leave)
    except KeyboardInterrupt:  # in the moment before a command began, or after it ended
        _leave()
    sys.exit(status)


def _leave(*_: object) -> NoReturn:
    with suppress(OSError):
        os.write(2, b"spade: stopped\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
