"""Removes secrets from text: bot tokens, interaction tokens, passwords in URLs.

Secret scanners are made for files; every line of the log needs just these few patterns.
"""

import re

HIDDEN = "***"

# The first part is the base64 of the bot's id, whose digits make it begin with M, N or O.
_TOKEN = re.compile(r"[MNO][\w-]{22,26}\.[\w-]{6,7}\.[\w-]{27,}")
_SECRETS = (
    (_TOKEN, HIDDEN),
    # The token of an interaction or a webhook is enough to post as Spade.
    (re.compile(r"(/(?:webhooks|interactions)/\d+/)[\w-]{20,}"), rf"\1{HIDDEN}"),
    # A password that is not escaped may contain any character: it ends at the last @.
    (re.compile(r"(postgres(?:ql)?(?:\+\w+)?://[^\s:@/]*:)\S*@"), rf"\1{HIDDEN}@"),
    # In other URLs it ends before a slash, so that http://127.0.0.1:8000/users/@me keeps its port.
    (re.compile(r"(://[^\s/?#:@]*:)[^\s/]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"([?&\s]password=)[^\s&]+", re.IGNORECASE), rf"\1{HIDDEN}"),
)


def redact(text: str) -> str:
    """The text with every recognised secret replaced by `***`.

    Secrets are recognised by their shape: a password on its own, outside a URL, is not found.
    """
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def has_token_shape(text: str) -> bool:
    """Whether the whole text has the shape of a bot token. Does not check that Discord accepts it."""
    return _TOKEN.fullmatch(text) is not None
