"""Bring the catalogues in bot/locale in line with the sentences of the code, or check that they are.

Babel extracts the sentences (`extract` below is its extractor for Python, named in pyproject.toml) and updates the
catalogues: a new sentence is added without a translation, a sentence that no longer exists is dropped. `--check` writes
nothing and exits with 1 if a catalogue is out of date, a sentence is not translated or a translation has other
placeholders. Nothing needs compiling: Spade compiles a catalogue when it first needs the language.
"""

import argparse
import ast
import importlib
import inspect
import shutil
import string
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from babel.messages import Catalog
from babel.messages.pofile import read_po
from discord import app_commands
from discord.ext import commands

from bot.discord_io.interactions.command_names import COMMAND, MENU, OPTION
from bot.domain.guild import LANGUAGES
from bot.views.words.sentence import LOCALE_FOLDER

ROOT = Path(__file__).resolve().parent.parent
Call = tuple[int, str, tuple[str | None, ...], list[str]]
"""What Babel expects of an extractor: line, function, its arguments (None for one that is no constant), comments."""


def extract(file: BinaryIO, keywords: Iterable[str], comment_tags: object, options: object) -> Iterator[Call]:  # noqa: ARG001
    """The calls of a keyword in a module, and the texts of the commands if it is a cog.

    Babel's own extractor for Python loses a keyword that is called two levels deep in the arguments of another one.
    """
    names = frozenset(keywords)
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            given = [one.value if isinstance(one, ast.Constant) else None for one in node.args]
            yield node.lineno, node.func.id, tuple(one if isinstance(one, str) else None for one in given), []
    path = Path(file.name)
    if path.parent.name == "cogs":
        for context, text in command_texts(path):
            yield (0, "pgettext", (context, text), []) if context else (0, "gettext", (text,), [])


def command_texts(path: Path) -> Iterator[tuple[str | None, str]]:
    """The texts of a cog that Discord shows of its commands, each with its context in the catalogue.

    Names of commands, options and menu entries have a context, descriptions and choices have none.
    """
    module = importlib.import_module(f"cogs.{path.stem}")
    for _, cog in inspect.getmembers(module, inspect.isclass):
        if not issubclass(cog, commands.Cog) or cog.__module__ != module.__name__:
            continue
        if issubclass(cog, commands.GroupCog):
            yield COMMAND, str(cog.__cog_group_name__)
            yield None, str(cog.__cog_group_description__)
        for command in cog.__cog_app_commands__:
            yield from _of_command(command)
    for node in ast.walk(ast.parse(path.read_bytes())):  # a cog makes its menu entries only when it is built
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("ContextMenu"):
            yield from ((MENU, ast.literal_eval(one.value)) for one in node.keywords if one.arg == "name")


def _of_command(
    command: "app_commands.Command[commands.Cog, ..., object] | app_commands.Group",
) -> Iterator[tuple[str | None, str]]:
    yield COMMAND, command.name
    yield None, command.description
    if isinstance(command, app_commands.Group):
        for inner in command.commands:
            yield from _of_command(inner)
        return
    for parameter in command.parameters:
        yield OPTION, str(parameter.display_name)
        if str(parameter.description) != "…":
            yield None, str(parameter.description)
        yield from ((None, choice.name) for choice in parameter.choices)


def path_of(language: str, folder: Path = LOCALE_FOLDER) -> Path:
    """The catalogue of a language."""
    return folder / f"{language}.po"


def read(language: str, folder: Path = LOCALE_FOLDER) -> Catalog:
    """The catalogue of a language, parsed."""
    with path_of(language, folder).open("rb") as file:
        return read_po(file, locale=language)


def update(folder: Path = LOCALE_FOLDER) -> None:
    """Bring the catalogues of a folder in line with the code; one that does not exist is created."""
    with TemporaryDirectory() as temporary:
        template = f"{temporary}/spade.pot"
        _pybabel(
            *("extract", "--mapping-file=pyproject.toml", "--project=Spade", "--add-location=file", "--sort-output"),
            *(f"--output-file={template}", "bot", "cogs"),
        )
        for language in LANGUAGES[1:]:
            _pybabel(
                *("update", "--no-fuzzy-matching", "--ignore-obsolete", "--ignore-pot-creation-date", "--init-missing"),
                *("--width=110", f"--input-file={template}", f"--locale={language}"),
                f"--output-file={path_of(language, folder)}",
            )


def _pybabel(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "babel.messages.frontend", "--quiet", *arguments], cwd=ROOT, check=True)


def outdated() -> list[str]:
    """The languages whose catalogue an update would change."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copytree(LOCALE_FOLDER, folder, dirs_exist_ok=True)
        update(folder)
        return [one for one in LANGUAGES[1:] if path_of(one).read_bytes() != path_of(one, folder).read_bytes()]


def problems(catalog: Catalog) -> Iterator[str]:
    """The sentences that are not translated, and the translations with other placeholders.

    Babel checks placeholders with % only. A singular may leave out the number or name it.
    """
    for message in catalog:
        if not message.id:
            continue
        ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
        strings = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        if message.fuzzy or len(strings) != len(ids) or not all(strings):
            yield f"{catalog.locale}: not translated: {ids[-1]!r}"
            continue
        for number, (id_, translation) in enumerate(zip(ids, strings, strict=True)):
            optional = {"count"} if len(ids) == 2 and number == 0 else set()
            if placeholders(translation) - optional != placeholders(id_) - optional:
                yield f"{catalog.locale}: other placeholders than {id_!r}: {translation!r}"


def placeholders(sentence: str) -> set[str]:
    """The names in braces of a sentence."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def main() -> int:
    """Run from the command line; the return value is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.check:
        found = [f"{language}: out of date: run `make catalogues`" for language in outdated()]
    else:
        update()
        found = []
    catalogs = [read(language) for language in LANGUAGES[1:]]
    found += [problem for catalog in catalogs for problem in problems(catalog)]
    for problem in found:
        print(problem, file=sys.stderr)
    print(f"catalogues: {len(catalogs[0])} texts in {len(LANGUAGES)} languages, {len(found)} problems")
    return 1 if found and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
