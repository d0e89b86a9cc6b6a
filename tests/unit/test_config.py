"""The configuration: what it accepts, and the sentence for everything it does not."""

import dataclasses
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Meta, Struct, convert, structs

from bot.bot_token import bot_token
from bot.config import LogSettings, NudgeSettings, RuleSettings, Settings, existing_path, load
from bot.config_error import ConfigError
from bot.database_url import database_file, database_url
from bot.domain.rules import NudgeRules, Rules
from bot.strict_yaml import StrictYamlError, read

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(text: str) -> Settings:
    Path("config.yaml").write_text(text, encoding="utf-8")
    return load(environment={})


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    return str(caught.value)


def is_section(key: Any) -> bool:
    return isinstance(key, type) and issubclass(key, Struct)


def bounds_of(section: type[Struct], prefix: str = "") -> Iterator[tuple[str, tuple[float, float]]]:
    """The lowest and highest value of every key that has them."""
    for field in structs.fields(section):
        if is_section(field.type):
            yield from bounds_of(field.type, f"{prefix}{field.name}.")
        for said in get_args(field.type):
            if isinstance(said, Meta) and said.ge is not None and said.le is not None:
                yield f"{prefix}{field.name}", (said.ge, said.le)


def written_bounds(text: str) -> Iterator[tuple[str, tuple[float, float]]]:
    """The bounds that the example names for its keys.

    A comment stands above its keys and names their bounds in the same order, in brackets; one alone holds for all.
    """
    group = ""
    for block in text.split("\n\n"):
        lines = [line.strip().removeprefix("#").strip() for line in block.splitlines()]
        if "rules:" in lines:
            group = "rules."
        if "nudge:" in lines:
            group = "rules.nudge."
        keys = [found[1] for line in lines if (found := re.fullmatch(r"([a-z_]+): \S+", line))]
        brackets = re.findall(r"\([^)]*\)", " ".join(lines))
        bounds = [(float(low), float(high)) for one in brackets for low, high in re.findall(r"(\d+) to (\d+)", one)]
        if bounds:
            yield from zip(
                (group + key for key in keys), bounds * len(keys) if len(bounds) == 1 else bounds, strict=True
            )


def keys_of(section: type[Struct], prefix: str = "") -> Iterator[str]:
    for field in structs.fields(section):
        if is_section(field.type):
            yield from keys_of(field.type, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}"


# What is accepted


def test_without_a_file_all_is_default() -> None:
    assert load(environment={}) == Settings()
    assert existing_path(None) is None


def test_defaults_are_those_of_the_domain() -> None:
    assert Settings().domain_rules() == Rules()
    assert Settings().database == "sqlite:///spade.db"
    assert Settings().log == LogSettings(level="info", format="text")


def test_every_threshold_reaches_the_domain() -> None:
    """Each key, moved a little, changes one threshold of its own."""
    moved = set()
    sections: tuple[tuple[type[RuleSettings | NudgeSettings], type[Rules | NudgeRules]], ...] = (
        (RuleSettings, Rules),
        (NudgeSettings, NudgeRules),
    )
    for model, target in sections:
        names = {field.name for field in dataclasses.fields(target)}
        for field in structs.fields(model):
            name = field.name
            if name == "nudge":
                continue
            default = field.default
            value = (
                not default
                if isinstance(default, bool)
                else default - 1
                if isinstance(default, int)
                else default * 0.75
            )
            changed = convert({name: value}, model).domain_rules()
            differing = {other for other in names if getattr(changed, other) != getattr(target(), other)}
            assert len(differing) == 1, name
            moved.add((target, *differing))
    assert len(moved) == len(dataclasses.fields(Rules)) - 1 + len(dataclasses.fields(NudgeRules))


def test_units() -> None:
    rules = loaded(
        "rules:\n  conversation_gap_minutes: 30\n  waiting_expires_days: 7\n  count_inferred: true\n"
        "  social_from: 1\n  nudge:\n    waiting_after_hours: 0\n    cooling_gap_factor: 1.5\n"
    ).domain_rules()
    assert rules.conversation_gap == timedelta(minutes=30)
    assert rules.waiting_expires == timedelta(days=7)
    assert rules.count_inferred is True
    assert rules.social_from == 1.0
    assert rules.nudge.waiting_after == timedelta(0)
    assert rules.nudge.cooling_gap_factor == 1.5


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "---\n", "log:\nrules:\n  nudge:\n", "{}", "log: {}", "log: ~", "\ufeff"]
)
def test_nothing_said_is_the_default(text: str) -> None:
    assert loaded(text) == Settings()


