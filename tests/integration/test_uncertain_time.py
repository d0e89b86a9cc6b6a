"""While the time is not certain, nothing is done that cannot be taken back; and nothing stays of a wrong time."""

import ast
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from bot.clock import DrivenClock, UnsureTimeError
from bot.domain.delivery import DeliveryKind, DeliveryState
from bot.domain.due_work import Piece, Work
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.domain.waiting import WaitingEntry
from bot.schedule import Schedule
from bot.services.delivery.attempts import Attempts
from bot.services.delivery.messenger import SentMessage
from bot.services.delivery.outbox import new_delivery
from bot.services.delivery.settlement import Settlement
from bot.services.digest.dispatch import DigestService
from bot.services.guild.membership import KEPT_AFTER_REMOVAL, MembershipService
from bot.services.guild.retention import Retention
from bot.services.guild_reader import GuildReader
from bot.services.nudge.dispatch import NudgeService
from bot.services.nudge.enrolment import Enrolments
from bot.store import deliveries, guilds, managers, record, tables
from bot.store.database import Database
from bot.views.digest.writer import DigestWriter
from tests.support.days import a_day
from tests.support.messages import ANNA, CHANNEL, GUILD, MIA
from tests.support.outgoing import Drafts, Outgoing, at_once
from tests.support.rows import rows

NOW = datetime.fromisoformat("2026-03-09T12:00:00+00:00")
REMOVED = 8
SERVICES = Path(__file__).parents[2] / "bot" / "services"

IRREVERSIBLE = {
    "deliveries.claim": {"services/delivery/periods.py"},
    "guilds.purge": {"services/guild/membership.py"},
    "guilds.mark_absent": {"services/guild/membership.py"},
    "guilds.mark_removed": {"services/guild/membership.py"},
    "retention.forget_before": {"services/guild/retention.py"},
    "messenger.send_to_person": {"services/delivery/outbox.py"},
    "messenger.send_to_channel": {"services/delivery/outbox.py"},
}
"""What cannot be taken back and depends on the time, and who may do it: who is sure of the time, by the tests below.

Claims are of deliveries, which only `new_delivery` makes.
"""


def test_whoever_does_what_cannot_be_taken_back_is_known() -> None:
    found: dict[str, set[str]] = {name: set() for name in IRREVERSIBLE}
    makers = set()
    for path in sorted(SERVICES.rglob("*.py")):
        where = str(path.relative_to(SERVICES.parent))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func).removeprefix("self._")
            if called in found:
                found[called].add(where)
            if called == "Delivery":
                makers.add(where)
    assert found == IRREVERSIBLE
    assert makers == {"services/delivery/outbox.py"}


