"""`spade init`: writes a configuration to start from."""

import os
from importlib import resources
from pathlib import Path

import bot
from bot.bot_token import TOKEN_VARIABLE
from bot.cli.failure import Failure, unwritable
from bot.cli.options import ConfigOption
from bot.cli.output import ForceOption, replace_file, require_no_database
from bot.config import DEFAULT_PATH

_EXAMPLE = "config.example.yaml"


def init(
    config: ConfigOption = None,
    *,
    force: ForceOption = False,
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
    """Write a file with mode 0600. If it exists, raise FileExistsError, or replace it with `force`."""
    if path.is_dir():
        raise IsADirectoryError
    if force:
        require_no_database(path)
        replace_file(path, text.encode(), private=True)
        return
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