def test_a_named_file() -> None:
    Path("other.yaml").write_text("log: {level: debug, format: json}\n", encoding="utf-8")
    assert load(Path("other.yaml"), environment={}).log == LogSettings(level="debug", format="json")
    assert existing_path(Path("other.yaml")) == Path("other.yaml")


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    Path("config.yaml").write_bytes(b"\xef\xbb\xbflog:\r\n  level: debug\r\n")
    assert load(environment={}).log.level == "debug"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        Settings().database = "sqlite:///other.db"  # type: ignore[misc]


# The example


def test_the_example_is_the_default() -> None:
    assert load(EXAMPLE, environment={}) == Settings()


def test_the_example_documents_every_key_with_its_default_and_no_other() -> None:
    text = re.sub(r"(?m)^( *)# ([a-z_]+: \S+)$", r"\1\2", EXAMPLE.read_text(encoding="utf-8"))
    assert loaded(text) == Settings()
    named = {".".join(str(part) for part in path) for path in read(text).lines if path}
    assert named == {*keys_of(Settings), "log", "rules", "rules.nudge"}


def test_the_example_names_the_bounds_of_every_key_that_has_them() -> None:
    written = dict(written_bounds(EXAMPLE.read_text(encoding="utf-8")))
    assert written == dict(bounds_of(Settings))
    assert len(written) > 30


# The order of the places


def test_the_command_line_comes_before_the_environment_before_the_file() -> None:
    Path("config.yaml").write_text("database: sqlite:///file.db\n", encoding="utf-8")
    environment = {"SPADE_DATABASE_URL": "postgresql://u:p@h/environment"}
    assert load(environment={}).database == "sqlite:///file.db"
    assert load(environment={"SPADE_DATABASE_URL": ""}).database == "sqlite:///file.db"
    assert load(environment=environment).database == "postgresql://u:p@h/environment"
    assert load(database="sqlite:///option.db", environment=environment).database == "sqlite:///option.db"


def test_a_wrong_url_in_the_environment_is_named_as_such() -> None:
    with pytest.raises(ConfigError) as caught:
        load(environment={"SPADE_DATABASE_URL": "mysql://u:s3cret@h/d"})
    assert str(caught.value) == (
        "SPADE_DATABASE_URL: Spade keeps its record in SQLite or PostgreSQL, not mysql; "
        "write sqlite:///spade.db or postgresql://user@host/name"
    )


