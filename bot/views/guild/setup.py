"""The guided `/setup`: three pages, each saved as it is filled in, and the result at the end."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import discord

from bot.domain.guild import GuildSettings
from bot.views.guild.permissions import lacking, on_purpose
from bot.views.guild.setup_summary import Setup, setup_saved
from bot.views.kit.form import Form, FormLine
from bot.views.kit.letter import CONTENT_LIMIT, Button, Card, Choice, ChoiceOption, Chosen, EntityChoice, Letter
from bot.views.kit.palette import REACH, embed_colour
from bot.views.kit.parcel import Parcel
from bot.views.words.dates import weekday_name
from bot.views.words.names import safe_name
from bot.views.words.sentence import mark, say
from bot.views.words.text import cut, length

BUTTON_PATTERN = re.compile(r"spade:setup:go:(?P<page>who|when|history|finish)")
CHOICE_PATTERN = re.compile(r"spade:setup:set:(?P<field>managers|digest|exclude|weekday|hour|language|history)")
ZONE_PATTERN = re.compile(r"spade:setup:zone")
FORM_PATTERN = re.compile(r"spade:setup:zone_form")
ZONE_ENTRY = "zone"
MOST_CHOSEN = 25
"""Discord's limit for what one list can hold."""
LANGUAGE_NAMES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "pt_BR": "Português do Brasil"}
HISTORY = {
    "0": mark("Nothing from before today"),
    "7": mark("The last 7 days"),
    "30": mark("The last 30 days"),
    "90": mark("The last 90 days"),
    "365": mark("The last year"),
    "all": mark("Everything there is"),
}


class SetupPage(StrEnum):
    """The pages of the guide, in order."""

    WHO = "who"
    WHEN = "when"
    HISTORY = "history"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Guide:
    """What the guide shows: what is set now. `missing` are the permissions Spade lacks, by channel."""

    settings: GuildSettings
    setup: Setup
    named: Sequence[int] = ()
    roles: Sequence[int] = ()
    missing: Mapping[int, Sequence[str]] | None = None
    reading: str | None = None
    notes: Sequence[str] = ()


def guide_letter(guide: Guide, page: SetupPage) -> Letter:
    """One page of the guide."""
    match page:
        case SetupPage.WHO:
            return _who(guide)
        case SetupPage.WHEN:
            return _when(guide)
        case _:
            return _history(guide)


def finished(guide: Guide, preview: Parcel | None) -> Parcel:
    """The end of the guide: what is set, what is missing, and the digest that last week would have had.

    Without a preview it says that nothing of that week is on record.
    """
    # Unreadable channels are listed below with their missing permissions, so not here as well.
    lines = [setup_saved(replace(guide.setup, unreadable_channel_ids=())), *_missing(guide)]
    shown_to = _who_is_shown_commands()
    if preview is None:
        nothing = say(
            "Nothing of last week is on record yet, so there is no digest to show you. Once older messages are "
            "read, `/digest` shows it."
        )
        return Parcel(Letter(content=_ending(lines, shown_to, nothing)))
    like_this = say("**With these settings, last week would have looked like this:**")
    letter = replace(preview.letter, content=_ending(lines, shown_to, like_this), rows=())
    return replace(preview, letter=letter)


def saved(setup: Setup, *, all_shown_commands: bool) -> str:
    """The answer to `/setup` with options. Discord may hide the commands from some of the managers."""
    return setup_saved(setup) if all_shown_commands else _ending([setup_saved(setup)], commands_hidden())


def zone_form(settings: GuildSettings) -> Form:
    """The window for the time zone."""
    entry = FormLine(
        ZONE_ENTRY,
        say("Time zone"),
        settings.zone.key,
        placeholder="Europe/Berlin",
        hint=say("A city of your zone. Days and weeks begin there at midnight."),
        at_most=64,
    )
    return Form(say("Time zone"), "spade:setup:zone_form", (entry,))


def no_such_zone_but(text: str, near: Sequence[str]) -> str:
    """The note about a time zone that does not exist, with similar ones."""
    if not near:
        return say("I know no time zone {text}. Write it like Europe/Berlin.", text=safe_name(text))
    return say("I know no time zone {text}. Do you mean {near}?", text=safe_name(text), near=", ".join(near))


def bots_left_out() -> str:
    """The note about bots among the managers that were chosen."""
    return say("Bots cannot be managers, so they were left out.")


def not_added(count: int) -> str:
    """The note about people who asked to be forgotten."""
    return say("{count} of them asked not to be recorded here, and can only come back by themselves.", count=count)


def commands_hidden() -> str:
    """The note about managers from whom Discord hides the commands."""
    return "\n".join(
        (say("⚠️ Not everybody you named has the permission Manage Messages in this channel."), _who_is_shown_commands())
    )


def reading(span: str) -> str:
    """The note after the choice of how far back to read."""
    if span == "0" or span not in HISTORY:
        return say("Nothing older will be read. `/backfill` does it whenever you like.")
    return say("Reading: {span}. You can go on meanwhile; `/status` shows how far it is.", span=say(HISTORY[span]))


