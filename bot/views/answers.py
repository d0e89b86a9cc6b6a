"""Short answers to commands. All of them are shown to the person who asked, and to nobody else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.domain.delivery import DeliveryState
from bot.domain.nudge_time import NoNudge
from bot.views.dates import day_label, weekday_name, weekdays_label
from bot.views.letter import CONTENT_LIMIT
from bot.views.names import plain_name, safe_guild, safe_name
from bot.views.sentence import listing, mark, number, say, say_count
from bot.views.text import cut
from bot.views.welcome import Enrolment

_NAMES_SHOWN = 8


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
        lines.append(say("Not counted: {channels}.", channels=_channels(setup.excluded_channel_ids)))
    if setup.unreadable_channel_ids:
        lines.append(
            say(
                "I cannot read the history of {channels}. Where that is not on purpose, give me View Channel and "
                "Read Message History.",
                channels=_channels(setup.unreadable_channel_ids),
            )
        )
    if setup.manager_names:
        lines.append(say("Each manager who wants nudges turns them on with `/nudges on`."))
    return cut("\n".join(lines), CONTENT_LIMIT)


def nudges_on(enrolment: Enrolment) -> str:
    """The answer to `/nudges on` once the first message has arrived."""
    return say(
        "Nudges are on: {weekdays} at {hour} ({zone}). I have just sent you a first message.",
        weekdays=weekdays_label(enrolment.weekdays),
        hour=f"{enrolment.hour:02}:00",
        zone=safe_name(enrolment.zone_name),
    )


def nudges_closed(guild_name: str) -> str:
    """The answer to `/nudges on` when Discord refused the first message."""
    return say(
        "Discord did not let me send you a direct message, so nothing will come yet. Allow direct messages in the "
        "privacy settings of {guild} (hold or right-click its icon), then use `/nudges on` again.",
        guild=safe_guild(guild_name),
    )


def nudges_unsettled() -> str:
    """The answer to `/nudges on` when it is not known whether the first message arrived."""
    return say("Nudges are on. Discord has not confirmed my first message yet; if it does not arrive, see `/status`.")


def nudges_off(*, were_on: bool) -> str:
    """The answer to `/nudges off`."""
    if were_on:
        return say("Nudges are off. Nothing more will come; `/nudges on` brings them back.")
    return say("Nudges were off already.")


def not_a_manager() -> str:
    """The answer to a manager's command by somebody who is none."""
    return say("This is for the people on this server's manager list. Who is on it is decided with `/setup`.")


def not_a_manager_yet() -> str:
    """The same for somebody who may change that list."""
    return say("This is for the people on this server's manager list, and you are not on it. `/setup` puts you there.")


def not_allowed() -> str:
    """The answer to a command that needs Manage Server."""
    return say("This changes how Spade works for the whole server, so it needs the permission Manage Server.")


def only_in_server() -> str:
    """The answer to a command outside a server."""
    return say("This works in a server, where I can see whom it is about.")


def not_set_up() -> str:
    """The answer while `/setup` has not been used."""
    return say("Spade is not set up here yet. Somebody with the permission Manage Server can do it with `/setup`.")


def not_a_date(text: str) -> str:
    """The answer to something that should have been a date."""
    return say("I cannot read {text} as a date. Write it as 2026-08-31.", text=safe_name(text))


def no_such_zone(text: str) -> str:
    """The answer to a time zone that does not exist."""
    return say(
        "I know no time zone {text}. Choose one from the list that appears while you type, such as Europe/Berlin.",
        text=safe_name(text),
    )


def bots_are_no_managers() -> str:
    """The answer to naming a bot as a manager."""
    return say("A bot cannot be a manager: Spade counts what people write to people.")


def nothing_to_say() -> str:
    """A preview of an empty nudge."""
    return say(
        "Nobody needs a word from you right now, beyond those you were told of lately. On a day like this, nothing is "
        "sent."
    )


