"""Many guilds in which nothing is due, and everything that runs with each tick."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

from sqlalchemy import insert

from bot.clock import DrivenClock
from bot.domain.delivery import DeliveryKind, DeliveryState
from bot.domain.due_work import Piece
from bot.domain.rules import Rules
from bot.schedule import Schedule
from bot.services.delivery.agenda import Agenda
from bot.services.delivery.attempts import Attempts
from bot.services.delivery.settlement import Settlement
from bot.services.digest.dispatch import DigestService
from bot.services.guild.membership import MembershipService
from bot.services.guild.retention import Retention
from bot.services.guild_reader import GuildReader
from bot.services.members.privacy import PrivacyService
from bot.services.members.roster import Roster
from bot.services.nudge.dispatch import NudgeService
from bot.services.record.follower import Follower
from bot.services.record.recorder import Recorder
from bot.store import tables
from bot.store.database import Database
from bot.views.digest.writer import DigestWriter
from tests.support.channel_log import ChannelLog
from tests.support.outgoing import Drafts, Outgoing, at_once

NOW = datetime(2026, 3, 6, 9, 30, tzinfo=UTC)
LAST_WEEK = date(2026, 2, 23)
_TICKS = 5
_EVERY = timedelta(seconds=20)
_ROWS = 5000


class _NoPainter:
    async def paint(self, draft: object) -> None:
        return None


class Ticking:
    """Everything that runs with each tick, on a database, with a Discord that takes all."""

    def __init__(self, database: Database) -> None:
        self.clock = DrivenClock(NOW)
        self._attempts = Attempts(self.clock.now)
        self._discord = Outgoing()
        self._schedule = Schedule(20.0, self._ready, self._attempts)
        clock, attempts, rules, discord = self.clock, self._attempts, Rules(), self._discord
        agenda = Agenda(database)
        follower = Follower(database, Recorder(database, rules), ChannelLog(), clock)
        reader = GuildReader(database, clock, at_once)
        digests = DigestService(
            database, discord, DigestWriter(), _NoPainter(), clock, rules, reader, lambda _: True, attempts, agenda
        )
        nudges = NudgeService(database, discord, Drafts(), clock, rules, at_once, lambda _: True, attempts, agenda)
        self._schedule.add("gaps", follower.retry_gaps)
        self._schedule.add("settlement", Settlement(database, clock, agenda).settle_due)
        self._schedule.add("purge", MembershipService(database, clock, agenda).purge_due)
        self._schedule.add("retention", Retention(database, clock, attempts, agenda).purge_due)
        privacy = PrivacyService(database, Roster(database, clock), clock, agenda=agenda)
        self._schedule.add("erasures", privacy.finish_due)
        self._schedule.add("digests", digests.post_due)
        self._schedule.add("nudges", nudges.send_due)

    async def _ready(self) -> bool:
        return True

    @property
    def sent(self) -> int:
        """How many messages were sent."""
        return len(self._discord.sent)

    @property
    def failing(self) -> list[Piece]:
        """What failed."""
        return [one.piece for one in self._attempts.failing(1)]

    async def tick(self) -> None:
        """One tick, 20 seconds after the one before."""
        self.clock.set(self.clock.now() + _EVERY)
        await self._schedule.tick()


async def idle_guilds(database: Database, guilds: int, managers: int) -> None:
    """Add guilds, numbered from 1 on, whose day and week are dealt with; those that are there stay."""
    guild_ids = range(1, guilds + 1)
    team = [(guild_id, guild_id * 1000 + number) for guild_id in guild_ids for number in range(managers)]
    numbers = count()

    def sent(guild_id: int, kind: DeliveryKind, manager_id: int, due_on: date) -> dict[str, object]:
        number = next(numbers)
        return {
            "delivery_id": f"{number:016}",
            "guild_id": guild_id,
            "kind": kind.value,
            "manager_id": manager_id,
            "due_on": due_on,
            "state": DeliveryState.SENT.value,
            "nonce": f"spade-{number}",
            "claimed_at": NOW - timedelta(minutes=30),
            "message_id": number,
        }

    rows = {
        tables.guild: [
            {
                "guild_id": guild_id,
                "time_zone": "UTC",
                "digest_channel_id": guild_id * 1000,
                "digest_weekday": 0,
                "digest_hour": 9,
                "digest_from_at": NOW - timedelta(days=90),
                "keep_months": None if guild_id % 10 else 12,
                "watched_since": NOW - timedelta(days=90),
            }
            for guild_id in guild_ids
        ],
        tables.manager: [
            {"guild_id": guild_id, "manager_id": manager_id, "enrolled_at": NOW - timedelta(days=90)}
            for guild_id, manager_id in team
        ],
        tables.delivery: [
            *(sent(guild_id, DeliveryKind.DIGEST, 0, LAST_WEEK) for guild_id in guild_ids),
            *(sent(*of[:1], DeliveryKind.PERSONAL_DIGEST, of[1], LAST_WEEK) for of in team),
            *(sent(*of[:1], DeliveryKind.NUDGE, of[1], NOW.date()) for of in team),
        ],
    }
    async with database.writing() as connection:
        for table, values in rows.items():
            await connection.execute(table.delete())
            for start in range(0, len(values), _ROWS):
                await connection.execute(insert(table), values[start : start + _ROWS])
