"""The pages in docs/ say what the code does, name what is there, and are cited by anchors that exist."""

import json
import re
import subprocess
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec import Struct, structs

from bot.cli import imports as import_command
from bot.cli import nudges as nudges_command
from bot.clock import DrivenClock
from bot.config import RuleSettings
from bot.domain.calendar import hour_start
from bot.domain.conversation import Conversation, conversations
from bot.domain.delivery import UNSETTLED, DeliveryState
from bot.domain.digest import due_digest
from bot.domain.figures import Attention, Figures, PeriodFacts, week_figures
from bot.domain.guild import GuildSettings
from bot.domain.load import load_of
from bot.domain.message import MessageKind
from bot.domain.nudge import Nudge, Offer, Reason
from bot.domain.nudge_decision import Newcomer, NudgeFacts, Obstacle, PastOffer, Regular, decide_nudge
from bot.domain.nudge_time import PastNudges, rests_today
from bot.domain.proxy import ProxyHabit
from bot.domain.report import WeekReport
from bot.domain.rules import Rules
from bot.domain.snowflake import EPOCH, first_id_at
from bot.domain.span import Span, merged, unrecorded
from bot.domain.stretch import Stretch
from bot.domain.survival import NewcomerStay, stayers
from bot.domain.touch import NO_CHANNEL, Touch, TouchKind
from bot.domain.waiting import WaitingEntry, WaitingState
from bot.exports.archive import Archive
from bot.services.members.privacy import PrivacyService
from bot.services.members.roster import Roster
from bot.services.record.imports import Imported
from bot.services.record.recorder import Recorder
from bot.store import guilds, managers, record, touches, waits
from bot.store.database import Database, open_database
from bot.store.tables import metadata
from tests.support.messages import ANNA, BEN, GUILD, MIA, NOAH, OLE, PIA, START, at, channel, moment, said, thread
from tests.support.no_context import NoContext

ROOT = Path(__file__).resolve().parents[2]
RULES_PAGE = "docs/rules.md"
PAGES = (RULES_PAGE, "docs/architecture.md", "docs/performance.md", "CONTRIBUTING.md")
PEOPLE = {"Anna": ANNA, "Ben": BEN, "Mia": MIA, "Noah": NOAH, "Ole": OLE, "Pia": PIA}
NAMES = {person_id: name for name, person_id in PEOPLE.items()}
RULES = Rules()
NOW = datetime(2026, 3, 27, 8, 0, tzinfo=UTC)
UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 2)