def test_token() -> None:
    assert bot_token({"SPADE_TOKEN": " abc\n"}) == "abc"
    for environment in ({}, {"SPADE_TOKEN": " "}):
        with pytest.raises(ConfigError) as caught:
            bot_token(environment)
        assert str(caught.value) == (
            "SPADE_TOKEN is not set; put the bot's token into that environment variable "
            "(Discord Developer Portal, your application, Bot, Reset Token)"
        )


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("Bot a.b.c", "begins with the word Bot; give it the token alone"),
        ("'a.b.c'", "has quotes around the token; give it without them"),
        *(
            (
                wrong,
                (
                    "has a space, a line break or another character in it that no token has; "
                    "copy the token again, alone and in one piece"
                ),
            )
            for wrong in ("a.b\n.c", "a.b .c", "a.b\x00c", "a.b\u2026")
        ),
    ],
)
def test_what_cannot_be_a_token_is_not_sent_to_discord(token: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        bot_token({"SPADE_TOKEN": token})
    assert str(caught.value) == f"SPADE_TOKEN {sentence}"


# The file as such


def test_a_link_to_nowhere_is_not_passed_over(folder: Path) -> None:
    (folder / "config.yaml").symlink_to("gone.yaml")
    with pytest.raises(ConfigError, match=r"config\.yaml does not exist"):
        load(environment={})


def test_a_missing_file() -> None:
    with pytest.raises(ConfigError) as caught:
        load(Path("nope.yaml"), environment={})
    assert str(caught.value) == "nope.yaml does not exist; `spade init --config nope.yaml` writes one"


def test_a_folder_in_place_of_the_file(folder: Path) -> None:
    (folder / "config.yaml").mkdir()
    with pytest.raises(ConfigError) as caught:
        load(environment={})
    assert str(caught.value) == "config.yaml cannot be read: Is a directory"


def test_a_file_that_is_something_else() -> None:
    assert refusal("# \n" * 100_000) == (
        "config.yaml is too large to be a configuration; name another file with --config"
    )


def test_a_file_in_another_encoding() -> None:
    Path("config.yaml").write_bytes("log:\n  level: debug # caf\u00e9\n".encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        load(environment={})
    assert str(caught.value) == "config.yaml, line 2: this is not UTF-8 text; save the file as UTF-8"


# Every sentence

SENTENCES = [
    # The keys
    ("databse: x", "line 1: there is no key databse; did you mean database?"),
    ("\nlog:\n  levle: info", "line 3: there is no key log.levle; did you mean log.level?"),
    (
        "rules:\n  nudge:\n    waiting_hours: 4",
        "line 3: there is no key rules.nudge.waiting_hours; did you mean rules.nudge.waiting_after_hours?",
    ),
    ("nudge:\n  waiting_hours: 4", "line 1: there is no key nudge; did you mean rules.nudge?"),
    (
        "waiting_after_hours: 4",
        "line 1: there is no key waiting_after_hours; did you mean rules.nudge.waiting_after_hours?",
    ),
    ("rules:\n  snooze-days: 4", "line 2: there is no key rules.snooze-days; did you mean rules.nudge.snooze_days?"),
    ("Log:\n  level: info", "line 1: there is no key Log; did you mean log?"),
    ("x: 1", "line 1: there is no key x; here it can be database, log, rules"),
    ("'': 1", "line 1: there is no key ''; here it can be database, log, rules"),
    ("5: 1", "line 1: there is no key 5; here it can be database, log, rules"),
    (r'"a\x1b[31m": 1', r"line 1: there is no key 'a\x1b[31m'; here it can be database, log, rules"),
    ("log:\n  xyz: 1", "line 2: there is no key log.xyz; here it can be level, format"),
    ("time_zone: UTC", "line 1: there is no key time_zone; each server has its own, set in Discord with /setup"),
    (
        "rules:\n  managers: [1]",
        "line 2: there is no key rules.managers; each server has its own, set in Discord with /setup",
    ),
    ("hour: 09:00", "line 1: there is no key hour; each server has its own, set in Discord with /nudges"),
    ("log: {level: loud}\nx: 1", "line 1: log.level must be one of debug, info, warning, error, not 'loud'"),
    ("x: 1\nlog: {level: loud}", "line 1: there is no key x; here it can be database, log, rules"),
    # The values
    (
        "log:\n  level: INFO",
        "line 2: log.level must be one of debug, info, warning, error, not 'INFO'; did you mean info?",
    ),
    (
        "log:\n  level: warn",
        "line 2: log.level must be one of debug, info, warning, error, not 'warn'; did you mean warning?",
    ),
    ("log:\n  format: yaml", "line 2: log.format must be one of text, json, not 'yaml'"),
    ("log:\n  level:", "line 2: log.level has no value; give it one of debug, info, warning, error or delete the line"),
    ("database:", "line 1: database has no value; give it text or delete the line"),
    ("database: 5", "line 1: database must be text, not 5"),
    ("database: true", "line 1: database must be text, not true"),
    ("database: [a]", "line 1: database must be text, not a list"),
    ("log: debug", "line 1: log must be a group of keys, indented below it, not 'debug'"),
    ("rules:\n- 1", "line 1: rules must be a group of keys, indented below it, not a list"),
    ("rules:\n  verdict_weeks: '4'", "line 2: rules.verdict_weeks must be a whole number from 1 to 12, not '4'"),
    ("rules:\n  verdict_weeks: 4.5", "line 2: rules.verdict_weeks must be a whole number from 1 to 12, not 4.5"),
    ("rules:\n  verdict_weeks: 4.0", "line 2: rules.verdict_weeks must be a whole number from 1 to 12, not 4.0"),
    ("rules:\n  verdict_weeks: 0", "line 2: rules.verdict_weeks must be a whole number from 1 to 12, not 0"),
    ("rules:\n  verdict_weeks: 13", "line 2: rules.verdict_weeks must be a whole number from 1 to 12, not 13"),
    ("rules:\n  verdict_weeks: 010", "line 2: rules.verdict_weeks must be a whole number from 1 to 12, not '010'"),
    ("rules:\n  verdict_weeks: 1_0", "line 2: rules.verdict_weeks must be a whole number from 1 to 12, not '1_0'"),
    ("rules:\n  verdict_weeks: 0x4", "line 2: rules.verdict_weeks must be a whole number from 1 to 12, not '0x4'"),
    ("rules:\n  verdict_weeks: true", "line 2: rules.verdict_weeks must be a whole number from 1 to 12, not true"),
    (
        "rules:\n  verdict_weeks: {a: 1}",
        "line 2: rules.verdict_weeks must be a whole number from 1 to 12, not a group of keys",
    ),
    (
        "rules:\n  nudge:\n    waiting_after_hours: 09:00",
        "line 3: rules.nudge.waiting_after_hours must be a whole number from 0 to 336, not '09:00'",
    ),
    (
        "rules:\n  nudge:\n    snooze_days: 7d",
        "line 3: rules.nudge.snooze_days must be a whole number from 1 to 365, not '7d'",
    ),
    ("rules:\n  social_from: .nan", "line 2: rules.social_from must be a number from 0 to 1, not '.nan'"),
    ("rules:\n  social_from: 1e-1", "line 2: rules.social_from must be a number from 0 to 1, not '1e-1'"),
    ("rules:\n  social_from: 50", "line 2: rules.social_from must be a number from 0 to 1, not 50"),
    *(
        (f"rules:\n  count_inferred: {word}", f"line 2: rules.count_inferred must be true or false, not {word!r}")
        for word in ("yes", "no", "on", "off", "True", "y")
    ),
    ("rules:\n  count_inferred: 1", "line 2: rules.count_inferred must be true or false, not 1"),
    # Values that contradict each other
    ("rules:\n  social_from: 0.2", "line 2: rules.influence_to (0.25) must be below rules.social_from (0.2)"),
    (
        "rules:\n  social_from: 0.7\n  influence_to: 0.7",
        "line 3: rules.influence_to (0.7) must be below rules.social_from (0.7)",
    ),
    (
        "rules:\n  verdict_needs_conversations: 4",
        "line 2: rules.spread_needs_conversations (5) must be at most rules.verdict_needs_conversations (4)",
    ),
    (
        "rules:\n  nudge:\n    unmet_active_days: 31",
        "line 3: rules.nudge.unmet_active_days (31) must be at most rules.nudge.unmet_window_days (30)",
    ),
    (
        "rules: {nudge: {newcomer_after_hours: 24, newcomer_until_days: 1}}",
        "line 1: rules.nudge.newcomer_after_hours (24) must end before rules.nudge.newcomer_until_days (1)",
    ),
    # The token
    *(
        (
            f"x: 1\n{key}: abc",
            (
                f"line 2: {key}: the token does not belong in this file; "
                "delete it here and put it into the environment variable SPADE_TOKEN"
            ),
        )
        for key in ("token", "bot_token", "discord-token", "SPADE_TOKEN")
    ),
    (
        "discord:\n  token: abc",
        (
            "line 2: discord.token: the token does not belong in this file; "
            "delete it here and put it into the environment variable SPADE_TOKEN"
        ),
    ),
    # The database
    ("\ndatabase: spade.db", "line 2: database: spade.db is a path, not a URL; write sqlite:///spade.db"),
    # YAML
    ("log:\n  level: info\nlog:\n  level: debug", "line 3: log is given twice, first on line 1; keep one of them"),
    (
        "log:\n  level: info\n  format: text\n  level: info",
        "line 4: log.level is given twice, first on line 2; keep one of them",
    ),
    ("log: &a\n  level: info", "line 1: anchors (`&a`) are not used here; delete it at log"),
    ("&a log: 1", "line 1: anchors (`&a`) are not used here; delete it at the file"),
    ("log: *a", "line 1: aliases (`*a`) are not used here; write log out"),
    ("rules:\n  <<: {verdict_weeks: 4}", "line 2: merge keys (`<<`) are not used here; write the keys out"),
    (
        "rules:\n  verdict_weeks: !!int '4'",
        "line 2: tags (`tag:yaml.org,2002:int`) are not used here; delete it at rules.verdict_weeks",
    ),
    ("log: !x {}", "line 1: tags (`!x`) are not used here; delete it at log"),
    ("log:\n---\nlog:", "line 2: a second document starts here; keep one, without `---`"),
    ("- log", "line 1: keys are expected here, such as `database: …`"),
    ("\nhello", "line 2: keys are expected here, such as `database: …`"),
    ("? [a]\n: 1", "line 1: a key must be a plain word, not a list or a group of keys"),
    ("log:\n\tlevel: info", "line 2: a tab cannot indent YAML; use spaces"),
    (
        "log: level: info",
        (
            "line 1: this is not valid YAML (mapping values are not allowed here); "
            "check the indentation, the colons and the quotes here"
        ),
    ),
    (
        "log:\n  level: 'info\n",
        (
            "line 3: this is not valid YAML (found unexpected end of stream); "
            "check the indentation, the colons and the quotes here"
        ),
    ),
    ("log:\n  level: \0", r"line 2: the character '\x00' is not allowed in YAML; delete it"),
    ('a:\n  "\\U00110000"', "line 2: this is not valid YAML (a number is out of range)"),
    (f"a:\n  {'[' * 40}", "line 2: more than 20 levels deep; Spade has no key as deep as that"),
    (r'database: "\ud800"', r"line 1: '\ud800' holds half a character; delete its escape"),
]


@pytest.mark.parametrize(("text", "sentence"), SENTENCES, ids=[text[:40] for text, _ in SENTENCES])
def test_sentences(text: str, sentence: str) -> None:
    assert refusal(text) == f"config.yaml, {sentence}"


def test_a_named_file_is_named_in_the_sentence() -> None:
    Path("other.yaml").write_text("log: {level: loud}", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"^other\.yaml, line 1: log\.level must be one of"):
        load(Path("other.yaml"), environment={})


def test_sentences_do_not_repeat_secrets() -> None:
    assert "s3cret" not in refusal("database: mysql://u:s3cret@h/d")
    assert "s3cret" not in refusal("log:\n  level: postgresql://u:s3cret@h/d")
    assert "s3cret" not in refusal("token: s3cret")
    with pytest.raises(ConfigError) as caught:
        loaded("database: mysql://u:s3cret@h/d")
    assert caught.value.__suppress_context__


# Arbitrary text


LINES = st.sampled_from(
    [
        "log:",
        "  level: ",
        "rules:",
        "  nudge:",
        "    snooze_days: 7",
        "- ",
        "'",
        '"',
        "&a",
        "*a",
        "<<: ",
        "!x ",
        "\t",
        "|",
        ">",
        "? ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        "---",
        "...",
        "%YAML 1.1",
        "%TAG ! x",
        "#",
        "\n",
        " ",
        "\\U00110000",
        "1",
        "true",
        ",",
    ]
)


@given(st.one_of(st.text(), st.lists(LINES).map("".join), st.lists(LINES).map("\n".join)))
@example("%YAML 1." + "9" * 5000 + "\n---\n")
@example("1" * 5000)
@example("[" * 5000)
@example("- " * 2000)
@example("\ud800")
@example("a: !!python/object/apply:os.system [ls]")
@settings(deadline=None)  # other work on the machine is no failure
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        document = read(text)
    except StrictYamlError as error:
        refused = error
    else:
        assert document.value is None or () in document.lines
        return
    assert refused.line >= 1
    assert str(refused).isprintable()


def complaint_about(content: bytes) -> str:
    Path("any.yaml").write_bytes(content)
    try:
        load(Path("any.yaml"), environment={})
    except ConfigError as error:
        return str(error)
    return ""


@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))))
@settings(deadline=None)  # other work on the machine is no failure
def test_any_file_is_loaded_or_refused_with_a_sentence(content: bytes) -> None:
    assert complaint_about(content).isprintable()


