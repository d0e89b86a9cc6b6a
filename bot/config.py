"""The configuration of the process: one YAML file, and environment variables for what is secret.

What belongs to a server (its managers, channels, time zone, hours) is set in Discord and kept in the database;
no key is in both places.
"""

import difflib
import os
import re
import typing
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from bot import strict_yaml
from bot.domain import rules as domain
from bot.redaction import redact
from bot.strict_yaml import StrictYamlError, dotted, legible

DEFAULT_PATH = Path("config.yaml")
TOKEN_VARIABLE = "SPADE_TOKEN"  # noqa: S105 -- the name of the variable
DATABASE_VARIABLE = "SPADE_DATABASE_URL"

_LARGEST_FILE = 256 * 1024
_TOKEN_KEYS = ("token", "bot_token", "discord_token", "spade_token")
_GUILD_KEYS = {
    **dict.fromkeys(("time_zone", "timezone", "managers", "digest_channel", "excluded_channels"), "/setup"),
    **dict.fromkeys(("channels", "guild", "guilds", "ignore"), "/setup"),
    **dict.fromkeys(("hour", "hours", "days", "weekdays"), "/nudges"),
}
_DATABASE_EXAMPLES = "sqlite:///spade.db or postgresql://user@host/name"


class ConfigError(ValueError):
    """A configuration Spade cannot start with: one sentence that says where, what, and how to mend it."""


class _Section(BaseModel):
    """A group of keys. A group without a key is one with the defaults: in YAML it reads as empty."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_default(cls, value: object) -> object:
        return {} if value is None else value


class LogSettings(_Section):
    """What the log tells, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class NudgeSettings(_Section):
    """R9's thresholds in plain units."""

    members_per_nudge: Annotated[int, Field(ge=1, le=5)] = 5  # Discord shows at most five rows of buttons
    wrote_back_per_nudge: Annotated[int, Field(ge=0, le=5)] = 2
    waiting_after_hours: Annotated[int, Field(ge=0, le=336)] = 4
    newcomer_after_hours: Annotated[int, Field(ge=0, le=336)] = 12
    newcomer_until_days: Annotated[int, Field(ge=1, le=90)] = 14
    unmet_active_days: Annotated[int, Field(ge=1, le=90)] = 3
    unmet_window_days: Annotated[int, Field(ge=1, le=365)] = 30
    cooling_conversations: Annotated[int, Field(ge=2, le=100)] = 3  # a median gap needs two of them
    cooling_after_days: Annotated[int, Field(ge=1, le=365)] = 21
    cooling_gap_factor: Annotated[float, Field(ge=1, le=20)] = 2.0
    cooling_active_days: Annotated[int, Field(ge=1, le=365)] = 14
    offer_again_after_days: Annotated[int, Field(ge=0, le=90)] = 7
    offer_waiting_again_after_days: Annotated[int, Field(ge=0, le=90)] = 2
    snooze_days: Annotated[int, Field(ge=1, le=365)] = 7
    worked_within_hours: Annotated[int, Field(ge=1, le=720)] = 72
    quiet_after_unanswered: Annotated[int, Field(ge=1, le=100)] = 3

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if timedelta(hours=self.newcomer_after_hours) >= timedelta(days=self.newcomer_until_days):
            raise _conflict(self, "newcomer_after_hours", "must end before", "newcomer_until_days")
        if self.unmet_active_days > self.unmet_window_days:
            raise _conflict(self, "unmet_active_days", "must be at most", "unmet_window_days")
        return self

    def domain_rules(self) -> domain.NudgeRules:
        """The same thresholds as the domain takes them."""
        return domain.NudgeRules(
            members_per_nudge=self.members_per_nudge,
            wrote_back_per_nudge=self.wrote_back_per_nudge,
            waiting_after=timedelta(hours=self.waiting_after_hours),
            newcomer_after=timedelta(hours=self.newcomer_after_hours),
            newcomer_until=timedelta(days=self.newcomer_until_days),
            unmet_active_days=self.unmet_active_days,
            unmet_window_days=self.unmet_window_days,
            cooling_conversations=self.cooling_conversations,
            cooling_after=timedelta(days=self.cooling_after_days),
            cooling_gap_factor=self.cooling_gap_factor,
            cooling_active_days=self.cooling_active_days,
            offer_again_after=timedelta(days=self.offer_again_after_days),
            offer_waiting_again_after=timedelta(days=self.offer_waiting_again_after_days),
            snooze=timedelta(days=self.snooze_days),
            worked_within=timedelta(hours=self.worked_within_hours),
            quiet_after_unanswered=self.quiet_after_unanswered,
        )


