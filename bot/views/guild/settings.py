"""What `/settings` says."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.guild import GuildSettings
from bot.views.guild.permissions import channel_list
from bot.views.guild.setup import LANGUAGE_NAMES
from bot.views.guild.setup_summary import Setup, setup_saved
from bot.views.kit.letter import CONTENT_LIMIT
from bot.views.words.names import safe_name
from bot.views.words.sentence import listing, say, say_count
from bot.views.words.text import cut

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class SettingsFacts:
    """Everything that is set for a server, with names as far as they could be looked up."""

    settings: GuildSettings
    setup: Setup
    ignored: Sequence[str] = ()
    ignored_roles: Sequence[str] = ()


def settings_text(facts: SettingsFacts, note: str | None = None) -> str:
    """What is set now, after a note on what was changed, if anything was."""
    settings = facts.settings
    lines = [] if note is None else [note, ""]
    lines += [setup_saved(facts.setup), _ignored_line(facts), _kept_line(settings.keep_months)]
    lines.append(
        say(
            "Language: {language}. The digest gives its verdict: {verdict}.",
            language=LANGUAGE_NAMES.get(settings.language, settings.language),
            verdict=say("yes") if settings.show_verdict else say("no"),
        )
    )
    return cut("\n".join(lines), CONTENT_LIMIT)


def included_again(channel_id: int) -> str:
    """The note after a channel counts again."""
    return say(
        "{channel} counts again, from now on. `/backfill start` reads what was written there meanwhile.",
        channel=channel_list((channel_id,)),
    )


def excluded_now(channel_id: int) -> str:
    """The note after a channel stopped counting."""
    return say(
        "{channel} does not count any more, nor does what was recorded there before.",
        channel=channel_list((channel_id,)),
    )


def nothing_named() -> str:
    """The answer to a change that names nothing."""
    return say("Name what to change: the options appear while you type.")


def keeps(months: int | None) -> str:
    """The note after a change of how long the record is kept."""
    if months is None:
        return say("Everything is kept.")
    return say_count(
        "What is older than {count} month is deleted today, and then every day. Whoever was met before that counts as "
        "not met.",
        "What is older than {count} months is deleted today, and then every day. Whoever was met before that counts as "
        "not met.",
        count=months,
    )


def role_noted(name: str) -> str:
    """The note after a role was put on the ignore list."""
    return say(
        "Whoever bears {role} is ignored from the next time Spade sees them write.",
        role=safe_name(name, unnamed=say("that role")),
    )


def _ignored_line(facts: SettingsFacts) -> str:
    shown = [safe_name(name) for name in (*facts.ignored_roles, *facts.ignored)]
    if not shown:
        return say("Ignored: nobody. Put staff and helpers on the list with `/settings ignore`.")
    left = len(shown) - _SHOWN
    if left > 0:
        return say_count(
            "Ignored: {names} and one more.",
            "Ignored: {names} and {count} more.",
            count=left,
            names=", ".join(shown[:_SHOWN]),
        )
    return say("Ignored: {names}.", names=listing(shown))


def _kept_line(months: int | None) -> str:
    if months is None:
        return say("The record is kept without limit.")
    return say_count("The record is kept for {count} month.", "The record is kept for {count} months.", count=months)