class DoubtfulClock(DrivenClock):
    """A clock that can be unsure."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.certain = False

    @property
    def sure(self) -> bool:
        return self.certain

    def sure_now(self) -> datetime:
        if not self.certain:
            raise UnsureTimeError
        return self.now()


class NoPainter:
    async def paint(self, draft: object) -> None:
        return None


class Spade:
    """The services that send and delete, with something for each of them to do."""

    def __init__(self, database: Database, clock: DrivenClock) -> None:
        self.attempts = Attempts(clock.now)
        self.outgoing, self.settlement = Outgoing(), Settlement(database, clock)
        self.membership, self.retention = MembershipService(database, clock), Retention(database, clock)
        self.nudges = NudgeService(database, self.outgoing, Drafts(), clock, Rules(), at_once)
        self.enrolments = Enrolments(database, self.outgoing, Drafts(), clock)
        reader = GuildReader(database, clock, at_once)
        digests = DigestService(
            database, self.outgoing, DigestWriter(), NoPainter(), clock, Rules(), reader, lambda _: True
        )
        self.settlement.add(DeliveryKind.WELCOME, self.enrolments.resume)
        self.due: dict[str, Callable[[], Awaitable[int]]] = {
            "purge": self.membership.purge_due,
            "retention": self.retention.purge_due,
            "settlement": self.settlement.settle_due,
            "digests": digests.post_due,
            "nudges": self.nudges.send_due,
        }

    async def tick(self) -> None:
        async def ready() -> bool:
            return True

        schedule = Schedule(1, ready, self.attempts)
        for name, work in self.due.items():
            schedule.add(name, work)
        await schedule.tick()


@pytest.fixture
async def clock(database: Database) -> DoubtfulClock:
    """A nudge, two digests, a purge and retention are due, and a first DM is to be settled."""
    clock = DoubtfulClock(NOW)
    began = NOW - timedelta(days=90)
    clock.certain = True
    welcome = new_delivery(DeliveryKind.WELCOME, GUILD, ANNA, NOW.date(), clock, DeliveryState.UNKNOWN)
    clock.certain = False
    settings = GuildSettings(GUILD, ZoneInfo("UTC"), digest_channel_id=5, digest_from_at=began, keep_months=3)
    async with database.writing() as connection:
        await guilds.watch(connection, GUILD, began)
        await guilds.save(connection, settings)
        await guilds.watch(connection, REMOVED, began)
        await guilds.mark_removed(connection, REMOVED, NOW - KEPT_AFTER_REMOVAL - timedelta(days=1))
        await managers.add(connection, GUILD, [ANNA])
        await managers.save(connection, ManagerSettings(GUILD, ANNA, enrolled_at=began))
        entry = WaitingEntry(first_id_at(NOW - timedelta(hours=9)), CHANNEL, MIA, frozenset({ANNA}))
        await record.add_waiting(connection, {GUILD: [entry]})
        old = a_day(GUILD, MIA, (NOW - timedelta(days=400)).date())
        await connection.execute(insert(tables.activity).values(old))
        await deliveries.claim(connection, replace(welcome, tried_at=NOW - timedelta(hours=1)))
    return clock


async def test_nothing_is_sent_or_deleted_while_the_time_is_not_certain(
    database: Database, clock: DoubtfulClock, caplog: pytest.LogCaptureFixture
) -> None:
    spade, before = Spade(database, clock), await rows(database, *tables.metadata.sorted_tables)
    await spade.tick()
    for work in spade.due.values():  # each by itself, too: one that is unsure ends a tick
        with contextlib.suppress(UnsureTimeError):
            assert await work() == 0
    with pytest.raises(UnsureTimeError):
        await spade.nudges.send_now(GUILD, ANNA)
    await spade.enrolments.turn_off(GUILD, ANNA)
    with pytest.raises(UnsureTimeError):
        await spade.enrolments.turn_on(GUILD, ANNA)
    async with database.writing() as connection:
        await managers.save(connection, ManagerSettings(GUILD, ANNA, enrolled_at=NOW - timedelta(days=90)))
    assert spade.outgoing.sent == []
    assert await rows(database, *tables.metadata.sorted_tables) == before
    assert [record for record in caplog.records if record.name.startswith("bot.")] == []
    clock.certain = True
    await spade.tick()
    after = await rows(database, tables.guild, tables.activity, tables.delivery)
    assert [guild[0] for guild in after["guild"]] == [GUILD]
    assert after["activity"] == []
    assert len(after["delivery"]) == 4  # the first DM, the nudge, two digests
    assert len(spade.outgoing.sent) >= 3


async def test_the_thirty_days_after_a_removal_begin_when_the_time_is_certain(database: Database) -> None:
    """Else a machine whose clock begins in 1970 would forget a server at once."""
    clock = DoubtfulClock(datetime.fromisoformat("1970-01-01T00:00:00+00:00"))
    service = MembershipService(database, clock)
    async with database.writing() as connection:
        for guild_id in (1, 2, 3, 4):
            await guilds.watch(connection, guild_id, NOW)
    await service.present([1, 2, 4])  # guild 3 was left unheard
    await service.removed(2)
    await service.removed(4)
    await service.present([1, 4])  # invited again
    clock.set(NOW)
    clock.certain = True
    assert await service.purge_due() == 0
    clock.set(NOW + KEPT_AFTER_REMOVAL)
    assert await service.purge_due() == 0
    clock.set(NOW + KEPT_AFTER_REMOVAL + timedelta(milliseconds=1))
    assert await service.purge_due() == 2
    assert [row[0] for row in (await rows(database, tables.guild))["guild"]] == [1, 4]


async def test_a_removal_that_a_clock_far_ahead_has_noted_counts_from_now(database: Database) -> None:
    async with database.writing() as connection:
        await guilds.watch(connection, 1, NOW)
        await guilds.mark_removed(connection, 1, NOW + timedelta(days=1800))
        await guilds.mark_absent(connection, [], NOW)
        assert await guilds.removed_before(connection, NOW + timedelta(milliseconds=1)) == (1,)


async def test_a_pause_after_a_failure_ends_when_the_time_was_taken_for_a_later_one() -> None:
    clock = DrivenClock(NOW + timedelta(days=40))
    tried: list[datetime] = []

    async def work() -> bool:
        tried.append(clock.now())
        raise ValueError("no")

    pieces = Attempts(clock.now)
    await pieces.attempt(Piece(Work.DIGEST, 1), work)
    clock.set(NOW, back=True)
    await pieces.attempt(Piece(Work.DIGEST, 1), work)
    assert tried[1:] == [NOW]


async def test_nudges_come_every_day_after_a_tick_far_ahead(database: Database, clock: DoubtfulClock) -> None:
    """Two weeks ahead at one tick; then the nudge of each of those days comes in its time."""
    truth = NOW

    class Discord(Outgoing):
        async def send_to_person(self, person_id: int, body: object, nonce: str) -> SentMessage:
            await super().send_to_person(person_id, body, nonce)
            return SentMessage(1, first_id_at(truth) + len(self.sent))

    clock.certain = True
    service = NudgeService(database, discord := Discord(), Drafts(), clock, Rules(), at_once)
    clock.set(NOW + timedelta(days=14, hours=1))
    async with database.writing() as connection:  # somebody waits then, too
        entry = WaitingEntry(first_id_at(clock.now() - timedelta(hours=9)), CHANNEL, MIA + 1, frozenset({ANNA}))
        await record.add_waiting(connection, {GUILD: [entry]})
    await service.send_due()
    assert len(discord.sent) == 1
    clock.set(NOW, back=True)
    for hours in range(0, 24 * 16, 4):
        truth = NOW + timedelta(hours=hours)
        clock.set(truth)
        await service.send_due()
    async with database.reading() as connection:
        found = await deliveries.due_between(
            connection, GUILD, DeliveryKind.NUDGE, ANNA, NOW.date(), NOW.date() + timedelta(days=15)
        )
    wanted = [NOW.date() + timedelta(days=number) for number in range(16)]
    assert sorted(one.due_on for one in found) == [day for day in wanted if day.weekday() < 5]
    assert all(one.claimed_at <= truth for one in found)
