"""One relationship, as `/member` shows it, and the answers to logging a contact."""

import re
from collections.abc import Mapping
from datetime import date

from bot.domain.logged import LONGEST_AGO, WhenProblem
from bot.domain.relationship import Acquaintance, Relationship, Standing
from bot.domain.snowflake import moment_of
from bot.domain.touch import Touch, TouchKind
from bot.domain.waiting import WaitingState
from bot.services.members.relationship import Logged, RelationshipFacts
from bot.views.kit.letter import ID_PATTERN, Button, Card, Field, Letter
from bot.views.kit.links import message_link
from bot.views.kit.palette import REACH, SPREAD, embed_colour
from bot.views.words.dates import discord_time, month_label
from bot.views.words.names import name_of, safe_name
from bot.views.words.sentence import mark, number, say, say_count

TAKE_BACK_PATTERN = re.compile(rf"spade:logged:(?P<member_id>{ID_PATTERN}):(?P<message_id>{ID_PATTERN}):take_back")
_SHOWN = 5
_BAR = 12
_KINDS = {
    TouchKind.REPLY: mark("a reply"),
    TouchKind.MENTION: mark("a mention"),
    TouchKind.THREAD: mark("an answer in their thread"),
    TouchKind.ANSWER: mark("an answer"),
    TouchKind.LOGGED: mark("logged by hand"),
}


def relationship_letter(facts: RelationshipFacts) -> Letter:
    """The team's contact with one member; for anybody else, why there is none to show."""
    name = name_of(facts.member_id, facts.names)
    if facts.standing is not Standing.MEMBER:
        return Letter(content=no_member(facts.standing, name))
    known = facts.relationship
    if known.first is None and not facts.waiting and facts.trace is None and not facts.proxied:
        return Letter(
            content=say(
                "There is nothing on record between the team and {name} yet: no message of theirs, and none to them.",
                name=safe_name(name),
            )
        )
    card = Card(
        title=safe_name(name, 100),
        description="\n".join((_summary(facts), *_writes(facts), *_proxied(facts))),
        fields=tuple(_fields(facts)),
        footer=_footer(known),
        colour=embed_colour(SPREAD if facts.waiting else REACH),
    )
    return Letter(cards=(card.fitted(),))


def no_member(standing: Standing, name: str) -> str:
    """Why there is no relationship to show or to log."""
    safe = safe_name(name)
    match standing:
        case Standing.MANAGER:
            return say("{name} is on the manager list. Spade looks at the team's contact with members.", name=safe)
        case Standing.IGNORED:
            return say("{name} is on the ignore list, so nothing is counted for them.", name=safe)
        case _:
            return say("{name} asked not to be recorded, so nothing is stored about them.", name=safe)


def logged_letter(logged: Logged, names: Mapping[int, str]) -> Letter:
    """The answer to a contact that was put on record."""
    lines = [
        say(
            "Noted: you were in touch with {name} {when}.",
            name=safe_name(name_of(logged.member_id, names)),
            when=discord_time(logged.touched_at, "f"),
        )
    ]
    if logged.ended:
        lines.append(
            say_count(
                "{count} message of theirs no longer waits for an answer.",
                "{count} messages of theirs no longer wait for an answer.",
                count=logged.ended,
            )
        )
    lines.append(say("Only the fact and the time are kept, never what it was about."))
    button = Button(say("Take it back"), custom_id=f"spade:logged:{logged.member_id}:{logged.message_id}:take_back")
    return Letter(content="\n".join(lines), rows=((button,),))


def taken_back(*, changed: bool) -> str:
    """The answer to taking a logged contact back."""
    if changed:
        return say("Taken back: nothing was logged.")
    return say("There is nothing of yours to take back here; perhaps you did before.")


def when_problem(problem: WhenProblem, text: str) -> str:
    """The answer to a day on which no contact can be logged."""
    match problem:
        case WhenProblem.FUTURE:
            return say("{text} has not come yet. Log a contact when it has happened.", text=safe_name(text))
        case WhenProblem.FAR:
            return say(
                "{text} is too long ago: contact can be logged up to {days} days back.",
                text=safe_name(text),
                days=number(LONGEST_AGO.days),
            )
        case WhenProblem.OBJECTED:
            return say("Contact of that time cannot be logged: you or this member had asked not to be on record then.")
        case _:
            return say(
                "I cannot read {text} as a day. Write it as 2026-08-31, or with a time as 2026-08-31 14:30.",
                text=safe_name(text),
            )


