"""Text that has to fit a limit: its length as Discord may count it, and cutting between user-perceived characters."""

import regex

ELLIPSIS = "…"
_GRAPHEME_CLUSTER = regex.compile(r"\X")


def length(text: str) -> int:
    """UTF-16 units: never less than the number of code points, so a limit that holds here holds everywhere."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


def cut(text: str, limit: int) -> str:
    """The text itself if it fits into `limit`; otherwise its beginning and an ellipsis.

    A letter keeps its accents, an emoji its skin tone, a flag both its halves.
    """
    if length(text) <= limit:
        return text
    room = limit - length(ELLIPSIS)
    kept: list[str] = []
    for cluster in clusters(text):
        room -= length(cluster)
        if room < 0:
            break
        kept.append(cluster)
    return "".join(kept).rstrip() + ELLIPSIS if limit > 0 else ""


def clusters(text: str) -> list[str]:
    """The extended grapheme clusters of Unicode (UAX #29): what people see as single characters, in order."""
    return _GRAPHEME_CLUSTER.findall(text)
