"""An end that was to be expected."""

INTERRUPTED = 130
"""The status of a command that Ctrl-C ended, as shells have it."""


class Failure(Exception):  # noqa: N818 -- it is how a command ends, told to a person
    """A command cannot do what it was asked for. `main` shows the message and exits; nobody sees a traceback.

    The message is one sentence that says what is wrong and what to do about it; where there are several things
    to tell, a line each. The status is 1 for what failed, 2 for what was asked in the wrong way.
    """

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
