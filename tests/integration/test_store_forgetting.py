"""Erasing, opting out, ignoring and retention, on SQLite and on PostgreSQL."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.clock import DrivenClock
from bot.domain.forgetting import Forgotten, Objection
from bot.domain.guild import GuildSettings
from bot.domain.snowflake import first_id_at
from bot.domain.touch import Touch, TouchKind
from bot.domain.waiting import WaitingEntry
from bot.services.members.privacy import PrivacyService
from bot.services.members.roster import Roster
from bot.store import forgetting, guilds, ignoring, managers, record, retention, tables
from bot.store.database import Database
from bot.views.members.privacy import privacy_letter
from tests.support.days import a_day
from tests.support.rows import one_of_each

pytestmark = pytest.mark.usefixtures("sqlite_without_threads")

GUILD, OTHER, MIA, NOOR = 10, 11, 101, 102
RAFA = 271828182845904523  # so long that no random mark holds it by chance
AT = datetime(2026, 3, 2, tzinfo=UTC)


async def fill(database: Database, guild_id: int, first: int) -> None:
    """One guild in which Rafa was touched by Mia, and waits for both managers."""
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(guild_id, ZoneInfo("UTC")))
        await managers.add(connection, guild_id, [MIA, NOOR])
        touches = [
            Touch(TouchKind.REPLY, MIA, RAFA, first + 2, 5, AT, first + 1),
            Touch(TouchKind.REPLY, MIA, 104, first + 3, 5, AT, first + 1),
        ]
        await record.add_touches(connection, {guild_id: touches})
        entries = [
            WaitingEntry(first + 4, 5, RAFA, frozenset({MIA, NOOR})),
            WaitingEntry(first + 5, 5, 104, frozenset({MIA, NOOR})),
        ]
        await record.add_waiting(connection, {guild_id: entries})
        await connection.execute(tables.activity.insert().values(a_day(guild_id, RAFA, date(2026, 3, 2), 3)))
        await connection.execute(
            tables.digest.insert().values(
                guild_id=guild_id,
                week_on=date(2026, 2, 23),
                delivery_id=f"d{guild_id}",
                figures=f'{{"team": 1, "managers": [{{"manager_id": "{MIA}"}}, {{"manager_id": "{NOOR}"}}]}}',
                frozen_at=AT,
            )
        )


async def names(database: Database, guild_id: int, person_id: int) -> dict[str, int]:
    async with database.reading() as connection:
        return {
            table: len(rows) for table, rows in (await forgetting.facts_about(connection, guild_id, person_id)).items()
        }


async def test_an_erasure_ends_at_the_guild_and_is_remembered_without_the_id(database: Database) -> None:
    for guild_id, first in ((GUILD, 1000), (OTHER, 2000)):
        await fill(database, guild_id, first)
    async with database.writing() as connection:
        assert await forgetting.erase(connection, GUILD, RAFA) >= 4
        await forgetting.remember(connection, GUILD, RAFA)
    assert await names(database, GUILD, RAFA) == {}
    assert await names(database, OTHER, RAFA) == {"activity": 1, "touch": 1, "waiting": 1}
    async with database.writing() as connection:
        unrecorded = await forgetting.unrecorded(connection, GUILD)
        assert (RAFA in unrecorded, MIA in unrecorded) == (True, False)
        assert RAFA not in await forgetting.unrecorded(connection, OTHER)
        rows = (await connection.execute(tables.forgotten.select())).all()
        assert len(rows) == 1
        assert str(RAFA) not in rows[0].mark
        await managers.add(connection, GUILD, [RAFA])
        await ignoring.add(connection, GUILD, [RAFA])
        assert RAFA not in await managers.people(connection, GUILD)
        assert await ignoring.people(connection, GUILD) == set()
        await forgetting.return_at(connection, GUILD, RAFA, AT)
        assert RAFA not in await forgetting.unrecorded(connection, GUILD)


async def test_an_erasure_leaves_no_mark_and_no_key_with_another_guild(database: Database) -> None:
    async with database.writing() as connection:
        await forgetting.remember(connection, GUILD, RAFA)
        here, there = await forgetting.forgotten(connection, GUILD), await forgetting.forgotten(connection, OTHER)
        assert (RAFA in here, here.marks, len(here.key)) == (True, {here.mark(RAFA): Objection()}, 32)
        assert there == Forgotten(OTHER)
        assert RAFA not in there


async def test_an_erased_manager_is_gone_from_others_waiting_and_from_posted_figures(database: Database) -> None:
    await fill(database, GUILD, 1000)
    async with database.writing() as connection:
        await forgetting.erase(connection, GUILD, MIA)
        assert await managers.people(connection, GUILD) == {NOOR}
        asked = set(
            await connection.scalars(tables.waiting_for.select().with_only_columns(tables.waiting_for.c.manager_id))
        )
        assert asked == {NOOR}
        (figures,) = await connection.scalars(tables.digest.select().with_only_columns(tables.digest.c.figures))
    assert figures == f'{{"team": 1, "managers": [{{"manager_id": "{NOOR}"}}]}}'
    assert await names(database, GUILD, MIA) == {}


async def test_a_managers_export_holds_their_own_figures_of_posted_weeks(database: Database) -> None:
    await fill(database, GUILD, 1000)
    async with database.reading() as connection:
        facts = await forgetting.facts_about(connection, GUILD, MIA)
    assert facts["digest"] == [{"week_on": date(2026, 2, 23), "figures": {"manager_id": str(MIA)}}]


async def test_opting_out_leaves_the_id_and_nothing_else(database: Database) -> None:
    await fill(database, GUILD, 1000)
    async with database.writing() as connection:
        await forgetting.erase_as_member(connection, GUILD, RAFA)
        await forgetting.set_opted_out(connection, GUILD, RAFA, AT)
        assert RAFA in await forgetting.unrecorded(connection, GUILD)
    assert await names(database, GUILD, RAFA) == {"member": 1}


async def test_roles_on_the_ignore_list_take_their_bearers_along(database: Database) -> None:
    async with database.writing() as connection:
        await ignoring.add_roles(connection, GUILD, [7, 8])
        await ignoring.add(connection, GUILD, [RAFA], by_role_id=7)
        await ignoring.add(connection, GUILD, [MIA], by_role_id=8)
        await ignoring.add(connection, GUILD, [MIA])
        assert await ignoring.people(connection, GUILD) == {RAFA, MIA}
        assert await ignoring.people_by_role(connection, GUILD) == {RAFA}
        await ignoring.remove_roles(connection, GUILD, [7, 8])
        assert await ignoring.people(connection, GUILD) == {MIA}
        assert await ignoring.roles(connection, GUILD) == set()
        assert await ignoring.people(connection, OTHER) == set()


async def mentions(database: Database, person_id: int) -> set[str]:
    """The tables that hold an id anywhere, whatever the column is called and whatever else stands in it."""
    found = set()
    async with database.reading() as connection:
        for table in tables.metadata.sorted_tables:
            rows = (await connection.execute(table.select())).all()
            if any(str(person_id) in str(value) for row in rows for value in row):
                found.add(table.name)
    return found


async def test_an_erasure_and_an_export_reach_every_table_there_is(database: Database) -> None:
    """A table that is added one day and holds people's ids has to be reached as well, or this fails."""
    await one_of_each(database, GUILD, RAFA)
    await one_of_each(database, OTHER, NOOR)
    held = await mentions(database, RAFA)
    assert held >= {"activity", "digest", "history_job", "ignored", "manager", "nudge_member", "touch", "waiting_for"}
    # Whom a message waits for is told with the message.
    assert set(await names(database, GUILD, RAFA)) == held - {"waiting_for"}
    others = await names(database, OTHER, NOOR)
    async with database.writing() as connection:
        await forgetting.erase(connection, GUILD, RAFA)
    assert await mentions(database, RAFA) == set()
    assert await names(database, OTHER, NOOR) == others


