"""Keep the catalogues in bot/locale in line with the sentences of the code, or check that they are.

Sentences are found by `say`, `say_count`, `mark` and `mark_count`, the names and descriptions of commands on the cogs
themselves. A new sentence appears in every catalogue without a translation, one that is gone disappears. `--check`
writes nothing and exits 1 when a catalogue is out of date, a sentence untranslated or a place for a fact lost.
There is nothing to compile: Spade does that when a language is first needed.
"""

import argparse
import ast
import importlib
import inspect
import pkgutil
import string
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po
from discord import app_commands
from discord.ext import commands

import cogs
from bot.discord_io.command_names import COMMAND, MENU, OPTION
from bot.domain.guild import LANGUAGES
from bot.views.words.sentence import LOCALE_FOLDER

ROOT = Path(__file__).resolve().parent.parent
SINGLE, PLURAL = {"say", "mark"}, {"say_count", "mark_count"}
PLURAL_FORMS = {"de": "(n != 1)", "es": "(n != 1)", "fr": "(n > 1)", "pt_BR": "(n > 1)"}
"""French and Portuguese take nothing for one: their singular names the number."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text to translate: a sentence, or a pair of them, with where it stands."""

    forms: tuple[str, ...]
    place: str
    context: str | None = None


def sentences(path: Path) -> Iterator[Text]:
    """The texts of one file of source."""
    place = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SINGLE | PLURAL:
            count = 1 if node.func.id in SINGLE else 2
            given = [one.value for one in node.args[:count] if isinstance(one, ast.Constant)]
            if len(given) == count and all(isinstance(one, str) for one in given):
                yield Text(tuple(str(one) for one in given), place)


def command_texts() -> Iterator[Text]:
    """The names and descriptions of every command, option, choice and menu entry."""
    for found in pkgutil.iter_modules(cogs.__path__, "cogs."):
        module = importlib.import_module(found.name)
        place = found.name.replace(".", "/") + ".py"
        for _, cog in inspect.getmembers(module, inspect.isclass):
            if not issubclass(cog, commands.Cog) or cog.__module__ != found.name:
                continue
            if issubclass(cog, commands.GroupCog):
                yield Text((str(cog.__cog_group_name__),), place, COMMAND)
                yield Text((str(cog.__cog_group_description__),), place)
            for command in cog.__cog_app_commands__:
                yield from _of_command(command, place)
        yield from _menus(Path(str(module.__file__)), place)


def _of_command(
    command: "app_commands.Command[commands.Cog, ..., object] | app_commands.Group", place: str
) -> Iterator[Text]:
    yield Text((command.name,), place, COMMAND)
    yield Text((command.description,), place)
    if isinstance(command, app_commands.Group):
        for inner in command.commands:
            yield from _of_command(inner, place)
        return
    for parameter in command.parameters:
        yield Text((str(parameter.display_name),), place, OPTION)
        if str(parameter.description) != "…":
            yield Text((str(parameter.description),), place)
        for choice in parameter.choices:
            yield Text((choice.name,), place)


def _menus(path: Path, place: str) -> Iterator[Text]:
    """Entries of context menus, which a cog only makes when it is built."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("ContextMenu"):
            for keyword in node.keywords:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    yield Text((str(keyword.value.value),), place, MENU)


def template() -> Catalog:
    """Every text of the code, without translations."""
    catalog = Catalog(project="Spade", fuzzy=False)
    for folder in ("bot", "cogs"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for text in sentences(path):
                catalog.add(text.forms if len(text.forms) > 1 else text.forms[0], locations=[(text.place, 0)])
    for text in command_texts():
        catalog.add(text.forms[0], locations=[(text.place, 0)], context=text.context)
    return catalog


def path_of(language: str) -> Path:
    """Where a language's catalogue is."""
    return LOCALE_FOLDER / f"{language}.po"


def updated(language: str, texts: Catalog) -> Catalog:
    """A language's catalogue with the texts of the code: translations it has stay."""
    catalog = Catalog(locale=language, project="Spade", fuzzy=False)
    known = Catalog(locale=language)
    if path_of(language).exists():
        with path_of(language).open("rb") as file:
            known = read_po(file, locale=language)
    for text in texts:
        if text.id:
            old = known.get(text.id if isinstance(text.id, str) else text.id[0], text.context)
            fits = old is not None and old.id == text.id
            catalog.add(
                text.id,
                old.string if fits and old is not None else None,
                locations=text.locations,
                context=text.context,
            )
    return catalog


def written(language: str, catalog: Catalog) -> bytes:
    """A catalogue as the file has it: in the order of the sentences, without the dates that change every time."""
    output = BytesIO()
    write_po(output, catalog, width=110, include_lineno=False, sort_output=True, omit_header=True, ignore_obsolete=True)
    header = (
        f"# Spade's sentences in {language}.\n"
        'msgid ""\nmsgstr ""\n'
        f'"Language: {language}\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: nplurals=2; plural={PLURAL_FORMS[language]};\\n"\n\n'
    )
    return header.encode() + output.getvalue()


def problems(language: str, catalog: Catalog) -> Iterator[str]:
    """What is not translated, or has lost or gained a place for a fact."""
    for text in catalog:
        if not text.id:
            continue
        ids = (text.id,) if isinstance(text.id, str) else tuple(text.id)
        strings = (text.string,) if isinstance(text.string, str) else tuple(text.string or ())
        if text.fuzzy or len(strings) != len(ids) or not all(strings):
            yield f"{language}: not translated: {ids[-1]!r}"
            continue
        for number, (id_, translation) in enumerate(zip(ids, strings, strict=True)):
            wanted, found = places(id_), places(translation)
            singular = len(ids) == 2 and number == 0
            if found - {"count"} != wanted - {"count"} if singular else found != wanted:
                yield f"{language}: other places for facts than {id_!r}: {translation!r}"


def places(sentence: str) -> set[str]:
    """The names of the facts that a sentence has places for."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def main() -> int:
    """Run from the command line; the return value is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    texts = template()
    found: list[str] = []
    for language in LANGUAGES[1:]:
        catalog = updated(language, texts)
        content = written(language, catalog)
        found += problems(language, catalog)
        if options.check:
            if not path_of(language).exists() or path_of(language).read_bytes() != content:
                found.append(f"{language}: out of date: run tools/catalogues.py")
        else:
            path_of(language).parent.mkdir(exist_ok=True)
            path_of(language).write_bytes(content)
    for problem in found:
        print(problem, file=sys.stderr)
    print(f"catalogues: {len(texts)} texts in {len(LANGUAGES)} languages, {len(found)} problems")
    return 1 if found and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
