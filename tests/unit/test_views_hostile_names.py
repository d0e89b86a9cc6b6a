"""Every answer that holds names: whatever people call themselves, no more acts in it than with ordinary names."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from bot.domain.guild import GuildSettings
from bot.domain.logged import WhenProblem
from bot.domain.nudge import Action, Press
from bot.domain.nudge_decision import Obstacle
from bot.domain.privacy import StoredFacts
from bot.domain.relationship import Acquaintance, Relationship, Standing
from bot.domain.snowflake import first_id_at
from bot.domain.touch import Touch, TouchKind
from bot.domain.waiting import WaitingEntry, WaitingState
from bot.domain.why import Why
from bot.services.guild.export import ExportFacts
from bot.services.guild.status import StatusFacts
from bot.services.members.relationship import Logged, RelationshipFacts
from bot.services.members.unmet import UnmetPage
from bot.services.members.waiting import WaitingMember, WaitingPage
from bot.store.activity import Trace
from bot.views.guild import settings as settings_words
from bot.views.guild import setup_summary
from bot.views.guild.export import relationships_csv
from bot.views.guild.setup import Guide, SetupPage, finished, guide_letter, no_such_zone_but, saved
from bot.views.guild.status import ConnectionState, status_letter
from bot.views.kit.letter import Letter
from bot.views.members import privacy, relationship
from bot.views.members.unmet import unmet_letter
from bot.views.members.waiting import waiting_letter
from bot.views.nudge import answers
from bot.views.nudge.direct_message import nudge_letter
from bot.views.nudge.presses import Outcome, hand_over_letter, outcome_sentence
from bot.views.nudge.terminal import nudge_report
from bot.views.words import refusals

from .test_views_names import NAMES, is_harmless
from .test_views_nudge import COOLING, OFFERS, keeps_discords_limits, nudge_of

NOW = datetime(2026, 3, 27, 8, tzinfo=UTC)
PEOPLE = (11, 12, 13, 14, 15)
ORDINARY = ("Ada", "Bob", "Cleo", "Dan", "Eve", "Gardeners")
ACTING = re.compile(r"[*_~`|\[\]<>@\n]|://|(?:discord\.gg|www\.)|^(?:#|-|\d+\.\s)", re.MULTILINE)
"""What formats, mentions, links, begins a line or makes it a heading or an item, where it is not escaped."""


def relations(names: Mapping[int, str], guild: str) -> Iterator[Letter | str]:
    """Lists and single people."""
    message = first_id_at(NOW - timedelta(days=2))
    entry = WaitingEntry(message, 5, 11, frozenset({12}))
    waiting = tuple(WaitingMember(person, entry, 2) for person in PEOPLE)
    trace = Trace(message, 5, message + 9, 5)
    yield waiting_letter(WaitingPage(99, 1, 2, 9, waiting, names, NOW))
    yield unmet_letter(UnmetPage(99, 1, 2, 9, 20, 30, tuple((person, trace) for person in PEOPLE), names, NOW))
    touch = Touch(TouchKind.REPLY, 12, 11, message + 5, 5, NOW, message)
    known = Relationship(touch, touch, 3, 1, (), tuple(Acquaintance(person, 2, NOW) for person in PEOPLE[1:]))
    for standing in Standing:
        yield relationship.relationship_letter(
            RelationshipFacts(99, 11, standing, NOW, names, known, (WaitingState(entry),), trace)
        )
    yield relationship.logged_letter(Logged(11, message, NOW, 2), names)
    yield from (relationship.when_problem(problem, names[11]) for problem in WhenProblem)
    facts = StoredFacts(11, touches=dict.fromkeys(PEOPLE, 3), messages=2, first_on=date.min, last_on=date.max, days=2)
    yield privacy.privacy_letter(facts, guild, names)
    yield from (privacy.opted_out(guild), answers.nudges_closed(guild))


def nudges(names: Mapping[int, str], guild: str) -> Iterator[Letter | str]:
    """Nudges and what is said about them."""
    draft = nudge_of(*OFFERS, names=names, guild_name=guild)
    yield nudge_letter(draft)
    presses = tuple(Press(position, action, NOW, 12) for position, action in enumerate(Action, start=1))
    yield nudge_letter(replace(draft, presses=presses))
    yield hand_over_letter(names, delivery_id="0f", position=1, member_name=names[11])
    yield from (outcome_sentence(Outcome(action, names[12], date(2026, 3, 9))) for action in Action)
    for obstacle in (None, *Obstacle):
        yield answers.why_answer(Why(15, Standing.MEMBER, COOLING, obstacle), names[15], draft.context)
    yield from (answers.named_again(names[11], taken_back=changed) for changed in (True, False))
    yield answers.not_weekdays(names[11])


def the_servers(names: Mapping[int, str], guild: str) -> Iterator[Letter | str]:
    """Set-up, settings and status, with people and roles, and what somebody typed."""
    everybody = tuple(names.values())
    settings = GuildSettings(99, ZoneInfo("UTC"))
    for people, roles in ((everybody, everybody), ((), everybody)):
        setup = setup_summary.Setup(people, "UTC", 5, False, 0, 9, (6,), (7,), ("embed_links",), roles)
        guide = Guide(settings, setup, missing={7: ("view_channel",)}, notes=(no_such_zone_but(names[11], ()),))
        yield finished(guide, None).letter
        yield saved(setup, all_shown_commands=False)
        yield from (guide_letter(guide, page) for page in SetupPage)
        yield settings_words.settings_text(
            settings_words.SettingsFacts(settings, setup, everybody, everybody), settings_words.role_noted(names[11])
        )
    status = StatusFacts(settings, NOW, NOW, 3, 0, (), {5: 1}, None, None, None, everybody)
    yield status_letter(status, ConnectionState("1.0", NOW, {7: ("view_channel",)}))
    yield from (refusals.not_a_date(names[11]), setup_summary.no_such_zone(names[11]))


def texts(outputs: Iterator[Letter | str]) -> Iterator[tuple[list[str], list[str]]]:
    """Of each output, what Discord formats and what it shows as it is; each within Discord's limits."""
    for output in outputs:
        letter = Letter(content=output) if isinstance(output, str) else output
        keeps_discords_limits(letter)
        payload = letter.payload()
        formatted, plain = [str(payload["content"] or "")], []
        for embed in payload["embeds"]:
            formatted += [embed.get("title", ""), embed.get("description", "")]
            formatted += [text for field in embed.get("fields", ()) for text in (field["name"], field["value"])]
            plain += [embed.get("author", {}).get("name", ""), embed.get("footer", {}).get("text", "")]
        for item in (item for row in payload["components"] for item in row["components"]):
            plain += [item.get("label") or item.get("placeholder") or ""]
            plain += [option["label"] for option in item.get("options", ())]
        yield formatted, plain


