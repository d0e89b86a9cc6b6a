"""What `/privacy` answers to the person who asks."""

import json
import re
from collections.abc import Iterator, Mapping

import discord

from bot.domain.privacy import StoredFacts
from bot.domain.proxy import STAYED_NEEDED
from bot.views.kit.letter import ID_PATTERN, Button, Card, Letter
from bot.views.kit.palette import REACH, embed_colour
from bot.views.kit.parcel import Document, Parcel
from bot.views.words.dates import discord_time, full_day
from bot.views.words.names import name_of, safe_guild, safe_name
from bot.views.words.sentence import number, say, say_count

BUTTON_PATTERN = re.compile(
    rf"spade:privacy:(?P<person_id>{ID_PATTERN}):(?P<deed>export|ask_opt_out|opt_out|opt_in|ask|erase)"
)
"""The custom ids of the buttons: the person they are for, and what they do.

`ask` asks to confirm `erase`, and `ask_opt_out` to confirm `opt_out`.
"""
_NAMES_SHOWN = 8


def privacy_letter(facts: StoredFacts, guild_name: str, names: Mapping[int, str]) -> Letter:
    """Everything that is stored about the person who asks, with buttons to export it, stop it or erase it."""
    lines = list(_lines(facts, names)) or [say("Nothing.")]
    card = Card(
        title=say("What Spade stores about you here"),
        description="\n".join(
            (
                say(
                    "In {guild}, Spade looks at whom the team answers, so that nobody is overlooked. It keeps ids, "
                    "times and counts. It never reads what anybody writes, and keeps no names.",
                    guild=safe_guild(guild_name),
                ),
                "",
                *(say("- {line}", line=line) for line in lines),
            )
        ),
        footer=say("Only you see this."),
        colour=embed_colour(REACH),
    )
    return Letter(cards=(card,), rows=(_buttons(facts),))


def export_parcel(document: Mapping[str, object], person_id: int) -> Parcel:
    """The export as a file."""
    content = json.dumps(document, indent=2, ensure_ascii=False).encode()
    return Parcel(
        Letter(content=say("Here is everything Spade stores about you on this server. Only you see this message.")),
        documents=(Document(f"spade-{person_id}.json", content),),
    )


def opt_out_letter(facts: StoredFacts, guild_name: str) -> Letter:
    """The question to confirm the deletion of what was recorded of a person as a member."""
    lines = [
        say(
            "**Delete what Spade recorded about you as a member of {guild}, and record nothing more?** What is deleted "
            "cannot be brought back.",
            guild=safe_guild(guild_name),
        ),
        say("Spade keeps your id, to know that. `/privacy opt-in` ends it, `/privacy erase` removes even the id."),
    ]
    if facts.manages:
        lines.append(_still_a_manager())
    button = Button(
        say("Delete it and do not record me"),
        custom_id=f"spade:privacy:{facts.person_id}:opt_out",
        style=discord.ButtonStyle.danger,
    )
    return Letter(content="\n".join(lines), rows=((button,),))


def opted_out(guild_name: str, *, manages: bool = False) -> str:
    """The answer to opting out. If the person `manages`, it says what is still recorded."""
    done = say(
        "Done. What was recorded about you as a member of {guild} is deleted, and nothing more will be. Spade keeps "
        "your id, to know that. `/privacy opt-in` ends it, `/privacy erase` removes even the id.",
        guild=safe_guild(guild_name),
    )
    if not manages:
        return done
    return f"{done}\n{_still_a_manager()}"


def _still_a_manager() -> str:
    return say(
        "You are still on this server's manager list, so whom you answer is recorded. `/privacy erase` ends that, too."
    )


def opted_in(*, changed: bool) -> str:
    """The answer to opting in."""
    if not changed:
        return say("You had not opted out, so nothing changes.")
    return say(
        "Welcome back. From now on Spade counts you like everybody else. What was deleted stays deleted, and nothing "
        "from before will be recorded, not even from older messages: a scrambled mark with this time is kept for that."
    )


def erase_letter(facts: StoredFacts) -> Letter:
    """The question to confirm the erasure."""
    lines = [
        say("**Erase everything Spade stores about you on this server?** This cannot be undone."),
        say(
            "Nothing new will be recorded either, until you use `/privacy opt-in`. To know that, Spade keeps a "
            "scrambled mark from which your id cannot be read."
        ),
    ]
    if facts.manages:
        lines.append(
            say(
                "You are on this server's manager list. You will be taken off it, with your settings and everything "
                "that is recorded about your replies: the team's figures of past weeks change."
            )
        )
    button = Button(
        say("Erase everything about me"),
        custom_id=f"spade:privacy:{facts.person_id}:erase",
        style=discord.ButtonStyle.danger,
    )
    return Letter(content="\n".join(lines), rows=((button,),))