class RuleSettings(_Section):
    """The thresholds of R3 to R10 in plain units."""

    mention_limit: Annotated[int, Field(ge=0, le=20)] = 2
    answer_within_minutes: Annotated[int, Field(ge=0, le=60)] = 2
    answer_after_address_minutes: Annotated[int, Field(ge=0, le=120)] = 10
    conversation_gap_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    waiting_expires_days: Annotated[int, Field(ge=1, le=90)] = 14
    count_inferred: bool = False
    spread_needs_conversations: Annotated[int, Field(ge=1, le=1000)] = 5
    verdict_needs_conversations: Annotated[int, Field(ge=1, le=1000)] = 20
    verdict_weeks: Annotated[int, Field(ge=1, le=12)] = 4
    social_from: Annotated[float, Field(ge=0, le=1)] = 0.5
    influence_to: Annotated[float, Field(ge=0, le=1)] = 0.25
    stay_from_days: Annotated[int, Field(ge=14, le=365)] = 60
    stay_until_days: Annotated[int, Field(ge=30, le=730)] = 180
    stay_greeted_days: Annotated[int, Field(ge=1, le=30)] = 7
    stay_silent_days: Annotated[int, Field(ge=7, le=180)] = 30
    stay_first_day: Annotated[int, Field(ge=7, le=365)] = 30
    stay_second_day: Annotated[int, Field(ge=14, le=365)] = 60
    stay_needs_members: Annotated[int, Field(ge=5, le=1000)] = 20
    nudge: NudgeSettings = NudgeSettings()

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.influence_to >= self.social_from:
            raise _conflict(self, "influence_to", "must be below", "social_from")
        if self.spread_needs_conversations > self.verdict_needs_conversations:  # a verdict judges the spread
            raise _conflict(self, "spread_needs_conversations", "must be at most", "verdict_needs_conversations")
        if self.stay_from_days >= self.stay_until_days:
            raise _conflict(self, "stay_from_days", "must be below", "stay_until_days")
        if self.stay_first_day >= self.stay_second_day:
            raise _conflict(self, "stay_first_day", "must be below", "stay_second_day")
        return self

    def domain_rules(self) -> domain.Rules:
        """The same thresholds as the domain takes them."""
        return domain.Rules(
            mention_limit=self.mention_limit,
            answer_within=timedelta(minutes=self.answer_within_minutes),
            answer_after_address=timedelta(minutes=self.answer_after_address_minutes),
            conversation_gap=timedelta(minutes=self.conversation_gap_minutes),
            waiting_expires=timedelta(days=self.waiting_expires_days),
            count_inferred=self.count_inferred,
            spread_needs_conversations=self.spread_needs_conversations,
            verdict_needs_conversations=self.verdict_needs_conversations,
            verdict_weeks=self.verdict_weeks,
            social_from=self.social_from,
            influence_to=self.influence_to,
            stay_from=timedelta(days=self.stay_from_days),
            stay_until=timedelta(days=self.stay_until_days),
            stay_greeted=timedelta(days=self.stay_greeted_days),
            stay_silent=timedelta(days=self.stay_silent_days),
            stay_first_day=self.stay_first_day,
            stay_second_day=self.stay_second_day,
            stay_needs_members=self.stay_needs_members,
            nudge=self.nudge.domain_rules(),
        )


class Settings(_Section):
    """Everything the configuration says. The token is not in it, so that nothing that shows it can tell."""

    database: str = "sqlite:///spade.db"
    log: LogSettings = LogSettings()
    rules: RuleSettings = RuleSettings()

    @field_validator("database")
    @classmethod
    def _is_database(cls, value: str) -> str:
        return database_url(value)

    def domain_rules(self) -> domain.Rules:
        """The rules of the domain with the configured thresholds."""
        return self.rules.domain_rules()


def load(
    path: Path | None = None, *, database: str | None = None, environment: Mapping[str, str] = os.environ
) -> Settings:
    """The settings from a file, the environment and the command line.

    Args:
        path: The file; it must exist. None: `config.yaml` in the working directory if there is one, and
            otherwise the defaults.
        database: A URL that comes before everything else.
        environment: Where SPADE_DATABASE_URL is looked up; it comes before the file.

    Raises:
        ConfigError: One sentence for the first thing that is wrong.
    """
    chosen = existing_path(path)
    document = strict_yaml.Document(None) if chosen is None else _read(chosen)
    name = str(path or DEFAULT_PATH)
    values = {} if document.value is None else document.value
    if not isinstance(values, dict):
        raise ConfigError(f"{name}, line {document.lines[()]}: keys are expected here, such as `database: …`")
    _refuse_token(name, document)
    if database is not None:
        values |= {"database": database_url(database)}
    elif environment.get(DATABASE_VARIABLE):
        try:
            values |= {"database": database_url(environment[DATABASE_VARIABLE])}
        except ConfigError as error:
            raise ConfigError(f"{DATABASE_VARIABLE}: {error}") from None
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        # Without its cause: that one quotes the values, which may be secret.
        raise ConfigError(f"{name}, {_first_problem(error, document)}") from None