KEYS = st.text() | st.sampled_from(["log", "rules", "nudge", "level", "database", "verdict_weeks"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
@settings(deadline=None)  # other work on the machine is no failure
def test_any_values_are_loaded_or_refused_with_a_sentence(value: object) -> None:
    assert complaint_about(json.dumps({"rules": value, "log": value, "x": value}).encode()).isprintable()
    assert complaint_about(json.dumps({"rules": value, "database": value}).encode()).isprintable()


# Database URLs


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("sqlite:///spade.db", "sqlite:///spade.db"),
        (" sqlite:///spade.db\n", "sqlite:///spade.db"),
        ("sqlite:////var/lib/spade.db", "sqlite:////var/lib/spade.db"),
        ("sqlite:///a folder/é.db", "sqlite:///a folder/é.db"),
        ("sqlite:///C:/spade.db", "sqlite:///C:/spade.db"),
        ("SQLite:///spade.db", "sqlite:///spade.db"),
        ("postgresql://u:p@h:5432/d?ssl=require", "postgresql://u:p@h:5432/d?ssl=require"),
        ("postgresql://u:p%40q@h/d", "postgresql://u:p%40q@h/d"),
        ("postgresql:///d?host=/run/postgresql", "postgresql:///d?host=/run/postgresql"),
        ("postgres://u@[::1]:5432/d", "postgresql://u@[::1]:5432/d"),
    ],
)
def test_database_urls(url: str, normal: str) -> None:
    assert database_url(url) == normal
    assert database_url(normal) == normal


