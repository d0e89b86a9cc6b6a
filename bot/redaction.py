"""What must not be shown: bot tokens, interaction tokens, passwords in URLs."""

import re

HIDDEN = "***"

# The first part is the base64 of the bot's id, which is made of digits, and so begins with M, N or O.
_TOKEN = re.compile(r"[MNO][\w-]{22,26}\.[\w-]{6,7}\.[\w-]{27,}")
_SECRETS = (
    (_TOKEN, HIDDEN),
    # Whoever has the token of an interaction or a webhook can write in Spade's name.
    (re.compile(r"(/(?:webhooks|interactions)/\d+/)[\w-]{20,}"), rf"\1{HIDDEN}"),
    # People forget to escape a password: here it ends at the last @, whatever stands in it.
    (re.compile(r"(postgres(?:ql)?(?:\+\w+)?://[^\s:@/]*:)\S*@"), rf"\1{HIDDEN}@"),
    # Elsewhere it ends before a slash, so that http://127.0.0.1:8000/users/@me keeps its port.
    (re.compile(r"(://[^\s/?#:@]*:)[^\s/]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"([?&\s]password=)[^\s&]+", re.IGNORECASE), rf"\1{HIDDEN}"),
)


def redact(text: str) -> str:
    """The text with every secret it shows replaced by `***`.

    It goes by shape: a password that stands alone, outside of a URL, is not recognised.
    """
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def has_token_shape(text: str) -> bool:
    """Whether the whole text could be a bot token. It does not say that Discord accepts it."""
    return _TOKEN.fullmatch(text) is not None