@cache
def page(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tracked() -> tuple[str, ...]:
    """The files of the repository, those too that are not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a clone")
    return tuple(name for name in listed.stdout.splitlines() if (ROOT / name).is_file())


def tables_of(text: str) -> Iterator[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    """The tables of a page: their headings, and their rows."""
    for block in re.findall(r"(?:^\|.*\|$\n?)+", text, re.MULTILINE):
        head, _, *rows = (tuple(cell.strip() for cell in line.strip("|").split("|")) for line in block.splitlines())
        yield head, rows


def rows_under(*headings: str) -> list[tuple[str, ...]]:
    found = [row for head, rows in tables_of(page(RULES_PAGE)) if head == headings for row in rows]
    assert found, headings
    return found


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# Examples that are a channel's story.


@dataclass(frozen=True, slots=True)
class Example:
    """What happens in a channel, or in the thread of `opener_id`, and what comes of it."""

    number: int
    opener_id: int | None
    happens: tuple[tuple[float, str, str], ...]
    results: frozenset[str]


def examples() -> list[Example]:
    found = []
    for number, (opener, body) in enumerate(
        re.findall(r"^```example(?: thread of (\w+))?\n(.*?)^```$", page(RULES_PAGE), re.MULTILINE | re.DOTALL)
    ):
        lines = body.splitlines()
        happens = [line.split(" ", 2) for line in lines if not line.startswith("→ ")]
        results = [line.removeprefix("→ ") for line in lines if line.startswith("→ ")]
        assert lines == [" ".join(one) for one in happens] + [f"→ {one}" for one in results]
        assert len(set(results)) == len(results)
        found.append(
            Example(
                number,
                PEOPLE[opener] if opener else None,
                tuple((minute(clock), who, what) for clock, who, what in happens),
                frozenset(results),
            )
        )
    return found


def minute(clock: str) -> float:
    hours, minutes = clock.split(":")
    return (int(hours) - 12) * 60 + int(minutes)


def wall(when: datetime) -> str:
    return f"{when:%H:%M}"


def people(text: str) -> list[int]:
    return [PEOPLE[name] for name in re.findall(r"\w+", text) if name in PEOPLE]


async def played(example: Example, folder: Path) -> frozenset[str]:
    """Record an example as the bot would, and read back what came of it."""
    place = channel() if example.opener_id is None else thread(example.opener_id)
    written: dict[float, int] = {}
    messages, logged, deleted = [], [], []
    for when, who, what in example.happens:
        verb, _, named = what.partition(", naming ")
        author_id, crowd = PEOPLE[who], "@everyone" in named
        to = re.fullmatch(r"replies to (\d+:\d+)", verb)
        if verb == "writes" or to:
            target = (minute(to[1]), written[minute(to[1])]) if to else None
            messages.append(said(when, author_id, to=target, mentions=people(named), crowd=crowd))
        elif verb == "joins":
            messages.append(said(when, author_id, kind=MessageKind.OTHER))
        elif gone := re.fullmatch(r"deletes (\d+:\d+)", verb):
            deleted.append(at(minute(gone[1])))
            continue
        else:
            contact = re.fullmatch(r"logs a contact with (\w+)", verb)
            assert contact, verb
            kind = TouchKind.LOGGED
            logged.append(Touch(kind, author_id, PEOPLE[contact[1]], at(when), NO_CHANNEL, moment(when)))
            continue
        written[when] = author_id
    database = await open_database(f"sqlite:///{folder / 'spade.db'}", write=True)
    try:
        async with database.writing() as connection:
            await guilds.save(connection, GuildSettings(GUILD, UTC_ZONE))
            await managers.add(connection, GUILD, [ANNA, BEN])
        recorder = Recorder(database, RULES)
        stretch = Stretch(place, place.channel_id, messages[-1].message_id, tuple(messages), (), 0)
        await recorder.record(stretch, NoContext())
        await recorder.take_back(deleted)
        async with database.writing() as connection:
            await record.add_touches(connection, {GUILD: logged})
        return frozenset(await on_record(database))
    finally:
        await database.close()


async def on_record(database: Database) -> list[str]:
    long_ago, late = moment(-10_000), moment(10_000)
    async with database.reading() as connection:
        made = await touches.between(connection, GUILD, long_ago, late, frozenset(TouchKind))
        states = await waits.written_between(connection, GUILD, long_ago, late)
    found = [
        f"{wall(touch.touched_at)} {touch.kind}: {NAMES[touch.manager_id]} to {NAMES[touch.member_id]}"
        for touch in made
    ]
    for state in states:
        asked = " and ".join(NAMES[person] for person in sorted(state.entry.addressed)) or "the team"
        until = f" until {wall(state.answered_at)}" if state.answered_at else ""
        found.append(f"{wall(state.entry.written_at)} waits for {asked}{until}")
    return found


@pytest.mark.parametrize("example", examples(), ids=lambda example: f"example-{example.number + 1}")
async def test_each_example_comes_out_as_the_page_says(example: Example, tmp_path: Path) -> None:
    assert await played(example, tmp_path) == example.results


def test_the_page_has_an_example_of_every_kind_of_touch() -> None:
    told = " ".join(result for example in examples() for result in example.results)
    assert all(f" {kind}: " in told for kind in TouchKind)


# Examples that stand in tables.


@pytest.mark.parametrize("row", rows_under("Touches", "Conversations"))
def test_conversations(row: tuple[str, ...]) -> None:
    made = [
        Touch(TouchKind.MENTION, ANNA, MIA, at(minute(clock)), 1, moment(minute(clock))) for clock in row[0].split(", ")
    ]
    found = conversations(made, RULES.conversation_gap)
    assert "; ".join(f"{wall(talk.began_at)} to {wall(talk.last_touch_at)}" for talk in found) == row[1]


@pytest.mark.parametrize("row", rows_under("Zone", "Hour", "Begins, in UTC"))
def test_hours_where_clocks_change(row: tuple[str, ...]) -> None:
    day, hour = row[1].split()
    assert f"{hour_start(date.fromisoformat(day), int(hour), ZoneInfo(row[0])):%Y-%m-%d %H:%M}" == row[2]


def figures_of(story: str) -> Figures:
    """The figures of a week told as on the page: how many members with how many conversations each, of how many."""
    groups, active = story.split(" of ")
    each = [
        int(conversations)
        for group in groups.split(", ")
        for members, conversations in re.findall(r"(\d+) . (\d+)", group)
        for _ in range(int(members))
    ]
    facts = PeriodFacts(int(active), len(each), Attention(dict(Counter(each))), {})
    team, _ = week_figures(facts, facts.longer(), RULES)
    return team


@pytest.mark.parametrize(
    "row", rows_under("Conversations", "`effective_members`", "`spread`", "`top3_share`", "`verdict`")
)
def test_verdicts(row: tuple[str, ...]) -> None:
    found = figures_of(row[0])

    def shown(value: float | None) -> str:
        return "null" if value is None else f"{value:.2f}"

    assert (f"{found.effective_members:.1f}", shown(found.spread), shown(found.top3_share), found.verdict) == row[1:]


@pytest.mark.parametrize("row", rows_under("Conversations of each manager", "Managers who had half"))
def test_load(row: tuple[str, ...]) -> None:
    load = load_of([int(count) for count in row[0].split(", ")])
    assert ("null" if load is None else str(load.carriers)) == row[1]


def ago(text: str) -> datetime:
    amount = re.fullmatch(r"(?:(\d+) days)?(?:(\d+) h)?(?: (\d+) min)?", text)
    assert text
    assert amount, text
    days, hours, minutes = (int(part or 0) for part in amount.groups())
    return NOW - timedelta(days=days, hours=hours, minutes=minutes)


def talks(text: str) -> tuple[Conversation, ...]:
    days = [int(number) for number in re.findall(r"\d+", text)]
    return tuple(Conversation(ANNA, MIA, NOW - timedelta(days=one), NOW - timedelta(days=one)) for one in days)


def with_message(facts: NudgeFacts, person: str | None, when: str) -> NudgeFacts:
    asked = frozenset({PEOPLE[person]} if person else ())
    return replace(facts, waiting=(WaitingState(WaitingEntry(first_id_at(ago(when)), 1, MIA, asked)),))


def offered(facts: NudgeFacts, days: str) -> NudgeFacts:
    """Mia was offered for another message than the one she may wait by now."""
    on = facts.today - timedelta(days=int(days))
    return replace(facts, past_offers={MIA: (PastOffer(on, 1 if facts.waiting else None),)})


RECORD: dict[str, Callable[..., NudgeFacts]] = {
    r"a message to (\w+), (.+) ago": with_message,
    r"a thread opened, (.+) ago": lambda facts, when: with_message(facts, None, when),
    r"first message (.+) ago": lambda facts, when: replace(facts, newcomers={MIA: Newcomer(first_id_at(ago(when)), 1)}),
    r"active on (\d+) days": lambda facts, days: replace(facts, regulars={MIA: Regular(int(days), EPOCH, None, None)}),
    r"conversations (.+) days ago": lambda facts, days: replace(facts, conversations={MIA: talks(days)}),
    r"met": lambda facts: replace(facts, met=frozenset({MIA})),
    r"snoozed": lambda facts: replace(facts, barred={MIA: Obstacle.SNOOZED}),
    r"writes through a proxy": lambda facts: replace(facts, barred={MIA: Obstacle.PROXIED}),
    r"offered to Ben today": lambda facts: replace(facts, offered_to_others=frozenset({MIA})),
    r"offered (\d+) days ago": offered,
}


@pytest.mark.parametrize("row", rows_under("On record about Mia", "Reason in Anna's nudge"))
def test_reasons(row: tuple[str, ...]) -> None:
    facts = NudgeFacts(GUILD, ANNA, NOW, NOW.date(), sharing=(ANNA,), lately_active=frozenset({MIA}))
    for part in row[0].split("; "):
        ((pattern, told),) = [
            (pattern, told) for pattern in RECORD if (told := re.fullmatch(pattern, part)) is not None
        ]
        facts = RECORD[pattern](facts, *told.groups())
    assert ", ".join(offer.reason for offer in decide_nudge(facts, RULES).offers) == row[1].replace("none", "")


@pytest.mark.parametrize("row", rows_under("Messages of Mia", "Writes through a proxy"))
def test_writing_through_a_proxy(row: tuple[str, ...]) -> None:
    habit = ProxyHabit()
    for part in row[0].split(", "):
        count, _, what = part.partition(" ")
        for _ in range(int(count)):
            habit = {"posted anew": habit.after_proxied(1), "that stay": habit.after_stayed()}[what]
    assert habit.holds is (row[1] == "yes")


@pytest.mark.parametrize("row", rows_under("Last nudge", "Today", "Sent"))
def test_half_as_often(row: tuple[str, ...]) -> None:
    last_on, today = (date.fromisoformat(cell) for cell in row[:2])
    rests = rests_today(PastNudges(last_on=last_on, unanswered=True), today=today, weekdays=frozenset(range(5)))
    assert ("no" if rests else "yes") == row[2]


@pytest.mark.parametrize("row", rows_under("First message", "Last message", "There on day 30", "There on day 60"))
def test_who_stays(row: tuple[str, ...]) -> None:
    first_on, last_on = (date.fromisoformat(cell) for cell in row[:2])
    group = stayers([(NewcomerStay(first_on, last_on, touched=True), 20)], date(2026, 3, 15), RULES).touched
    assert (tuple(f"{one.share:.2f}" for one in group.staying) or ("not counted", "not counted")) == row[2:]


def spans(cell: str) -> tuple[Span, ...]:
    return tuple(Span(*map(int, re.findall(r"\d+", one))) for one in cell.split(", ")) if cell != "none" else ()


@pytest.mark.parametrize("row", rows_under("On record", "Comes", "Is recorded", "On record after"))
def test_spans(row: tuple[str, ...]) -> None:
    before, (wanted,), new, after = map(spans, row)
    assert unrecorded(wanted, before) == new
    assert merged((*before, *new)) == after


@pytest.mark.parametrize("row", rows_under("Now in Berlin", "Week due", ""))
def test_when_a_digest_is_due(row: tuple[str, ...]) -> None:
    settings = GuildSettings(GUILD, BERLIN, digest_channel_id=1, digest_from_at=datetime(2026, 1, 5, 12, tzinfo=UTC))
    due = due_digest(settings, datetime.fromisoformat(row[0]).replace(tzinfo=BERLIN))
    assert due is not None
    assert (due.week_on.isoformat(), "late" if due.late else "on time") == row[1:]


# Lists of names.


def flat(section: Struct, prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in structs.asdict(section).items():
        found |= flat(value, f"{key}.") if isinstance(value, Struct) else {f"{prefix}{key}": value}
    return found


def test_thresholds_are_those_of_the_code() -> None:
    told = {code(key)[0]: json.loads(default) for key, default in rows_under("Key", "Default")}
    assert told == flat(RuleSettings())
    assert RuleSettings().domain_rules() == RULES


def test_thresholds_in_the_sections_are_the_defaults() -> None:
    defaults = {key.rpartition(".")[2]: value for key, value in flat(RuleSettings()).items()}
    told = re.findall(r"`([a-z_0-9]+)`\s+\(([\d.]+)\)", page(RULES_PAGE))
    assert {key for key, _ in told} == defaults.keys() - {"count_inferred"}
    assert [(key, value) for key, value in told if json.loads(value) != defaults[key]] == []


def test_figures_are_those_of_the_code() -> None:
    named = [name for row in rows_under("Name", "Is") for name in code(row[0])]
    assert named == list(Figures.__dataclass_fields__)


def test_states_of_a_delivery_are_those_of_the_code() -> None:
    rows = rows_under("State", "Means", "Next")
    assert [code(state)[0] for state, _, _ in rows] == [state.value for state in DeliveryState]
    assert {code(state)[0] for state, _, following in rows if following} == UNSETTLED


def test_tables_are_those_of_the_database() -> None:
    named = [name for row in rows_under("Table", "Holds") for name in code(row[0])]
    assert sorted(named) == sorted(metadata.tables)


def objects() -> list[dict[str, Any]]:
    return [
        json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", page(RULES_PAGE), re.MULTILINE | re.DOTALL)
    ]


def test_objects_have_the_names_that_commands_print() -> None:
    imported, digest, nudge, _ = objects()
    assert list(import_command._document(Archive([]), Imported(), 0)) == list(imported)
    figures = figures_of("5 * 1 of 5")
    report = WeekReport(GUILD, MONDAY, BERLIN, True, figures, ((ANNA, figures),))
    printed = report.document()
    assert [*printed, "posted"] == list(digest)
    assert digest["team"].keys() <= printed["team"].keys()
    assert digest["managers"][0].keys() <= printed["managers"][0].keys()
    assert digest["posted"].keys() == {"complete", "team", "managers"} <= printed.keys()
    offer = Offer(MIA, Reason.WAITING, START, message_id=9)
    document = nudges_command._document(Nudge(ANNA, (offer,)), NOW)
    assert list(document) == list(nudge)
    assert list(document["members"][0]) == list(nudge["members"][0])


async def test_what_is_stored_of_a_person_has_the_names_that_the_page_says(tmp_path: Path) -> None:
    database, clock = await open_database(f"sqlite:///{tmp_path / 'spade.db'}", write=True), DrivenClock(NOW)
    try:
        document = await PrivacyService(database, Roster(database, clock), clock).export(GUILD, MIA)
    finally:
        await database.close()
    assert list(document) == list(objects()[3])
    assert objects()[3]["facts"].keys() <= metadata.tables.keys()


# Links, anchors, paths.


def anchor(heading: str) -> str:
    """The anchor that forges make of a heading."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@cache
def anchors(path: str) -> frozenset[str]:
    text = re.sub(r"^```.*?^```", "", page(path), flags=re.MULTILINE | re.DOTALL)
    found = [anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]
    assert len(set(found)) == len(found), f"{path}: two headings have one anchor"
    return frozenset(found)


def markdown() -> list[str]:
    return [name for name in tracked() if name.endswith(".md")]


def test_relative_links_lead_somewhere() -> None:
    lost = []
    for name in markdown():
        text = re.sub(r"^```.*?^```", "", page(name), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"(?:src|href)=\"([^\"]+)\"", text):
            if re.match(r"[a-z]+:", target) or "[" in target:
                continue
            path, _, part = target.partition("#")
            found = (ROOT / name).parent / path if path else ROOT / name
            inside = found.resolve().relative_to(ROOT).as_posix()
            if not found.exists() or (part and part not in anchors(inside)):
                lost.append(f"{name}: {target}")
    assert lost == []


def test_the_readme_leads_to_the_pages() -> None:
    readme = page("README.md")
    assert [path for path in (*PAGES, "docs/self-hosting.md") if f"]({path})" not in readme] == []


def sources() -> list[str]:
    """What people wrote by hand, data and catalogues left out."""
    return [
        name
        for name in tracked()
        if name.endswith((".py", ".toml", ".yaml", ".yml", ".md", ".css", ".js", ".html"))
        or name in {"Makefile", ".ci/run"}
    ]


def test_every_anchor_that_is_cited_exists() -> None:
    cited = [
        (name, path, part)
        for name in sources()
        for path, part in re.findall(r"((?:docs/)?[\w-]+\.md)#([\w-]+)", page(name))
    ]
    assert len(cited) > 40
    missing = []
    for name, path, part in cited:
        at_root = ROOT / path
        found = path if at_root.exists() else f"docs/{path}"
        if part not in anchors(found):
            missing.append(f"{name}: {path}#{part}")
    assert missing == []


NOT_HERE = re.compile(r"§ ?\d|(?<![\w#])R(?:[1-9]|10)\b(?!\.\d)|\bDESIGN\b")


def test_nothing_cites_what_is_not_in_the_repository() -> None:
    own = Path(__file__).relative_to(ROOT).as_posix()
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in sources()
        if name != own
        for number, line in enumerate(page(name).splitlines(), start=1)
        if NOT_HERE.search(line)
    ]
    assert found == []