EXAMPLES = "write sqlite:///spade.db or postgresql://user@host/name"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", f"there is no database URL; {EXAMPLES}"),
        ("sqlite:///a\nb", rf"a database URL has no such characters: 'sqlite:///a\nb'; {EXAMPLES}"),
        ("spade.db", "spade.db is a path, not a URL; write sqlite:///spade.db"),
        ("/var/spade.db", "/var/spade.db is a path, not a URL; write sqlite:////var/spade.db"),
        (r"C:\spade\x.db", r"C:\spade\x.db is a path, not a URL; write sqlite:///C:/spade/x.db"),
        ("mysql://h/d", f"Spade keeps its record in SQLite or PostgreSQL, not mysql; {EXAMPLES}"),
        ("http://h/d", f"Spade keeps its record in SQLite or PostgreSQL, not http; {EXAMPLES}"),
        (
            "sqlite+aiosqlite:///x.db",
            "Spade chooses the driver itself; write sqlite:// in place of sqlite+aiosqlite://",
        ),
        (
            "postgresql+asyncpg://u@h/d",
            "Spade chooses the driver itself; write postgresql:// in place of postgresql+asyncpg://",
        ),
        (
            "sqlite://x.db",
            (
                "sqlite://x.db does not have three slashes before its path; "
                "write sqlite:///x.db (or sqlite:////x.db for the absolute path /x.db)"
            ),
        ),
        (
            "sqlite:x.db",
            (
                "sqlite:x.db does not have three slashes before its path; "
                "write sqlite:///x.db (or sqlite:////x.db for the absolute path /x.db)"
            ),
        ),
        ("sqlite://", "a SQLite database needs a file, or all would be forgotten; write sqlite:///spade.db"),
        ("sqlite:///:memory:", "a SQLite database needs a file, or all would be forgotten; write sqlite:///spade.db"),
        (
            "sqlite:///~/x.db",
            "~ does not stand for the home folder in a URL; write it out: sqlite:////home/me/spade.db",
        ),
        ("sqlite:///x.db?mode=ro", "a SQLite URL takes no options; write sqlite:///x.db"),
        ("sqlite:///data/", "sqlite:///data/ names a folder; write sqlite:///data/spade.db"),
        ("postgresql:u@h/d", "a PostgreSQL URL has two slashes; write postgresql://user@host/name"),
        (
            "postgresql://u:p/q@h/d",
            (
                "the host or port of the PostgreSQL URL cannot be read; "
                "write postgresql://user:password@host:5432/name, "
                "with / ? # @ and : in the password escaped as %2F %3F %23 %40 and %3A"
            ),
        ),
        *(
            (
                f"postgresql://u:{password}@h/d",
                (
                    "the password of the PostgreSQL URL ends too early; "
                    "write / ? # @ and : in it as %2F %3F %23 %40 and %3A"
                ),
            )
            for password in ("p@s/w", "p@s#w", "12#w", "12?w", "12/w")
        ),
        ("postgresql://u:p@h", "the PostgreSQL URL names no database; write postgresql://u:***@h/name"),
        ("postgresql://u@h/?ssl=require", "the PostgreSQL URL names no database; write postgresql://u@h/name"),
    ],
)
def test_database_urls_refused(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        database_url(url)
    assert str(caught.value) == sentence


@example("sqlite:///~nobody.db")
@given(
    st.text()
    | st.builds("{}{}".format, st.sampled_from(["sqlite:", "sqlite:///", "postgresql:", "postgresql://"]), st.text())
)
@settings(deadline=None)  # other work on the machine is no failure
def test_any_url_is_taken_or_refused(text: str) -> None:
    try:
        url = database_url(text)
    except ConfigError:
        return
    assert database_url(url) == url
    assert url.startswith(("sqlite:///", "postgresql://"))


def test_database_file() -> None:
    assert database_file("sqlite:///spade.db") == Path("spade.db")
    assert database_file("sqlite:////var/lib/spade.db") == Path("/var/lib/spade.db")
    assert database_file("postgresql://h/d") is None