def cannot_log_yourself() -> str:
    """The answer to logging a contact with oneself."""
    return say("That is you. Log the people you were in touch with.")


def bots_are_no_members() -> str:
    """The answer to asking about a bot."""
    return say("That is a bot. Spade looks at contact between people.")


def set_aside(*, was_open: bool) -> str:
    """The answer to *Mark answered*."""
    if was_open:
        return say("Marked as answered: it no longer waits for you or the team. The weekly figures stay as they are.")
    return say("Nothing waits there: that message asked nobody on the team, was answered, or is set aside already.")


def _summary(facts: RelationshipFacts) -> str:
    known = facts.relationship
    if known.first is None or known.last is None:
        return say("Nobody on the team has talked to them yet.")
    return "\n".join(
        (
            say_count(
                "{count} conversation with the team.", "{count} conversations with the team.", count=known.conversations
            ),
            say("First contact: {contact}", contact=_contact(facts, known.first)),
            say("Last contact: {contact}", contact=_contact(facts, known.last)),
        )
    )


def _contact(facts: RelationshipFacts, touch: Touch) -> str:
    who = safe_name(name_of(touch.manager_id, facts.names))
    when, kind = discord_time(touch.touched_at), say(_KINDS[touch.kind])
    if touch.kind is TouchKind.LOGGED:
        return say("{when} by {who}, {kind}", when=when, who=who, kind=kind)
    link = message_link(facts.guild_id, touch.channel_id, touch.message_id)
    return say("{when} by {who}, [{kind}]({link})", when=when, who=who, kind=kind, link=link)


def _writes(facts: RelationshipFacts) -> tuple[str, ...]:
    trace = facts.trace
    if trace is None:
        return ()
    link = message_link(facts.guild_id, trace.last_channel_id, trace.last_message_id)
    ago = discord_time(moment_of(trace.last_message_id))
    return (say("They last wrote {ago}: [open the message]({link})", ago=ago, link=link),)


def _proxied(facts: RelationshipFacts) -> tuple[str, ...]:
    if not facts.proxied:
        return ()
    return (
        say(
            "They write through a bot that posts their messages anew. Those messages count as nobody's, so contact "
            "may be missing here, and nudges leave them out."
        ),
    )


def _fields(facts: RelationshipFacts) -> list[Field]:
    known = facts.relationship
    fields = []
    if facts.waiting:
        fields.append(Field(say("What waits"), "\n".join(_waits(facts, state) for state in facts.waiting[:_SHOWN])))
    if known.acquaintances:
        lines = [_knows(facts, one) for one in known.acquaintances[:_SHOWN]]
        left = len(known.acquaintances) - len(lines)
        if left:
            lines.append(say_count("and {count} more", "and {count} more", count=left))
        fields.append(Field(say("Who knows them"), "\n".join(lines)))
    if any(talks for _, talks in known.months):
        fields.append(Field(say("Conversations by month"), f"```\n{_months(known.months)}\n```"))
    return fields


def _waits(facts: RelationshipFacts, state: WaitingState) -> str:
    entry = state.entry
    return say(
        "{ago}, for {whom}: [open the message]({link})",
        ago=discord_time(entry.written_at),
        whom=", ".join(safe_name(name_of(one, facts.names)) for one in sorted(entry.addressed)) or say("the team"),
        link=message_link(facts.guild_id, entry.channel_id, entry.message_id),
    )


def _knows(facts: RelationshipFacts, one: Acquaintance) -> str:
    return say_count(
        "**{name}**: {count} conversation, last {ago}",
        "**{name}**: {count} conversations, last {ago}",
        count=one.conversations,
        name=safe_name(name_of(one.manager_id, facts.names)),
        ago=discord_time(one.last_at),
    )


def _months(months: tuple[tuple[date, int], ...]) -> str:
    """A bar for each month, from the first one with a conversation, as a code block."""
    first = next(position for position, (_, talks) in enumerate(months) if talks)
    shown = months[first:]
    most = max(talks for _, talks in shown)
    width = max(len(month_label(month)) for month, _ in shown)
    return "\n".join(
        f"{month_label(month):{width}} {'█' * -(-talks * _BAR // most):{_BAR}} {number(talks)}"
        for month, talks in shown
    )


def _footer(known: Relationship) -> str:
    if not known.logged:
        return say("Replies, mentions and thread answers by managers, by id and time; never what was said.")
    return say_count(
        "{count} contact was logged by hand; the rest are replies, mentions and thread answers.",
        "{count} contacts were logged by hand; the rest are replies, mentions and thread answers.",
        count=known.logged,
    )