def _who_is_shown_commands() -> str:
    return say(
        "Discord shows the managers' commands to people with the permission Manage Messages. To show them to others, "
        "or to hide them, open Server Settings, Integrations, Spade, choose a command and add a role or a person. "
        "Whatever is set there, they work for people on the manager list only."
    )


def _who(guide: Guide) -> Letter:
    settings = guide.settings
    chosen = [Chosen(person, discord.SelectDefaultValueType.user) for person in guide.named]
    chosen += [Chosen(role, discord.SelectDefaultValueType.role) for role in guide.roles]
    channels = discord.SelectDefaultValueType.channel
    digest = settings.digest_channel_id
    rows = (
        EntityChoice(
            "spade:setup:set:managers",
            say("Managers: people or roles"),
            chosen=tuple(chosen),
            at_most=MOST_CHOSEN,
        ),
        EntityChoice(
            "spade:setup:set:digest",
            say("Channel for the weekly digest"),
            channels=True,
            chosen=(Chosen(digest, channels),) if digest is not None else (),
        ),
        EntityChoice(
            "spade:setup:set:exclude",
            say("Channels that do not count"),
            channels=True,
            chosen=tuple(Chosen(one, channels) for one in guide.setup.excluded_channel_ids),
            at_most=MOST_CHOSEN,
        ),
        (_go(say("Next"), SetupPage.WHEN, discord.ButtonStyle.primary),),
    )
    explanation = say(
        "**1. Managers** are the people whose personal replies count; choose them by name or by a role.\n"
        "**2. The digest** is posted once a week, in the channel where your team reads it.\n"
        "**3. Channels that do not count** are left out of the record.\n"
        "Everything you choose is saved at once."
    )
    return _page(guide, 1, say("Who, and where"), explanation, rows)


def _when(guide: Guide) -> Letter:
    settings = guide.settings
    rows = (
        Choice(
            "spade:setup:set:weekday",
            say("Day of the digest"),
            tuple(ChoiceOption(weekday_name(day), str(day), chosen=day == settings.digest_weekday) for day in range(7)),
        ),
        Choice(
            "spade:setup:set:hour",
            say("Hour of the digest"),
            tuple(ChoiceOption(f"{hour:02}:00", str(hour), chosen=hour == settings.digest_hour) for hour in range(24)),
        ),
        Choice(
            "spade:setup:set:language",
            say("Language"),
            tuple(ChoiceOption(name, code, chosen=code == settings.language) for code, name in LANGUAGE_NAMES.items()),
        ),
        (
            _go(say("Back"), SetupPage.WHO),
            Button(say("Change the time zone"), custom_id="spade:setup:zone"),
            _go(say("Next"), SetupPage.HISTORY, discord.ButtonStyle.primary),
        ),
    )
    explanation = say(
        "The digest reports the week from Monday to Sunday and comes **{weekday} from {hour}**, in the time zone "
        "**{zone}**.",
        weekday=weekday_name(settings.digest_weekday),
        hour=f"{settings.digest_hour:02}:00",
        zone=safe_name(settings.zone.key, 64),
    )
    return _page(guide, 2, say("When"), explanation, rows)


def _history(guide: Guide) -> Letter:
    rows = (
        Choice(
            "spade:setup:set:history",
            say("How far back to read"),
            tuple(ChoiceOption(say(label), value) for value, label in HISTORY.items()),
        ),
        (_go(say("Back"), SetupPage.WHEN), _go(say("Finish"), SetupPage.FINISH, discord.ButtonStyle.success)),
    )
    explanation = say(
        "Spade records from the moment it came. It can also **read older messages**, so that the first digest already "
        "knows who knows whom. That takes a while, goes on by itself, and `/backfill` does the same later."
    )
    return _page(guide, 3, say("What was before"), explanation, rows)


def _page(
    guide: Guide,
    number: int,
    title: str,
    explanation: str,
    rows: tuple[tuple[Button, ...] | Choice | EntityChoice, ...],
) -> Letter:
    lines = [explanation, *_missing(guide)]
    if guide.reading:
        lines.append(guide.reading)
    lines += guide.notes
    card = Card(
        title=say("Setting Spade up, {number} of 3: {title}", number=number, title=title),
        description="\n\n".join(lines),
        footer=say("/setup with options does the same in one line. /settings shows everything."),
        colour=embed_colour(REACH),
    )
    return Letter(cards=(card.fitted(),), rows=rows)


def _go(label: str, page: SetupPage, style: discord.ButtonStyle = discord.ButtonStyle.secondary) -> Button:
    return Button(label, custom_id=f"spade:setup:go:{page}", style=style)


def _missing(guide: Guide) -> Iterator[str]:
    for channels, names in lacking(guide.missing or {}):
        yield say("⚠️ In {channel} I am missing: {permissions}.", channel=channels, permissions=names)
    if guide.setup.unreadable_channel_ids:
        yield on_purpose()


def _ending(lines: Sequence[str], *last: str) -> str:
    """The lines as one message. If they are too long, the first ones are cut; the last ones never are."""
    end = "\n".join(last)
    return "\n".join((cut("\n".join(lines), CONTENT_LIMIT - length(end) - 1), end))
