"""Languages: every text can be translated and is, commands too, and each guild is spoken to in its own."""

import ast
import asyncio
import re
import string
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import discord
import pytest
from babel.messages import Catalog
from discord import app_commands
from discord.app_commands import TranslationContext, TranslationContextLocation

from bot.discord_io.interactions.authorisation import Authorisation
from bot.discord_io.interactions.command_names import COMMAND, OPTION, CommandNames
from bot.discord_io.interactions.guard import InteractionGuard
from bot.domain.guild import LANGUAGES
from bot.views.guild.setup import LANGUAGE_NAMES
from bot.views.words.amounts import duration, percent
from bot.views.words.dates import day_label, short_day, week_label, weekdays_label
from bot.views.words.sentence import language_like, name_like, number, say, say_count, speaking, spoken
from bot.views.words.weekdays import weekday_suggestions, weekdays_from
from tools import catalogues

ROOT = Path(__file__).resolve().parents[2]
OTHERS = LANGUAGES[1:]
COMMAND_TEXTS = [text for path in sorted((ROOT / "cogs").glob("*.py")) for text in catalogues.command_texts(path)]
NAME = re.compile(r"^[-_'\w]{1,32}$")
TRANSLATES = {"say", "say_count", "mark", "mark_count"}
WORDS = re.compile(r"[^\W\d_]{2,}[,.:;]? +[^\W\d_]{2,}")
NOT_SAID = {
    *LANGUAGE_NAMES.values(),
    *("not bold", "working days", "every day", "Europe/Berlin", "DejaVu Sans", "SpadeBot", "no date to be believed"),
}
"""Languages by their own names, a style of Rich, what people may type, a font, a class, the log."""
WORD = re.compile(r"[^\W\d_]{2,}")
TITLE = re.compile(r"^[A-Z][^\W\d_A-Z]{2,}[^\w\s]?$")
NOT_FOR_PEOPLE = {
    "log",
    "logger",
    "warnings",
    "apologise",
    "Apologising",
    "retry",
    "self._tasks.start",
    "asyncio.create_task",
}
"""The log, and what something is called there."""
COMMANDS = ("Group", "ContextMenu")
TAKES = {
    "Card": (("title", "description", "author", "fields", "footer"), {"title", "description", "author", "footer"}),
    "Field": (("name", "value"), {"name", "value"}),
    "Button": (("label",), {"label"}),
    "ChoiceOption": (("label",), {"label"}),
    "Choice": (("custom_id", "placeholder"), {"placeholder", "name"}),
    "EntityChoice": (("custom_id", "placeholder"), {"placeholder"}),
    "Attachment": (("filename", "alt_text"), {"alt_text"}),
    "Letter": (("content",), {"content"}),
    "Form": (("title",), {"title"}),
    "Modal": (("title",), {"title"}),
    "FormLine": (("custom_id", "label"), {"label", "placeholder", "hint"}),
    "TextInput": ((), {"label", "placeholder"}),
    "Label": ((), {"text", "description"}),
    "Select": ((), {"placeholder"}),
    "SelectOption": ((), {"label", "description"}),
    "Embed": ((), {"title", "description"}),
    "add_field": ((), {"name", "value"}),
    "set_footer": ((), {"text"}),
    "set_author": ((), {"name"}),
    "Finding": (("title", "figure", "meaning"), {"title", "figure", "meaning"}),
    "Trend": ((), {"title", "note"}),
    "Band": (("label",), {"label"}),
    **dict.fromkeys(
        ("respond", "update", "tell", "send", "send_message", "edit_message", "edit_original_response"), ((), {"*"})
    ),
}
"""Where a text for people is due: the parameters in order, and those of them that are read."""


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_and_keeps_its_places(language):
    assert list(catalogues.problems(catalogues.read(language))) == []


def test_catalogues_are_up_to_date():
    assert catalogues.outdated() == [], "run `make catalogues`"


