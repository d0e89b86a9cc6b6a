"""An end that was to be expected."""

from pathlib import Path

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


def unwritable(path: Path, error: OSError) -> Failure:
    """A file that a command was to write and could not."""
    if isinstance(error, FileNotFoundError):
        reason = f"the folder {path.parent} does not exist; make it first"
    elif isinstance(error, FileExistsError | NotADirectoryError):
        reason = f"{path.parent} is no folder; name one"
    elif isinstance(error, IsADirectoryError):
        reason = "it is a folder; name a file"
    else:
        reason = error.strerror or str(error)
    return Failure(f"{path} cannot be written: {reason}")
