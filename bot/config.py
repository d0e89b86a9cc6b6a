"""The configuration of the process: one YAML file, and environment variables for secrets.

The settings of a server (managers, channels, time zone, hours) are made in Discord and stored in the database. No key
exists in both places.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from bot import strict_yaml
from bot.bot_token import TOKEN_VARIABLE
from bot.config_error import ConfigError
from bot.config_section import NORMAL_FORM, Contradiction, Section, section_of
from bot.database_url import database_url
from bot.domain import rules as domain
from bot.strict_yaml import StrictYamlError, dotted

DEFAULT_PATH = Path("config.yaml")
DATABASE_VARIABLE = "SPADE_DATABASE_URL"

_LARGEST_FILE = 256 * 1024
_TOKEN_KEYS = ("token", "bot_token", "discord_token", "spade_token")


class LogSettings(Section, frozen=True):
    """The level and format of the log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class NudgeSettings(Section, frozen=True):
    """The thresholds of nudges, in hours, days and counts (docs/rules.md#thresholds)."""

    members_per_nudge: Annotated[int, Meta(ge=1, le=5)] = 5  # Discord shows at most five rows of buttons
    wrote_back_per_nudge: Annotated[int, Meta(ge=0, le=5)] = 2
    waiting_after_hours: Annotated[int, Meta(ge=0, le=336)] = 4
    newcomer_after_hours: Annotated[int, Meta(ge=0, le=336)] = 12
    newcomer_until_days: Annotated[int, Meta(ge=1, le=90)] = 14
    unmet_active_days: Annotated[int, Meta(ge=1, le=90)] = 3
    unmet_window_days: Annotated[int, Meta(ge=1, le=365)] = 30
    cooling_conversations: Annotated[int, Meta(ge=2, le=100)] = 3  # a median gap needs two of them
    cooling_after_days: Annotated[int, Meta(ge=1, le=365)] = 21
    cooling_gap_factor: Annotated[float, Meta(ge=1, le=20)] = 2.0
    cooling_active_days: Annotated[int, Meta(ge=1, le=365)] = 14
    offer_again_after_days: Annotated[int, Meta(ge=0, le=90)] = 7
    offer_waiting_again_after_days: Annotated[int, Meta(ge=0, le=90)] = 2
    snooze_days: Annotated[int, Meta(ge=1, le=365)] = 7
    worked_within_hours: Annotated[int, Meta(ge=1, le=720)] = 72
    quiet_after_unanswered: Annotated[int, Meta(ge=1, le=100)] = 3

    def contradictions(self) -> Iterator[Contradiction]:
        """Which keys contradict each other."""
        if timedelta(hours=self.newcomer_after_hours) >= timedelta(days=self.newcomer_until_days):
            yield Contradiction("newcomer_after_hours", "must end before", "newcomer_until_days")
        if self.unmet_active_days > self.unmet_window_days:
            yield Contradiction("unmet_active_days", "must be at most", "unmet_window_days")

    def domain_rules(self) -> domain.NudgeRules:
        """The same thresholds as a domain object."""
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