def existing_path(path: Path | None) -> Path | None:
    """The file that `load` reads: the one that is named, else `config.yaml` if it is there, else none."""
    if path is not None:
        return path
    return DEFAULT_PATH if DEFAULT_PATH.exists() else None


def bot_token(environment: Mapping[str, str] = os.environ) -> str:
    """The bot's token. ConfigError when the environment holds none; its shape is not judged."""
    token = environment.get(TOKEN_VARIABLE, "").strip()
    if not token:
        raise ConfigError(
            f"{TOKEN_VARIABLE} is not set; put the bot's token into that environment variable "
            "(Discord Developer Portal, your application, Bot, Reset Token)"
        )
    return token


def database_url(text: str) -> str:
    """The URL in the form that the rest of Spade relies on: `sqlite:///path` or `postgresql://…`, no driver.

    It does not look whether there is such a database, and never repeats a password.

    Raises:
        ConfigError: What is wrong with it and what to write instead, without naming where it was found.
    """
    url = text.strip()
    if not url:
        raise ConfigError(f"there is no database URL; write {_DATABASE_EXAMPLES}")
    if not url.isprintable():
        raise ConfigError(f"a database URL has no such characters: {legible(redact(url))}; write {_DATABASE_EXAMPLES}")
    scheme, colon, rest = url.partition(":")
    kind, plus, _ = scheme.lower().partition("+")
    if not colon or (len(scheme) == 1 and rest.startswith(("\\", "/"))):  # C:\spade.db has a colon, too
        path = url.replace("\\", "/")
        raise ConfigError(f"{legible(redact(url))} is a path, not a URL; write sqlite:///{path}")
    if kind == "postgres":
        kind = "postgresql"
    if kind not in ("sqlite", "postgresql"):
        raise ConfigError(
            f"Spade keeps its record in SQLite or PostgreSQL, not {legible(scheme)}; write {_DATABASE_EXAMPLES}"
        )
    if plus:
        raise ConfigError(f"Spade chooses the driver itself; write {kind}:// in place of {legible(scheme)}://")
    return _sqlite_url(rest) if kind == "sqlite" else _postgresql_url(rest)