@pytest.mark.parametrize(
    ("planted", "problem"),
    [
        ({"id": "Reached", "string": ""}, "de: not translated: 'Reached'"),
        ({"id": "Reached", "string": "Erreicht", "flags": {"fuzzy"}}, "de: not translated: 'Reached'"),
        ({"id": ("One", "{count} days"), "string": ("Ein", "")}, "de: not translated: '{count} days'"),
        (
            {"id": "{name} waits", "string": "{nam} wartet"},
            "de: other placeholders than '{name} waits': '{nam} wartet'",
        ),
        (
            {"id": ("One day", "{count} days"), "string": ("{count} Tag", "Tage")},
            "de: other placeholders than '{count} days': 'Tage'",
        ),
    ],
)
def test_a_faulty_translation_is_found(planted, problem):
    catalog = Catalog(locale="de", fuzzy=False)
    catalog.add(**planted)
    assert list(catalogues.problems(catalog)) == [problem]


def test_calls_are_found_however_deep_they_are_nested(tmp_path):
    path = tmp_path / "planted.py"
    path.write_text('say("{a} b", a=f(g(say("c"))))\nmark_count(\n    "d " "e",\n    "f",\n)\nsay(g)\nother("h")\n')
    with path.open("rb") as file:
        found = [call[1:3] for call in catalogues.extract(file, ("say", "mark_count"), (), {})]
    assert sorted(found, key=str) == [
        ("mark_count", ("d e", "f")),
        ("say", ("c",)),
        ("say", ("{a} b",)),
        ("say", (None,)),
    ]


@pytest.mark.parametrize("language", OTHERS)
def test_names_of_commands_are_names_and_descriptions_fit(language):
    with speaking(language):
        for context, text in COMMAND_TEXTS:
            translated = translation_of(language, context, text)
            if context in {COMMAND, OPTION}:
                assert NAME.match(translated), translated
                assert translated == translated.lower()
            elif context is None:
                assert len(translated) <= 100, translated
            else:
                assert len(translated) <= 32, translated


@pytest.mark.parametrize("language", OTHERS)
def test_no_two_commands_or_options_get_the_same_name(language):
    for context in (COMMAND, OPTION):
        names = {text for of, text in COMMAND_TEXTS if of == context}
        siblings: dict[str, set[str]] = {}
        for name in names:
            translated = translation_of(language, context, name)
            siblings.setdefault(translated, set()).add(name)
        assert {name: alike for name, alike in siblings.items() if len(alike) > 1 and not alike <= ALIKE} == {}


ALIKE = {"zone", "time_zone", "time-zone"}
"""Options of different commands that may well be called alike."""


def translation_of(language, context, text):
    with speaking(language):
        return name_like(context, text) if context else say(text)


@pytest.mark.parametrize("language", OTHERS)
def test_commands_that_sentences_name_are_called_so_in_the_language(language):
    """`/nudges on` in a German sentence is what a German client shows."""
    known = {translation_of(language, COMMAND, text) for context, text in COMMAND_TEXTS if context == COMMAND}
    for text in catalogues.read(language):
        for form in (text.string,) if isinstance(text.string, str) else text.string or ():
            for named in re.findall(r"(?<![\w:/])/([^\W\d][\w-]*(?: [\w-]+)?)(?=`)", form):
                assert set(named.split()) <= known, (named, form)


def sources():
    return [
        *sorted((ROOT / "bot" / "views").rglob("*.py")),
        *sorted((ROOT / "cogs").glob("*.py")),
        ROOT / "bot" / "client.py",
        *sorted((ROOT / "bot" / "discord_io" / "interactions").glob("*.py")),
    ]


