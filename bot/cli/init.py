"""`spade init`: writes a configuration to start from."""

import os
import tempfile
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

import bot
from bot.bot_token import TOKEN_VARIABLE
from bot.cli.failure import Failure, unwritable
from bot.cli.options import ConfigOption
from bot.config import DEFAULT_PATH

_EXAMPLE = "config.example.yaml"


def init(
    config: ConfigOption = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is already there.")] = False,
) -> None:
    """Write a configuration with every key explained.

    It does not overwrite a file unless told to, and ends by saying what comes next.
    """
    path = config or DEFAULT_PATH
    try:
        _write(path, example(), force=force)
    except FileExistsError:
        raise Failure(f"{path} is already there; --force writes over it") from None
    except OSError as error:
        raise unwritable(path, error) from None
    option = "" if path == DEFAULT_PATH else f" --config {path}"
    print(f"Wrote {path}. Every key in it is commented out and stands for its default.")
    print()
    print("Next:")
    print("  1. Make an application on https://discord.com/developers/applications; it needs no privileged intent.")
    print(f"  2. Bot, Reset Token: put the token into the environment variable {TOKEN_VARIABLE}.")
    print(f"  3. spade check{option}   looks whether all is in place")
    print(f"  4. spade run{option}     starts the bot; then type /setup in your server")


def example() -> str:
    """The example configuration: inside the installed package, else at the root of the source tree."""
    packaged = resources.files(bot) / _EXAMPLE
    source = packaged if packaged.is_file() else Path(bot.__file__).parent.parent / _EXAMPLE
    return source.read_text(encoding="utf-8")


def _write(path: Path, text: str, *, force: bool) -> None:
    """Write a file with mode 0600. If it exists, raise FileExistsError, or replace it atomically with `force`."""
    if path.is_dir():
        raise IsADirectoryError
    if not force:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        return
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # which has mode 0600, too
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)