def database_file(url: str) -> Path | None:
    """The file of a SQLite URL as `database_url` returns it, relative to the working directory; else None."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def _sqlite_url(rest: str) -> str:
    path = rest.removeprefix("///")
    if path == rest:
        name = rest.lstrip("/")
        if name:
            raise ConfigError(
                f"sqlite:{legible(rest)} does not have three slashes before its path; write sqlite:///{name} "
                f"(or sqlite:////{name} for the absolute path /{name})"
            )
        path = ""
    if path in ("", ":memory:"):
        raise ConfigError("a SQLite database needs a file, or all would be forgotten; write sqlite:///spade.db")
    if path.startswith("~/"):
        raise ConfigError("~ does not stand for the home folder in a URL; write it out: sqlite:////home/me/spade.db")
    if "?" in path:
        raise ConfigError(f"a SQLite URL takes no options; write sqlite:///{path.partition('?')[0]}")
    if path.endswith("/"):
        raise ConfigError(f"sqlite:///{path} names a folder; write sqlite:///{path}spade.db")
    return f"sqlite:///{path}"


def _postgresql_url(rest: str) -> str:
    if not rest.startswith("//"):
        raise ConfigError("a PostgreSQL URL has two slashes; write postgresql://user@host/name")
    url = f"postgresql:{rest}"
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it is what checks it
    except ValueError:
        raise ConfigError(
            "the host or port of the PostgreSQL URL cannot be read; write postgresql://user:password@host:5432/name, "
            "with / ? # @ and : in the password escaped as %2F %3F %23 %40 and %3A"
        ) from None
    if not parts.path.strip("/"):
        raise ConfigError(
            f"the PostgreSQL URL names no database; write {redact(url.partition('?')[0]).rstrip('/')}/name"
        )
    return url


def _conflict(section: _Section, low: str, relation: str, high: str) -> PydanticCustomError:
    context = {
        "low": low,
        "high": high,
        "relation": f"({getattr(section, low)}) {relation}",
        "value": getattr(section, high),
    }
    return PydanticCustomError("conflict", "two keys contradict each other", context)


def _read(path: Path) -> strict_yaml.Document:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; `spade init --config {path}` writes one") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(content) > _LARGEST_FILE:
        raise ConfigError(f"{path} is too large to be a configuration; name another file with --config")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {line}: this is not UTF-8 text; save the file as UTF-8") from None
    try:
        return strict_yaml.read(text)
    except StrictYamlError as error:
        raise ConfigError(f"{path}, {error}") from None


def _refuse_token(name: str, document: strict_yaml.Document) -> None:
    """A token in the file comes before all other complaints: it should be gone before the file is shown around."""
    for path, line in document.lines.items():
        if path and str(path[-1]).lower().replace("-", "_") in _TOKEN_KEYS:
            raise ConfigError(
                f"{name}, line {line}: {dotted(path)}: the token does not belong in this file; "
                f"delete it here and put it into the environment variable {TOKEN_VARIABLE}"
            )


def _first_problem(error: ValidationError, document: strict_yaml.Document) -> str:
    found = [_problem(details, document) for details in error.errors()]
    line, sentence = min(found, key=lambda problem: problem[0])
    return f"line {line}: {sentence}"


def _problem(details: ErrorDetails, document: strict_yaml.Document) -> tuple[int, str]:
    path = details["loc"]
    context = details.get("ctx", {})
    if details["type"] == "conflict":
        low, high = (*path, context["low"]), (*path, context["high"])
        line = max(document.lines.get(low, 0), document.lines.get(high, 0))
        return line, f"{dotted(low)} {context['relation']} {dotted(high)} ({context['value']})"
    line = document.lines[path]
    if details["type"] == "extra_forbidden":
        return line, f"there is no key {dotted(path)}; {_way_out(path)}"
    if details["type"] == "value_error":
        return line, f"{dotted(path)}: {context['error']}"
    return line, _misfit(path, dict(_keys())[path], details["input"])


def _misfit(path: strict_yaml.Path, key: FieldInfo, value: object) -> str:
    if value is None:
        return f"{dotted(path)} has no value; give it {_expectation(key)} or delete the line"
    sentence = f"{dotted(path)} must be {_expectation(key)}, not {_shown(value)}"
    near = difflib.get_close_matches(str(value).lower(), _choices(key), n=1)
    return f"{sentence}; did you mean {near[0]}?" if near else sentence


def _expectation(key: FieldInfo) -> str:
    if key.annotation is bool:
        return "true or false"
    if key.annotation is int or key.annotation is float:
        low = next(bound.ge for bound in key.metadata if hasattr(bound, "ge"))
        high = next(bound.le for bound in key.metadata if hasattr(bound, "le"))
        return f"a {'whole ' if key.annotation is int else ''}number from {low} to {high}"
    if choices := _choices(key):
        return f"one of {', '.join(choices)}"
    return "text" if key.annotation is str else "a group of keys, indented below it"


def _choices(key: FieldInfo) -> tuple[str, ...]:
    return typing.get_args(key.annotation) if typing.get_origin(key.annotation) is Literal else ()


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a group of keys"
    if isinstance(value, list):
        return "a list"
    return repr(redact(value)[:60]) if isinstance(value, str) else str(value)


def _way_out(path: strict_yaml.Path) -> str:
    """What may have been meant by a key that does not exist."""
    wanted = re.sub(r"\W", "_", str(path[-1]).lower())
    if wanted in _GUILD_KEYS:
        return f"each server has its own, set in Discord with {_GUILD_KEYS[wanted]}"
    everywhere = [known for known, _ in _keys()]
    here = [known for known in everywhere if known[:-1] == path[:-1]]
    for candidates, cutoff in ((everywhere, 1.0), (here, 0.6), (everywhere, 0.8)):
        named = {str(known[-1]): known for known in candidates}
        near = difflib.get_close_matches(wanted, named, n=1, cutoff=cutoff)
        if near:
            return f"did you mean {dotted(named[near[0]])}?"
    return f"here it can be {', '.join(str(known[-1]) for known in here)}"


def _keys(
    section: type[BaseModel] = Settings, path: strict_yaml.Path = ()
) -> Iterator[tuple[strict_yaml.Path, FieldInfo]]:
    """Every key of the configuration, groups included."""
    for name, key in section.model_fields.items():
        yield (*path, name), key
        if isinstance(key.annotation, type) and issubclass(key.annotation, BaseModel):
            yield from _keys(key.annotation, (*path, name))