def spoken_without_translation(path, source=None):
    """String constants that read like something people see, and pass through nothing that translates them.

    In the views, in the cogs and wherever answers are made that is whatever has two words or begins with a capital
    letter; where a text is due, it is any word.
    """
    tree = ast.parse(source or path.read_text(encoding="utf-8"))
    allowed = {id(node) for node in _not_for_people(tree)}
    read = {id(node) for node in ast.walk(tree) if isinstance(node, ast.Call) for node in _texts_of(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in allowed:
            continue
        said = WORD.search(node.value) if id(node) in read else WORDS.search(node.value) or TITLE.match(node.value)
        if said and node.value not in NOT_SAID:
            yield f"{path.relative_to(ROOT)}:{node.lineno}: {node.value!r}"


def _not_for_people(tree):
    """Docstrings, what is translated, what the catalogue finds by itself, patterns, and what only programmers see."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in node.body:  # docstrings, of attributes too
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                    yield statement.value
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for told in node.decorator_list:
                yield from ast.walk(told)
            for annotated in (*node.args.args, *node.args.kwonlyargs, node):
                told = annotated.returns if annotated is node else annotated.annotation
                yield from ast.walk(told) if told else ()
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Cog") for base in node.bases):
            for keyword in node.keywords:
                yield from ast.walk(keyword.value)
        if isinstance(node, ast.Raise | ast.Assert):
            yield from ast.walk(node)
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in TRANSLATES or {name, name.split(".")[0]} & NOT_FOR_PEOPLE or name.rpartition(".")[2] in COMMANDS:
                yield from (inner for inner in ast.walk(node) if isinstance(inner, ast.Constant))
            if name in {"re.compile", "getattr", "TypeVar"}:
                yield from ast.walk(node)
    for statement in tree.body:  # choices that decorators share, which the catalogue finds on the commands
        if isinstance(statement, ast.Assign):
            for node in ast.walk(statement):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "app_commands.Choice":
                    yield from ast.walk(node)


def _texts_of(call):
    """The constants in those arguments of a call that people read."""
    name = ast.unparse(call.func).rpartition(".")[2]
    if name not in TAKES:
        return
    known, texts = TAKES[name]
    given = [(known[place] if place < len(known) else "", argument) for place, argument in enumerate(call.args)]
    given += [(keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg]
    for parameter, argument in given:
        if "*" in texts or parameter in texts:
            yield from _said_in(argument)


def _said_in(node):
    """The constants of an expression, but for what it is compared with or looked up by, and calls of their own."""
    if isinstance(node, ast.Constant):
        yield node
    elif isinstance(node, ast.IfExp):
        yield from (*_said_in(node.body), *_said_in(node.orelse))
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in {"join", "format"}:
            yield from _said_in(node.func.value)
            for argument in node.args:
                yield from _said_in(argument)
    elif not isinstance(node, ast.Compare | ast.Subscript):
        for child in ast.iter_child_nodes(node):
            yield from _said_in(child)


def test_no_text_for_people_bypasses_the_translators():
    found = [one for path in sources() for one in spoken_without_translation(path)]
    assert found == []


@pytest.mark.parametrize(
    "planted",
    [
        'def row():\n    return Button("done", custom_id="x")',
        'def row():\n    return Button(label=f"open {3}", custom_id="x")',
        'def card(quiet):\n    return Card(title="quiet" if quiet else say("Reached"))',
        'def field():\n    return Field(say("Reached"), "\\n".join((say("Reached"), f"{3} days")))',
        'def option():\n    return ChoiceOption("monday", "0")',
        'def choice():\n    return Choice("x", "choose", ())',
        'def form():\n    return Form("contact", "x", ())',
        'def entry():\n    return FormLine("x", say("Reached"), hint="optional")',
        'def picture():\n    return Attachment("digest.png", "chart")',
        'class Contact(discord.ui.Modal, title="Contact"):\n    pass',
        'async def show(interaction):\n    await respond(interaction, "nothing")',
        'async def show(interaction):\n    await interaction.response.send_message("sorry")',
        'async def typed(self, interaction, typed):\n    return [app_commands.Choice(name="now", value=1)]',
        'def sentence():\n    return "Done"',
        'def sentence():\n    return "Something went wrong."',
        'PROBLEM = "It cannot be read."',
    ],
)
@pytest.mark.parametrize("folder", ["bot/views", "cogs"])
def test_a_text_that_bypasses_the_translators_is_found_wherever_it_stands(planted, folder):
    assert list(spoken_without_translation(ROOT / folder / "planted.py", planted))


def test_the_page_to_mail_around_says_nothing_by_itself():
    template = (ROOT / "bot" / "views" / "digest" / "templates" / "digest.html").read_text(encoding="utf-8")
    assert not WORD.search(re.sub(r"<style>.*?</style>|{%.*?%}|{{.*?}}|<[^>]*>", "", template, flags=re.DOTALL))


def test_the_arguments_of_say_are_there_to_be_found():
    """A sentence put together before `say` sees it could not be extracted."""
    found = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TRANSLATES:
                first = node.args[0]
                if isinstance(first, ast.JoinedStr | ast.BinOp):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def test_languages_are_spoken_where_it_is_said_so():
    assert spoken() == "en"
    with speaking("de"):
        assert say("Social media") == "Soziales Medium"
        assert say_count("{count} day", "{count} days", count=1) == "1 Tag"
        assert say_count("{count} day", "{count} days", count=5000) == "5.000 Tage"
        with speaking("fr"):
            assert say_count("{count} day", "{count} days", count=0) == "0 jour"
            assert percent(0.123) == "12\xa0%"
        assert percent(0.123) == "12\xa0%"
        assert percent(0.001) == "unter 1\xa0%"
        assert duration(timedelta(days=9)) == "9 Tage"
    with speaking("xx"):
        assert spoken() == "en"
    assert spoken() == "en"


@pytest.mark.parametrize(
    ("language", "week", "day", "short", "days"),
    [
        ("en", "30 March to 5 April 2026", "Monday 30 March", "30 Mar", "Monday to Friday"),
        ("de", "30. März bis 5. April 2026", "Montag, 30. März", "30. März", "Montag bis Freitag"),
        ("fr", "30 mars au 5 avril 2026", "lundi 30 mars", "30 mars", "lundi à vendredi"),
        ("es", "30 de marzo al 5 de abril de 2026", "lunes, 30 de marzo", "30 mar", "lunes a viernes"),
        ("pt_BR", "30 de março a 5 de abril de 2026", "segunda-feira, 30 de março", "30 mar.", None),
    ],
)
def test_dates_are_written_as_people_do(language, week, day, short, days):
    with speaking(language):
        assert week_label(date(2026, 3, 30)) == week
        assert day_label(date(2026, 3, 30)) == day
        assert short_day(date(2026, 3, 30)) == short
        assert days is None or weekdays_label(range(5)) == days
        assert number(1234567)


@pytest.mark.parametrize("language", LANGUAGES)
def test_days_of_the_week_are_understood_as_they_are_suggested(language):
    with speaking(language):
        for label in weekday_suggestions(""):
            assert weekdays_label(weekdays_from(label) or ()) == label
        assert weekdays_from("every day") == frozenset(range(7))


def test_every_place_in_a_sentence_is_filled_whatever_the_language():
    for language in OTHERS:
        with speaking(language):
            for text in catalogues.read(language):
                if not text.id or text.context:
                    continue
                ids = (text.id,) if isinstance(text.id, str) else text.id
                facts = {name: "x" for id_ in ids for _, name, _, _ in string.Formatter().parse(id_) if name}
                facts.pop("count", None)
                if len(ids) == 1:
                    assert say(ids[0], **facts, count=2)
                else:
                    assert say_count(ids[0], ids[1], count=1, **facts)
                    assert say_count(ids[0], ids[1], count=2, **facts)


@pytest.mark.parametrize(
    ("locale", "language"),
    [("de", "de"), ("es-419", "es"), ("es-ES", "es"), ("pt-BR", "pt_BR"), ("fr", "fr"), ("en-GB", "en"), ("ja", "en")],
)
def test_a_persons_locale_leads_to_the_nearest_language(locale, language):
    assert language_like(locale) == language


async def test_discord_is_given_names_in_every_language():
    names = CommandNames()
    name = TranslationContext(location=TranslationContextLocation.command_name, data=None)
    description = TranslationContext(location=TranslationContextLocation.command_description, data=None)
    text = app_commands.locale_str("waiting")
    assert await names.translate(text, discord.Locale.german, name) == "wartende"
    assert await names.translate(text, discord.Locale.latin_american_spanish, name) == "esperando"
    assert await names.translate(text, discord.Locale.japanese, name) is None
    assert await names.translate(text, discord.Locale.american_english, name) is None
    words = app_commands.locale_str("Get no more nudges")
    assert await names.translate(words, discord.Locale.french, description) == "Ne plus recevoir de rappels"


@pytest.mark.parametrize(("guild_id", "language"), [(5, "de"), (None, "fr")])
async def test_the_task_of_an_interaction_speaks_the_guilds_language(guild_id, language):
    """In a DM it is the person's own; other tasks are not affected. tests/e2e/test_languages.py has the whole way."""
    guard = InteractionGuard(Authorisation(None), {5: "de"}.__getitem__)

    async def answer():
        guard.speak(SimpleNamespace(guild_id=guild_id, locale=discord.Locale.french))
        await asyncio.sleep(0)
        return spoken(), await asyncio.create_task(later())

    async def later():
        return spoken()

    assert await asyncio.create_task(answer()) == (language, language)
    assert spoken() == "en"
