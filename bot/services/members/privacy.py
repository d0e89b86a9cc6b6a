"""What a person can do with the data stored about them: see it, export it, stop recording, erase it."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from bot.clock import Clock
from bot.domain.forgetting import Scope, Unrecorded
from bot.domain.privacy import StoredFacts
from bot.services.delivery.agenda import Agenda
from bot.services.members.roster import Roster
from bot.services.members.scrubbing import Scrubbing
from bot.store import forgetting, managers
from bot.store.database import Database

log = logging.getLogger(__name__)

LOOK_AGAIN_AFTER = timedelta(minutes=1)
"""When an erasure is repeated: a batch may have been on its way into the database."""
_WITHOUT_COLLEAGUES = frozenset({"snooze", "hand_over", "nudge_member"})
"""Tables in which a member's export leaves out the manager: these rows are the manager's own choices."""
_AS_MEMBER = "member_id"

Rows = Mapping[str, list[dict[str, Any]]]


def nothing_heard(_guild_id: int, _person_id: int) -> None:
    """Nothing is kept in memory about anybody."""


class PrivacyService:
    """Serves the person themselves: the caller passes the id of the person who asks, never another one.

    `unhear` is called with a guild and a person whose stretch of consent ends or begins: what was heard of them before
    is forgotten.
    """

    def __init__(
        self,
        database: Database,
        roster: Roster,
        clock: Clock,
        unhear: Callable[[int, int], None] = nothing_heard,
        agenda: Agenda | None = None,
    ) -> None:
        self._database = database
        self._roster = roster
        self._clock = clock
        self._unhear = unhear
        self._again: dict[tuple[int, int], datetime] = {}
        self._scrubbing = Scrubbing(database, clock, agenda)

    async def stored(self, guild_id: int, person_id: int) -> StoredFacts:
        """What is stored about a person, summed up."""
        async with self._database.reading() as connection:
            rows = await forgetting.facts_about(connection, guild_id, person_id)
            unrecorded = await forgetting.unrecorded(connection, guild_id)
        return _summed_up(rows, person_id, unrecorded)

    async def export(self, guild_id: int, person_id: int) -> dict[str, Any]:
        """Every row about a person as a document: ids are text, times ISO 8601 in UTC."""
        async with self._database.reading() as connection:
            rows = await forgetting.facts_about(connection, guild_id, person_id)
            unrecorded = await forgetting.unrecorded(connection, guild_id)
        since = unrecorded.recorded_since(person_id)
        return {
            "guild_id": str(guild_id),
            "person_id": str(person_id),
            "exported_at": self._clock.now().isoformat(),
            "asked_to_be_forgotten": person_id in unrecorded.forgotten,
            "recorded_since": since.isoformat() if since else None,
            "facts": {table: [_plain(table, row, person_id) for row in found] for table, found in sorted(rows.items())},
        }

    async def opt_out(self, guild_id: int, person_id: int) -> bool:
        """Delete what is recorded of a person as a member, and record no more; returns whether they are a manager."""
        async with self._database.writing() as connection:
            if person_id in await forgetting.forgotten(connection, guild_id):
                return False  # an erased person is not recorded either, and must get no row
            await forgetting.erase_as_member(connection, guild_id, person_id)
            await forgetting.set_opted_out(connection, guild_id, person_id, self._clock.now())
            self._unhear(guild_id, person_id)
            return person_id in await managers.people(connection, guild_id)

    async def opt_in(self, guild_id: int, person_id: int, asked_at: datetime) -> bool:
        """Record a person again from `asked_at` on, and never what was before; False if they were recorded already.

        `asked_at` is Discord's time, as that of messages is: the two are compared to the millisecond.
        """
        async with self._database.writing() as connection:
            if person_id not in await forgetting.unrecorded(connection, guild_id):
                return False
            # What a manager did while opted out as a member stays on record, and what is missing of it may be filled.
            manages = person_id in await managers.people(connection, guild_id)
            scope = Scope.MEMBER if manages else Scope.PERSON
            await forgetting.return_at(connection, guild_id, person_id, asked_at, scope)
            await forgetting.forget_opt_out(connection, guild_id, person_id)
            self._unhear(guild_id, person_id)
        return True

    async def erase(self, guild_id: int, person_id: int) -> int:
        """Delete everything about a person and keep only a hash of their id; returns how many rows were affected.

        What is left of the rows in the database file is removed by `finish_due` or `scrub`.
        """
        async with self._database.writing() as connection:
            rows = await forgetting.erase(connection, guild_id, person_id)
            await forgetting.remember(connection, guild_id, person_id)
            self._unhear(guild_id, person_id)
            await self._scrubbing.owe(connection)
        self._roster.changed(guild_id)
        self._again[guild_id, person_id] = self._clock.now() + LOOK_AGAIN_AFTER
        log.info("A person was erased from the record of server %s (%s rows)", guild_id, rows)
        return rows

    async def finish_due(self) -> None:
        """Repeat erasures that are due for it, and remove remains from the database file if that is due."""
        now = self._clock.now()
        due = [who for who, at in self._again.items() if not now < at <= now + LOOK_AGAIN_AFTER]
        for guild_id, person_id in due:
            async with self._database.writing() as connection:
                still = person_id in await forgetting.forgotten(connection, guild_id)
                if still and await forgetting.erase(connection, guild_id, person_id):
                    await self._scrubbing.owe(connection)
            del self._again[guild_id, person_id]
        await self._scrubbing.finish_due()

    async def scrub(self) -> None:
        """Remove remains of what was erased from the database file at once. Raises StoreError."""
        await self._scrubbing.finish()


def _summed_up(rows: Rows, person_id: int, unrecorded: Unrecorded) -> StoredFacts:
    def about(table: str) -> list[dict[str, Any]]:
        return [row for row in rows.get(table, ()) if row.get(_AS_MEMBER) == person_id]

    written = about("activity")
    member = about("member")
    as_member = sum(len(about(table)) for table in rows)
    ignored = len(rows.get("ignored", ()))
    manages = len(rows.get("manager", ()))
    imported = len(rows.get("imported_message", ()))
    return StoredFacts(
        person_id=person_id,
        opted_out_at=member[0]["opted_out_at"] if member else None,
        forgotten=person_id in unrecorded.forgotten,
        recorded_since=unrecorded.recorded_since(person_id),
        messages=sum(row["messages"] for row in written),
        days=len(written),
        first_on=min((row["day"] for row in written), default=None),
        last_on=max((row["day"] for row in written), default=None),
        touches=Counter(row["manager_id"] for row in about("touch")),
        waiting=len(about("waiting")),
        nudges=len({row["delivery_id"] for row in about("nudge_member")}),
        set_aside=len(about("snooze")) + len(about("hand_over")),
        imported=imported,
        left_at=member[0]["left_at"] if member else None,
        proxied=bool(member) and member[0]["proxied"] is not None,
        manages=manages > 0,
        acted=sum(map(len, rows.values())) - as_member - ignored - manages - imported,
        ignored=ignored > 0,
    )


def _plain(table: str, row: dict[str, Any], person_id: int) -> dict[str, object]:
    """A row as JSON, without the guild's id, which the document has."""
    plain: dict[str, object] = {}
    for name, value in row.items():
        colleague = name in forgetting.PERSON_COLUMNS and value not in (None, person_id)
        if name == "guild_id" or (colleague and table in _WITHOUT_COLLEAGUES and row.get(_AS_MEMBER) == person_id):
            continue
        if name.endswith("_id") and isinstance(value, int):
            plain[name] = str(value)
        else:
            plain[name] = value.isoformat() if isinstance(value, date | datetime) else value
    return plain