def paths_named(text: str) -> Iterable[str]:
    for name in code(re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)):
        if re.fullmatch(r"(?:bot|cogs|docs|tests|tools|\.ci)(?:/[\w.*-]+)*/?", name) or re.fullmatch(
            r"[A-Za-z.-]+\.(?:md|toml|yaml|lock)", name
        ):
            yield name


@pytest.mark.parametrize("path", PAGES)
def test_every_path_that_a_page_names_exists(path: str) -> None:
    named = list(paths_named(page(path)))
    assert named
    own = {"config.yaml"}  # made by `spade init`
    assert [name for name in named if name not in own and not list(ROOT.glob(name.rstrip("/")))] == []


def test_every_class_and_function_that_the_pages_name_exists() -> None:
    everything = "\n".join(page(name) for name in tracked() if name.endswith(".py"))
    for path in PAGES:
        for name in code(page(path)):
            if re.fullmatch(r"(?:[A-Z]\w+)(?:\.\w+)?|[a-z_]+\(\)", name):
                for part in name.removesuffix("()").split("."):
                    assert re.search(rf"\b(?:class|def) {part}\b|^{part} = |\b{part} = ", everything, re.MULTILINE), (
                        path,
                        name,
                    )


def test_make_targets_are_those_that_the_pages_name() -> None:
    targets = set(re.findall(r"^([a-z]+):", page("Makefile"), re.MULTILINE))
    named = {
        target
        for path in ("README.md", *PAGES)
        for target in re.findall(r"(?:^|`)make ([a-z]+)\b", page(path), re.MULTILINE)
    }
    assert named - targets == set()
    suites = {name for _, name in re.findall(r"^(\| )`make ([a-z]+)`", page("CONTRIBUTING.md"), re.MULTILINE)}
    assert targets - suites == {"help", "demo", "serve", "catalogues", "lock", "upgrade", "clean"}


def test_the_picture_is_well_formed_and_says_what_it_shows() -> None:
    picture = ET.parse(ROOT / "docs/pictures/architecture.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    assert picture.find(f"{space}title") is not None
    assert picture.find(f"{space}desc") is not None
    layers = " ".join("".join(text.itertext()) for text in picture.iter(f"{space}text"))
    for room in ("bot/cli", "bot/app.py", "cogs", "bot/views", "bot/services", "bot/store", "bot/domain"):
        assert room in layers
