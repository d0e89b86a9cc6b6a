"""Names that people chose, made safe to show: nothing in them formats, links, hides or pings.

A name on Discord can hold links, mentions, formatting, bidirectional controls, and stacks of accents that cover the
lines above. `plain_name` is for places that render no formatting (buttons, the
author line of an embed, pictures, the terminal); `safe_name` is for everywhere else on Discord.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping

from bot.views.words.sentence import say
from bot.views.words.text import cut

NAME_LIMIT = 40
GUILD_LIMIT = 100
REASON_LIMIT = 160
_ACCENTS_PER_LETTER = 3
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and marks that show nothing
_VARIANTS = range(0xE0100, 0xE01F0)
_LOOK_ALIKES = str.maketrans({"@": "＠", "<": "‹", ">": "›"})  # noqa: RUF001 - looking alike is what they are for
_FORMATTING = re.compile(r"[\\*_~`|\[\]]|^[#+-]|(?<=\d)\.(?!\S)")
_ANSWER = re.compile(r"Discord answered (?P<status>\d+)(?: \((?P<code>\d+)\))?(?: to [A-Z]+ /\S*)?: ")
_SCHEME = re.compile(r"(?<=:)//")
_ADDRESS_DOT = re.compile(r"(?<=www)\.|(?<=\w)\.(?=\w{2,}(?:[/:?#]|\.\w{2,}[/:?#]))", re.IGNORECASE)


def safe_name(name: str, limit: int = NAME_LIMIT, *, unnamed: str | None = None) -> str:
    """A name for a sentence on Discord, cut to `limit` as people see it.

    Formatting is escaped, which Discord hides again, so the text can be up to twice as long.
    """
    return _FORMATTING.sub(r"\\\g<0>", plain_name(name, limit, unnamed=unnamed))


def plain_name(name: str, limit: int = NAME_LIMIT, *, unnamed: str | None = None) -> str:
    """A name for a place without formatting, cut to `limit`; `unnamed` replaces one without visible characters."""
    visible = " ".join("".join(_visible(unicodedata.normalize("NFC", name))).split())
    harmless = visible.translate(_LOOK_ALIKES)
    harmless = _SCHEME.sub("∕∕", harmless)  # noqa: RUF001 - no longer an address, still legible
    harmless = _ADDRESS_DOT.sub("․", harmless)  # noqa: RUF001
    return cut(harmless, limit) or unnamed or say("a member")


def safe_reason(problem: str | None) -> str:
    """Discord's reason for a refusal, for a sentence on Discord.

    Of a described request, the method and the path are left out: they stand in the log, and people know what was asked.
    """
    reason = (problem or "").rstrip(".")
    if answer := _ANSWER.match(reason):
        words = reason[answer.end() :]
        if answer["code"]:
            reason = f"{words}, {answer['code']}"
        else:
            reason = say("Discord answered {status}: {reason}", status=answer["status"], reason=words)
    return safe_name(reason, REASON_LIMIT, unnamed=say("it gave no reason"))


def safe_guild(name: str) -> str:
    """A server's name for a sentence on Discord."""
    return safe_name(name, GUILD_LIMIT, unnamed=say("this server"))


def plain_guild(name: str) -> str:
    """A server's name for a place without formatting."""
    return plain_name(name, GUILD_LIMIT, unnamed=say("this server"))


def name_of(member_id: int, names: Mapping[int, str]) -> str:
    """A person's name; "a member" if it could not be looked up."""
    return names.get(member_id) or say("a member")


def _visible(name: str) -> Iterator[str]:
    """The visible characters of a name: no controls, few accents per letter, any white space as a space."""
    accents = _ACCENTS_PER_LETTER  # an accent needs a letter before it
    for character in name:
        category = unicodedata.category(character)
        if character.isspace() or category in {"Zs", "Zl", "Zp"}:
            accents = _ACCENTS_PER_LETTER
            yield " "
        elif _unseen(character, category):
            continue
        elif category[0] == "M":
            if accents < _ACCENTS_PER_LETTER:
                accents += 1
                yield character
        else:
            accents = 0
            yield character


def _unseen(character: str, category: str) -> bool:
    """Whether a character shows nothing: controls, surrogates, private use, and letters without a glyph.

    Code points that Python does not know yet are kept: they may be new emoji.
    """
    control = category[0] == "C" and category != "Cn"
    return control or character in _UNSEEN or ord(character) in _VARIANTS