async def test_opting_out_reaches_every_table_about_members_and_opting_in_leaves_no_row(database: Database) -> None:
    about_members = {table.name for table in tables.metadata.sorted_tables if "member_id" in table.c}
    await one_of_each(database, GUILD, RAFA)
    async with database.writing() as connection:
        await forgetting.erase_as_member(connection, GUILD, RAFA)
    assert await mentions(database, RAFA) & (about_members | {"waiting_for"}) == set()
    async with database.writing() as connection:
        await forgetting.set_opted_out(connection, GUILD, RAFA, AT)
        (row,) = (await forgetting.facts_about(connection, GUILD, RAFA))["member"]
        assert {name for name, value in row.items() if value is not None} == {"guild_id", "member_id", "opted_out_at"}
        await forgetting.forget_opt_out(connection, GUILD, RAFA)
    assert "member" not in await names(database, GUILD, RAFA)


async def test_whatever_is_stored_about_a_person_is_shown_to_them(database: Database) -> None:
    """One row in any table, and `/privacy show` does not say that there is nothing."""
    clock = DrivenClock(AT)
    service = PrivacyService(database, Roster(database, clock), clock)
    about = dict(forgetting.person_tables())
    for guild_id, kept in enumerate((*about, tables.digest), start=GUILD):
        await one_of_each(database, guild_id, RAFA)
        async with database.writing() as connection:
            for table in about.keys() - {kept}:
                somebody_else = {column.name: MIA for column in table.c if column.name in forgetting.PERSON_COLUMNS}
                await connection.execute(table.update().where(table.c.guild_id == guild_id).values(somebody_else))
            if kept is not tables.digest:
                await connection.execute(tables.digest.delete())
        facts = await service.stored(guild_id, RAFA)
        assert not facts.nothing, kept
        assert "Nothing." not in str(privacy_letter(facts, "Mesh", {}).cards), kept


KEPT_FOR_GOOD = {
    "digest",  # as it was posted
    "excluded_channel",
    "fact_change",  # how often facts changed, so that no sum of before seems to hold
    "forgotten",
    "guild",
    "history_job",  # who has been read up for, so that it is not done again
    "history_job_channel",
    "history_job_stretch",
    "ignored",
    "imported_channel",  # whose thread is whose
    "known_gap",
    "manager",
    "manager_role",
    "span",  # so that what was forgotten is not fetched again
}


async def test_what_is_kept_some_months_is_gone_from_every_other_table(database: Database) -> None:
    later = datetime(2026, 3, 3, tzinfo=UTC)
    await one_of_each(database, GUILD, RAFA, opted_out_at=None)
    async with database.writing() as connection:
        await retention.forget_before(connection, GUILD, later.date(), later)
        left = {
            table.name
            for table in tables.metadata.sorted_tables
            if (await connection.execute(table.select())).first() is not None
        }
    assert left == KEPT_FOR_GOOD


async def test_what_is_older_than_kept_is_forgotten_in_one_guild(database: Database) -> None:
    early = first_id_at(AT)
    for guild_id, first in ((GUILD, early), (OTHER, early + 100)):
        await fill(database, guild_id, first)
    async with database.writing() as connection:
        assert await retention.forget_before(connection, GUILD, date(2026, 3, 2), AT) == 0
        assert await retention.forget_before(connection, GUILD, date(2026, 3, 3), datetime(2026, 3, 3, tzinfo=UTC)) == 5
    assert await names(database, GUILD, RAFA) == {}
    assert await names(database, OTHER, RAFA) == {"activity": 1, "touch": 1, "waiting": 1}
