"""Short answers about a server's setup. Only the person who asked sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.views.guild.permissions import NAMES_SHOWN, PERMISSION_NAMES, channel_list, permissions
from bot.views.kit.letter import CONTENT_LIMIT
from bot.views.words.dates import weekday_name
from bot.views.words.names import safe_name
from bot.views.words.sentence import listing, say, say_count
from bot.views.words.text import cut


@dataclass(frozen=True, slots=True)
class Setup:
    """A server's settings as they stand after `/setup`.

    `unreadable_channel_ids` are channels where Spade lacks View Channel or Read Message History;
    `digest_channel_writable` is None without a digest channel.
    """

    manager_names: Sequence[str]
    zone_name: str
    digest_channel_id: int | None = None
    digest_channel_writable: bool | None = None
    digest_weekday: int = 0
    digest_hour: int = 9
    excluded_channel_ids: Sequence[int] = ()
    unreadable_channel_ids: Sequence[int] = ()
    digest_missing: Sequence[str] = ()
    """The permissions that Spade lacks in the digest's channel, as Discord's API names them."""
    manager_roles: Sequence[str] = ()


def setup_saved(setup: Setup) -> str:
    """The answer to `/setup`: what holds now, what is missing, what to do next."""
    lines = [
        say("**Spade is set up.**")
        if setup.manager_names or setup.manager_roles
        else say("**Spade still needs its managers.**"),
        _managers_line(setup),
        _digest_line(setup),
        say("Time zone: {zone}. Weeks begin there on Monday at 00:00.", zone=safe_name(setup.zone_name, 64)),
    ]
    if setup.excluded_channel_ids:
        lines.append(say("Not counted: {channels}.", channels=channel_list(setup.excluded_channel_ids)))
    if setup.unreadable_channel_ids:
        lines.append(
            say(
                "I cannot read the history of {channels}. Where that is not on purpose, give me View Channel and "
                "Read Message History.",
                channels=channel_list(setup.unreadable_channel_ids),
            )
        )
    if setup.manager_names:
        lines.append(say("Each manager who wants nudges turns them on with `/nudges on`."))
    return cut("\n".join(lines), CONTENT_LIMIT)


def no_such_zone(text: str) -> str:
    """The answer to a time zone that does not exist."""
    return say(
        "I know no time zone {text}. Choose one from the list that appears while you type, such as Europe/Berlin.",
        text=safe_name(text),
    )


def bots_are_no_managers() -> str:
    """The answer to naming a bot as a manager."""
    return say("A bot cannot be a manager: Spade counts what people write to people.")


def _managers_line(setup: Setup) -> str:
    if setup.manager_roles and not setup.manager_names:
        return say(
            "Managers: whoever bears {roles}, from the first time I see them write or use a command.",
            roles=listing([safe_name(name) for name in setup.manager_roles[:NAMES_SHOWN]]),
        )
    if not setup.manager_names:
        return say("Managers: nobody yet. Add people with `/setup`; their replies are what Spade looks at.")
    shown = [safe_name(name) for name in setup.manager_names[:NAMES_SHOWN]]
    left = len(setup.manager_names) - len(shown)
    if left:
        return say_count(
            "Managers: {names} and one more.",
            "Managers: {names} and {count} more.",
            count=left,
            names=", ".join(shown),
        )
    return say("Managers: {names}.", names=listing(shown))


def _digest_line(setup: Setup) -> str:
    if setup.digest_channel_id is None:
        return say("Weekly digest: no channel chosen, so none is posted.")
    if setup.digest_channel_writable is False:
        return say(
            "Weekly digest: {channel}, but I cannot post there yet. What is missing there: {permissions}.",
            channel=channel_list((setup.digest_channel_id,)),
            permissions=permissions(setup.digest_missing or tuple(PERMISSION_NAMES)[:4]),
        )
    return say(
        "Weekly digest: {channel}, {weekday} from {hour}.",
        channel=channel_list((setup.digest_channel_id,)),
        weekday=weekday_name(setup.digest_weekday),
        hour=f"{setup.digest_hour:02}:00",
    )
