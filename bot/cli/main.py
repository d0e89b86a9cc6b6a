"""The `spade` command: its subcommands, and the exit status for each way they can end."""

import errno
import io
import logging
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from bot import __version__
from bot.cli.commands import new_app
from bot.cli.failure import INTERRUPTED, Failure
from bot.config_error import ConfigError
from bot.log import start_log
from bot.redaction import redact
from bot.store.error import StoreError

_DISK_FULL = "the disk is full, so not all that there is to say was written"

app = new_app()


def _show_version(value: bool) -> None:
    if value:
        print(f"spade {__version__}")
        raise typer.Exit


@app.callback()
def spade(
    *,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Helps community managers build 1:1 relationships with the ordinary members of a Discord server."""


def run_command() -> int:
    """Run the command that the process was started with; returns the exit status."""
    status = exit_status(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError as error:  # a closed pipe, as after `head`, or a full disk: Python would report it again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.ENOSPC:
            _print_error(_DISK_FULL)
            status = 1
    return status


def exit_status(arguments: Sequence[str]) -> int:
    """Run a command and return its exit status: 0 done, 1 failed, 2 wrong use, 130 interrupted.

    An expected failure, also of the database, becomes a sentence on standard error. Any other exception is a defect of
    Spade: its traceback is logged, since it may be hard to reproduce, and a sentence follows.
    """
    _escape_unencodable()
    start_log()
    try:
        # A command returns, or ends by typer.Exit or Ctrl-C, which Typer turns into a status that it returns here.
        outcome = app(list(arguments) or ["--help"], prog_name="spade", standalone_mode=False)
    except Failure as failure:
        message, status = failure.message, failure.status
    except (ConfigError, StoreError) as error:
        message, status = str(error), 1
    except typer.TyperException as error:
        message, status = _usage(error), error.exit_code
    except typer.Abort:
        message, status = "stopped", 1
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            message, status = _DISK_FULL, 1
        else:
            logging.getLogger(__name__).critical("A fault in Spade", exc_info=True)
            message, status = f"this is a fault in Spade ({type(error).__name__}); please report the lines above", 1
    else:
        status = outcome if isinstance(outcome, int) else 0
        message = "stopped" if status == INTERRUPTED else ""
    _print_error(message)
    return status


def _print_error(message: str) -> None:
    for line in redact(message).splitlines():
        print(f"spade: {line}", file=sys.stderr)


def _usage(error: typer.TyperException) -> str:
    message = error.format_message().strip().rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{message} (see {context.command_path} --help)" if context else message


def _escape_unencodable() -> None:
    """Escape characters that the terminal's encoding lacks, so that a name with an emoji does not raise."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
