"""Text that has to fit: its length as Discord may count it, and cutting between what people see as characters."""

import unicodedata
from collections.abc import Iterator
from itertools import pairwise

ELLIPSIS = "…"
_JOINER = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)


def length(text: str) -> int:
    """UTF-16 units: never less than the number of characters, so a limit that holds here holds everywhere."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


def cut(text: str, limit: int) -> str:
    """The text itself where it fits into `limit`; otherwise its beginning and an ellipsis.

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


def clusters(text: str) -> Iterator[str]:
    """What people take for single characters, with everything that belongs to each."""
    start = 0
    flag_letters = 0
    for position, (before, character) in enumerate(pairwise(text), start=1):
        flag_letters = flag_letters + 1 if ord(before) in _FLAG_LETTERS else 0
        second_half = flag_letters % 2 == 1 and ord(character) in _FLAG_LETTERS
        if not (second_half or before == _JOINER or _belongs_to_the_one_before(character)):
            yield text[start:position]
            start = position
    if text:
        yield text[start:]


def _belongs_to_the_one_before(character: str) -> bool:
    return (
        character == _JOINER or ord(character) in _SKIN_TONES or unicodedata.category(character) in {"Mn", "Mc", "Me"}
    )
