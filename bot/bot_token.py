"""The bot's token, which is read from the environment only and is not part of the settings."""

import os
from collections.abc import Mapping

from bot.config_error import ConfigError

TOKEN_VARIABLE = "SPADE_TOKEN"  # noqa: S105 -- the name of the variable


def bot_token(environment: Mapping[str, str] = os.environ) -> str:
    """The bot's token, stripped of surrounding whitespace.

    Does not check that it has the shape of a Discord token, because a sandbox issues its own.

    Raises:
        ConfigError: The variable is not set, or its value cannot be a token.
    """
    token = environment.get(TOKEN_VARIABLE, "").strip()
    if not token:
        raise ConfigError(
            f"{TOKEN_VARIABLE} is not set; put the bot's token into that environment variable "
            "(Discord Developer Portal, your application, Bot, Reset Token)"
        )
    if token.lower().startswith("bot "):
        raise ConfigError(f"{TOKEN_VARIABLE} begins with the word Bot; give it the token alone")
    if token[0] in "\"'":
        raise ConfigError(f"{TOKEN_VARIABLE} has quotes around the token; give it without them")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            f"{TOKEN_VARIABLE} has a space, a line break or another character in it that no token has; "
            "copy the token again, alone and in one piece"
        )
    return token