def acting(formatted: Sequence[str]) -> list[Counter[str]]:
    return [Counter(ACTING.findall(re.sub(r"\\[^0-9A-Za-z\s]", "x", text))) for text in formatted]


def require_that_nothing_acts(hostile: Sequence[str]) -> None:
    """Make every answer with ordinary names and with these, five people's and the server's, and compare."""
    for outputs in (relations, nudges, the_servers):
        ordinary = texts(outputs(dict(zip(PEOPLE, ORDINARY, strict=False)), ORDINARY[5]))
        changed = texts(outputs(dict(zip(PEOPLE, hostile, strict=False)), hostile[5]))
        for (formatted, plain), (formatted_anew, plain_anew) in zip(ordinary, changed, strict=True):
            assert acting(formatted_anew) == acting(formatted), formatted_anew
            assert len(plain_anew) == len(plain)
            assert all(is_harmless(text) for text in plain_anew), plain_anew


@example(["0."] * 6)
@given(st.lists(NAMES, min_size=6, max_size=6))
def test_names_change_what_is_read_and_nothing_else(hostile: list[str]) -> None:
    require_that_nothing_acts(hostile)


@given(st.lists(NAMES, min_size=6, max_size=6))
def test_a_table_and_a_terminal_show_names_as_they_are_and_take_none_for_more(hostile: list[str]) -> None:
    names = dict(zip(PEOPLE, hostile, strict=False))
    touch = Touch(TouchKind.REPLY, 12, 11, 1, 5, NOW, 1)
    known = Relationship(touch, touch, 3, 1, (), ())
    settings = GuildSettings(99, ZoneInfo("UTC"))
    facts = ExportFacts(settings, tuple((person, known) for person in PEOPLE), {}, (), names)
    head, *rows = csv.reader(io.StringIO(relationships_csv(facts)))
    assert [len(row) for row in rows] == [len(head)] * len(PEOPLE)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    with console.capture() as shown:
        console.print(nudge_report(nudge_of(*OFFERS, names=names, guild_name=hostile[5])))
    lines = re.sub(r"\x1b\]8;[^\x1b]*\x1b\\|\x1b\[[\d;]*m", "", shown.get()).splitlines()
    assert "\x1b" not in "".join(lines)
    assert max(map(cell_len, lines)) <= 80