class RuleSettings(Section, frozen=True):
    """The thresholds of the rules, in minutes, days and counts (docs/rules.md#thresholds)."""

    mention_limit: Annotated[int, Meta(ge=0, le=20)] = 2
    answer_within_minutes: Annotated[int, Meta(ge=0, le=60)] = 2
    answer_after_address_minutes: Annotated[int, Meta(ge=0, le=120)] = 10
    conversation_gap_minutes: Annotated[int, Meta(ge=1, le=1440)] = 60
    waiting_expires_days: Annotated[int, Meta(ge=1, le=90)] = 14
    count_inferred: bool = False
    spread_needs_conversations: Annotated[int, Meta(ge=1, le=1000)] = 5
    verdict_needs_conversations: Annotated[int, Meta(ge=1, le=1000)] = 20
    verdict_weeks: Annotated[int, Meta(ge=1, le=12)] = 4
    social_from: Annotated[float, Meta(ge=0, le=1)] = 0.5
    influence_to: Annotated[float, Meta(ge=0, le=1)] = 0.25
    stay_from_days: Annotated[int, Meta(ge=14, le=365)] = 60
    stay_until_days: Annotated[int, Meta(ge=30, le=730)] = 180
    stay_greeted_days: Annotated[int, Meta(ge=1, le=30)] = 7
    stay_silent_days: Annotated[int, Meta(ge=7, le=180)] = 30
    stay_first_day: Annotated[int, Meta(ge=7, le=365)] = 30
    stay_second_day: Annotated[int, Meta(ge=14, le=365)] = 60
    stay_needs_members: Annotated[int, Meta(ge=5, le=1000)] = 20
    nudge: NudgeSettings = NudgeSettings()

    def contradictions(self) -> Iterator[Contradiction]:
        """Which keys contradict each other."""
        if self.influence_to >= self.social_from:
            yield Contradiction("influence_to", "must be below", "social_from")
        if self.spread_needs_conversations > self.verdict_needs_conversations:  # a verdict needs the spread
            yield Contradiction("spread_needs_conversations", "must be at most", "verdict_needs_conversations")
        if self.stay_from_days >= self.stay_until_days:
            yield Contradiction("stay_from_days", "must be below", "stay_until_days")
        if self.stay_first_day >= self.stay_second_day:
            yield Contradiction("stay_first_day", "must be below", "stay_second_day")

    def domain_rules(self) -> domain.Rules:
        """The same thresholds as a domain object."""
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


class Settings(Section, frozen=True):
    """The whole configuration. The token is not part of it, so that showing the settings cannot reveal the token."""

    database: Annotated[str, Meta(extra={NORMAL_FORM: database_url})] = "sqlite:///spade.db"
    log: LogSettings = LogSettings()
    rules: RuleSettings = RuleSettings()

    def domain_rules(self) -> domain.Rules:
        """The rules of the domain with the configured thresholds."""
        return self.rules.domain_rules()


def load(
    path: Path | None = None, *, database: str | None = None, environment: Mapping[str, str] = os.environ
) -> Settings:
    """The settings from a file, the environment and the command line.

    Args:
        path: The file, which must exist. None reads `config.yaml` in the working directory if it exists, and uses the
            defaults otherwise.
        database: A database URL that overrides the environment and the file.
        environment: Where SPADE_DATABASE_URL is looked up; it overrides the file.

    Raises:
        ConfigError: One sentence about the first problem.
    """
    return _settings(path, database, environment)[0]


def given_keys(
    path: Path | None = None, *, database: str | None = None, environment: Mapping[str, str] = os.environ
) -> dict[str, object]:
    """The keys that the same file, environment and command line name, even if with the default, and their values."""
    settings, values = _settings(path, database, environment)
    return dict(_given(settings, values))


def _given(section: Section, values: dict[Any, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name in section.__struct_fields__:
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from _given(value, values.get(name) or {}, f"{prefix}{name}.")
        elif name in values:
            yield f"{prefix}{name}", value


def _settings(
    path: Path | None, database: str | None, environment: Mapping[str, str]
) -> tuple[Settings, dict[Any, Any]]:
    chosen = existing_path(path)
    document = strict_yaml.YamlDocument(None) if chosen is None else _read(chosen)
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
        return section_of(Settings, values, document), values
    except ConfigError as error:
        raise ConfigError(f"{name}, {error}") from None


def existing_path(path: Path | None) -> Path | None:
    """The file that `load` reads: `path` if given, else `config.yaml` if it exists, else None."""
    if path is not None:
        return path
    return DEFAULT_PATH if os.path.lexists(DEFAULT_PATH) else None  # a broken link is reported, not ignored


def _read(path: Path) -> strict_yaml.YamlDocument:
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


def _refuse_token(name: str, document: strict_yaml.YamlDocument) -> None:
    """Raise ConfigError if the file holds a token. Checked first, before the user shares the file to ask for help."""
    for path, line in document.lines.items():
        if path and str(path[-1]).lower().replace("-", "_") in _TOKEN_KEYS:
            raise ConfigError(
                f"{name}, line {line}: {dotted(path)}: the token does not belong in this file; "
                f"delete it here and put it into the environment variable {TOKEN_VARIABLE}"
            )
