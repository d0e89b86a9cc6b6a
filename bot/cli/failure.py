"""The expected failure of a command."""

from pathlib import Path

INTERRUPTED = 130
"""The exit status after Ctrl-C, as in shells: 128 + SIGINT."""


class Failure(Exception):  # noqa: N818 -- an outcome that is told to a person, not a defect
    """A command cannot do what it was asked to. `main` prints the message, without a traceback, and exits.

    The message says what is wrong and what to do about it: one sentence, or several on a line each. The status is 1 if
    the command failed, 2 if it was used in a wrong way.
    """

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def unwritable(path: Path, error: OSError) -> Failure:
    """The failure to raise if a command cannot write a file."""
    if isinstance(error, FileNotFoundError):
        reason = f"the folder {path.parent} does not exist; make it first"
    elif isinstance(error, FileExistsError | NotADirectoryError):
        reason = f"{path.parent} is no folder; name one"
    elif isinstance(error, IsADirectoryError):
        reason = "it is a folder; name a file"
    else:
        reason = error.strerror or str(error)
    return Failure(f"{path} cannot be written: {reason}")