def erased(rows: int) -> str:
    """The answer after the erasure of `rows` entries."""
    if not rows:
        return say("Nothing was stored about you here. Nothing will be, until you use `/privacy opt-in`.")
    return say_count(
        "Erased: {count} entry. Nothing about you is stored on this server any more, and nothing will be until you "
        "use `/privacy opt-in`. Backups made before now are kept for as long as whoever hosts Spade has announced.",
        "Erased: {count} entries. Nothing about you is stored on this server any more, and nothing will be until you "
        "use `/privacy opt-in`. Backups made before now are kept for as long as whoever hosts Spade has announced.",
        count=rows,
    )


def not_about_you() -> str:
    """The answer to somebody else's button."""
    return say("These buttons are for the person who asked. `/privacy show` tells you what is stored about you.")


def _lines(facts: StoredFacts, names: Mapping[int, str]) -> Iterator[str]:
    yield from _lines_about_consent(facts)
    if facts.messages and facts.first_on is not None and facts.last_on is not None:
        yield say_count(
            "How many messages you wrote on which day: {messages} in all, on {first}.",
            "How many messages you wrote on which day: {messages} in all, on {count} days from {first} to {last}.",
            count=facts.days,
            messages=number(facts.messages),
            first=full_day(facts.first_on),
            last=full_day(facts.last_on),
        )
        yield say("Which of your messages was the first that Spade saw, and which the last.")
    if facts.left_at is not None:
        yield say(
            "That you were not on this server on {when}; your next message takes it back.",
            when=discord_time(facts.left_at, "D"),
        )
    if facts.proxied:
        yield say(
            "That you write through a bot that posts your messages anew, so that no manager is reminded of you. It "
            "goes once {count} messages of yours in a row have stayed.",
            count=number(STAYED_NEEDED),
        )
    if facts.touches:
        ranked = sorted(facts.touches, key=lambda person: (-facts.touches[person], person))
        shown = ", ".join(safe_name(name_of(person, names)) for person in ranked[:_NAMES_SHOWN])
        yield say_count(
            "That the team was in touch with you {count} time, with the time and the channel ({names}).",
            "That the team was in touch with you {count} times, with the times and the channels ({names}).",
            count=sum(facts.touches.values()),
            names=shown,
        )
    yield from _lines_about_answers(facts)
    if facts.imported:
        yield say_count(
            "Of {count} message in imported files that is yours or names you: its id and its channel.",
            "Of {count} messages in imported files that are yours or name you: their ids and their channels.",
            count=facts.imported,
        )
    if facts.ignored:
        yield say("That you are on the list of people who are never counted, because of your role or by name.")
    if facts.manages:
        yield say("That you are a manager here, and what you set for your nudges.")
    if facts.acted:
        yield say_count(
            "{count} entry about what you did as a manager: whom you answered when, your nudges, and your figures of "
            "past weeks.",
            "{count} entries about what you did as a manager: whom you answered when, your nudges, and your figures "
            "of past weeks.",
            count=facts.acted,
        )


def _lines_about_consent(facts: StoredFacts) -> Iterator[str]:
    if facts.forgotten:
        yield say("You asked to be forgotten: a scrambled mark keeps you from being recorded again.")
    if facts.opted_out_at is not None:
        yield say("You opted out {when}. Your id is kept, to know that.", when=discord_time(facts.opted_out_at, "D"))
    if facts.recorded_since is not None:
        yield say(
            "Since when you are recorded again: {when}. A scrambled mark keeps everything from before off the record.",
            when=discord_time(facts.recorded_since, "f"),
        )


def _lines_about_answers(facts: StoredFacts) -> Iterator[str]:
    if facts.waiting:
        yield say_count(
            "{count} message of yours that waited for an answer.",
            "{count} messages of yours that waited for an answer.",
            count=facts.waiting,
        )
    if facts.nudges:
        yield say_count(
            "That you were named in {count} reminder to a manager, and why.",
            "That you were named in {count} reminders to managers, and why.",
            count=facts.nudges,
        )
    if facts.set_aside:
        yield say_count(
            "{count} note that a manager does not want to be reminded of you, or that a colleague is.",
            "{count} notes that managers do not want to be reminded of you, or that a colleague is.",
            count=facts.set_aside,
        )


def _buttons(facts: StoredFacts) -> tuple[Button, ...]:
    def button(label: str, deed: str, style: discord.ButtonStyle = discord.ButtonStyle.secondary) -> Button:
        return Button(label, custom_id=f"spade:privacy:{facts.person_id}:{deed}", style=style)

    unrecorded = facts.forgotten or facts.opted_out_at is not None
    recording = (
        button(say("Record me again"), "opt_in") if unrecorded else button(say("Do not record me"), "ask_opt_out")
    )
    erase = button(say("Erase everything"), "ask", discord.ButtonStyle.danger)
    return (button(say("Take it along"), "export"), recording, *(() if facts.nothing else (erase,)))