def schedule_changed(enrolment: Enrolment, paused_until_on: date | None) -> str:
    """When nudges come, after a change."""
    lines = [
        say(
            "Your nudges come {weekdays} at {hour} ({zone}).",
            weekdays=weekdays_label(enrolment.weekdays),
            hour=f"{enrolment.hour:02}:00",
            zone=safe_name(enrolment.zone_name, 64),
        )
    ]
    if paused_until_on is not None:
        lines.append(say("Paused until {day}; `/nudges on` ends the pause.", day=day_label(paused_until_on)))
    return "\n".join(lines)


def nudge_sent(state: DeliveryState | NoNudge) -> str:
    """The answer to `/nudges now`."""
    match state:
        case DeliveryState.SENT:
            return say("Sent. It is in our direct messages.")
        case DeliveryState.NOTHING:
            return say("Nobody needs a word from you right now, so nothing was sent.")
        case DeliveryState.REFUSED:
            return say(
                "Discord did not let me send you a direct message. Allow direct messages from this server, then use "
                "`/nudges on` again."
            )
        case NoNudge.HAD:
            return say("You have had today's nudge already: it is in our direct messages. There is one a day at most.")
        case NoNudge.OFF:
            return say("Your nudges are off, so nothing was sent. `/nudges on` turns them on.")
        case _:
            return say("Discord has not confirmed it yet. I will look for it and not send it twice.")


def nothing_happened() -> str:
    """The answer to a button that nobody takes up."""
    return say(
        "Nothing happened: this button may be from an earlier version of Spade, or Spade is very busy. Use the command "
        "again."
    )


def unexpected_error(reference: str) -> str:
    """The answer when something went wrong that nobody foresaw; the reference finds it in the log."""
    return say(
        "Something went wrong, and it was not you. The log has the details under `{reference}`.",
        reference=plain_name(reference).replace("`", ""),
    )


_PERMISSIONS = {
    "view_channel": mark("View Channel"),
    "send_messages": mark("Send Messages"),
    "embed_links": mark("Embed Links"),
    "attach_files": mark("Attach Files"),
    "read_message_history": mark("Read Message History"),
}


def permissions(names: Sequence[str]) -> str:
    """Discord's names of permissions, in a row."""
    return listing([say(_PERMISSIONS[name]) for name in names])


def lacking(missing: Mapping[int, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Channels in a row, with what Spade lacks in all of them: as few pairs as there are kinds of lack."""
    alike: dict[tuple[str, ...], list[int]] = {}
    for channel_id, names in missing.items():
        alike.setdefault(tuple(names), []).append(channel_id)
    for names, channel_ids in alike.items():
        yield channel_list(channel_ids), permissions(names)


def on_purpose() -> str:
    """The hint after channels that Spade cannot read."""
    return say("Where that is on purpose, `/settings exclude` ends this note.")


def channel_list(channel_ids: Sequence[int]) -> str:
    """Channels as Discord links them; a few, and how many more."""
    return _channels(channel_ids)


def _managers_line(setup: Setup) -> str:
    if setup.manager_roles and not setup.manager_names:
        return say(
            "Managers: whoever bears {roles}, from the first time I see them write or use a command.",
            roles=listing([safe_name(name) for name in setup.manager_roles[:_NAMES_SHOWN]]),
        )
    if not setup.manager_names:
        return say("Managers: nobody yet. Add people with `/setup`; their replies are what Spade looks at.")
    shown = [safe_name(name) for name in setup.manager_names[:_NAMES_SHOWN]]
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
            channel=_channels((setup.digest_channel_id,)),
            permissions=permissions(setup.digest_missing or tuple(_PERMISSIONS)[:4]),
        )
    return say(
        "Weekly digest: {channel}, {weekday} from {hour}.",
        channel=_channels((setup.digest_channel_id,)),
        weekday=weekday_name(setup.digest_weekday),
        hour=f"{setup.digest_hour:02}:00",
    )


def _channels(channel_ids: Sequence[int]) -> str:
    """Channels as Discord links them, by id."""
    shown = [f"<#{channel_id}>" for channel_id in channel_ids[:_NAMES_SHOWN]]
    left = len(channel_ids) - len(shown)
    if left:
        return say("{channels} and {count} more", channels=", ".join(shown), count=number(left))
    return listing(shown)
