"""Translates every sentence for people: whole sentences with named placeholders for the facts.

`tools/catalogues.py` finds the sentences by `say`, `say_count`, `mark` and `mark_count`, and keeps the catalogues in
`bot/locale`. The language spoken is a context variable: code that composes something for a guild sets it
with `speaking`.
"""

import gettext
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from bot.domain.guild import LANGUAGES
from bot.views.words import regional

LOCALE_FOLDER = Path(__file__).resolve().parents[2] / "locale"
_spoken: ContextVar[str] = ContextVar("spoken", default=LANGUAGES[0])


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak a language, by its code, inside the block; English for one that Spade does not know."""
    token = _spoken.set(language if language in LANGUAGES else LANGUAGES[0])
    try:
        yield
    finally:
        _spoken.reset(token)


def speak(language: str) -> None:
    """Speak a language until the current task ends; tasks it starts speak it too. Others are not affected."""
    _spoken.set(language if language in LANGUAGES else LANGUAGES[0])


def language_like(locale: str) -> str:
    """The closest language to a locale of Discord's, such as es-419; English if there is none."""
    code = locale.replace("-", "_")
    if code in LANGUAGES:
        return code
    family = code.partition("_")[0]
    return next((language for language in LANGUAGES if language.partition("_")[0] == family), LANGUAGES[0])


def spoken() -> str:
    """The code of the language that is spoken; it is also its locale for numbers and dates."""
    return _spoken.get()


def say(sentence: str, /, **facts: object) -> str:
    """The translated sentence with its facts filled in. Facts are inserted as they are."""
    return catalogue(spoken()).gettext(sentence).format_map(facts)


def say_count(one: str, many: str, /, *, count: int, **facts: object) -> str:
    """The translated sentence for one or for many; `{count}` is the number with thousands separators."""
    sentence = catalogue(spoken()).ngettext(one, many, count)
    return sentence.format_map({"count": number(count), **facts})


def mark(sentence: str, /) -> str:
    """Mark a sentence for translators here; another place says it."""
    return sentence


def mark_count(one: str, many: str, /) -> tuple[str, str]:
    """The same for a sentence for one or for many."""
    return one, many


def name_like(context: str, name: str) -> str:
    """The translation of a name, such as a command's; the name itself if it has none."""
    return catalogue(spoken()).pgettext(context, name)


def number(count: int) -> str:
    """A whole number with thousands separators: 5,000."""
    return regional.whole_number(count, spoken())


def listing(items: Sequence[str]) -> str:
    """A list in words: "A", "A and B", "A, B and C"; empty for none."""
    if len(items) < 2:
        return "".join(items)
    return say("{first} and {last}", first=", ".join(items[:-1]), last=items[-1])


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """A language's catalogue, compiled at first use; English has the sentences themselves."""
    if language == LANGUAGES[0]:
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - English does without
    from babel.messages.pofile import read_po  # noqa: PLC0415 - as above

    compiled = io.BytesIO()
    with (LOCALE_FOLDER / f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
