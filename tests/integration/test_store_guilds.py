"""Guilds, managers, ignored people and jobs, on SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.history_job import HistoryJob, JobKind, LeftOut, Unread
from bot.domain.span import Span
from bot.domain.stretch import Place
from bot.store import guilds, history_jobs, ignoring, managers, record, spans, tables, unread
from bot.store.database import Database
from tests.support.messages import ANNA, BEN, GUILD, MIA, NOAH, moment
from tests.support.rows import one_of_each, rows

pytestmark = pytest.mark.usefixtures("sqlite_without_threads")

OTHER_GUILD = 8
FULL = GuildSettings(
    GUILD,
    ZoneInfo("America/Santiago"),
    digest_channel_id=5,
    digest_weekday=6,
    digest_hour=23,
    digest_from_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
    show_verdict=False,
    language="de",
)


async def test_settings_are_read_as_they_were_saved(database: Database) -> None:
    async with database.writing() as connection:
        assert await guilds.settings_of(connection, GUILD) is None
        for settings in (GuildSettings(GUILD, ZoneInfo("UTC")), FULL, replace(FULL, digest_channel_id=None)):
            await guilds.save(connection, settings)
            assert await guilds.settings_of(connection, GUILD) == settings
        await guilds.save(connection, GuildSettings(2, ZoneInfo("UTC")))
        assert [settings.guild_id for settings in await guilds.all_settings(connection)] == [2, GUILD]


async def test_a_guild_is_watched_since_spade_first_came(database: Database) -> None:
    async with database.writing() as connection:
        assert await guilds.watch(connection, GUILD, moment(0)) == moment(0)
        assert await guilds.watch(connection, GUILD, moment(5)) == moment(0)
        assert await guilds.settings_of(connection, GUILD) == GuildSettings(GUILD, ZoneInfo("UTC"))
        await guilds.save(connection, replace(FULL, guild_id=OTHER_GUILD))  # set up by an import
        assert await guilds.watch(connection, OTHER_GUILD, moment(7)) == moment(7)
        assert await guilds.settings_of(connection, OTHER_GUILD) == replace(FULL, guild_id=OTHER_GUILD)
        await guilds.save(connection, FULL)
        assert await guilds.watch(connection, GUILD, moment(9)) == moment(0)  # settings leave it alone


async def test_where_spade_is_and_where_it_was_removed_from(database: Database) -> None:
    """Guild 1 is there, 2 was left while nobody listened, 3 only ever came by import."""
    async with database.writing() as connection:
        for guild_id in (1, 2):
            await guilds.watch(connection, guild_id, moment(0))
        await guilds.save(connection, replace(FULL, guild_id=3))
        await guilds.mark_present(connection, [1])
        await guilds.mark_absent(connection, [1], moment(10))
        assert [settings.guild_id for settings in await guilds.all_settings(connection)] == [1, 3]
        await guilds.mark_absent(connection, [1], moment(20))  # the first finding stays
        assert await guilds.removed_before(connection, moment(10)) == ()
        assert await guilds.removed_before(connection, moment(11)) == (2,)
        await guilds.mark_removed(connection, 1, moment(30))
        await guilds.mark_removed(connection, 1, moment(40))
        assert await guilds.removed_before(connection, moment(31)) == (1, 2)
        await guilds.mark_present(connection, [1, 2])
        await guilds.mark_absent(connection, [1, 2], moment(50))
        assert await guilds.removed_before(connection, moment(100)) == ()
        await guilds.mark_absent(connection, [], moment(60))
        assert await guilds.removed_before(connection, moment(100)) == (1, 2)


async def test_the_list_of_excluded_channels_is_replaced_as_a_whole(database: Database) -> None:
    async with database.writing() as connection:
        await guilds.set_excluded_channels(connection, GUILD, [3, 1, 3])
        await guilds.set_excluded_channels(connection, OTHER_GUILD, [9])
        assert await guilds.excluded_channels(connection, GUILD) == {1, 3}
        await guilds.set_excluded_channels(connection, GUILD, [2])
        assert await guilds.excluded_channels(connection, GUILD) == {2}
        await guilds.set_excluded_channels(connection, GUILD, [])
        assert await guilds.excluded_channels(connection, GUILD) == frozenset()
        assert await guilds.excluded_channels(connection, OTHER_GUILD) == {9}


async def fill(database: Database, guild_id: int) -> None:
    """In the guilds with odd numbers the member has opted out."""
    await one_of_each(database, guild_id, MIA, opted_out_at=moment(0) if guild_id % 2 else None)


async def tables_with(database: Database, guild_id: int) -> set[str]:
    found = set()
    async with database.reading() as connection:
        for table in tables.metadata.sorted_tables:
            if "guild_id" in table.c:
                query = select(table).where(table.c.guild_id == guild_id)
            elif table is tables.waiting_for:
                query = select(table).where(table.c.message_id == guild_id * 1000)
            else:
                assert table is tables.installation, "a table that no guild's purge would reach"
                continue
            if (await connection.execute(query)).first() is not None:
                found.add(table.name)
    return found


RECORDED = {
    "summary",
    "activity",
    "touch",
    "waiting",
    "waiting_for",
    "span",
    "known_gap",
    "history_job_channel",
    "history_job_stretch",
    "imported_message",
    "imported_channel",
    "nudge_member",
    "digest",
    "delivery",
}


async def test_forgetting_a_record_keeps_what_people_have_set(database: Database) -> None:
    """Whoever opted out stays opted out."""
    for guild_id in (1, 2, 3):
        await fill(database, guild_id)
    everything = await tables_with(database, 1)
    assert everything >= RECORDED
    async with database.writing() as connection:
        await guilds.forget(connection, 1)
        await guilds.forget(connection, 2)
    assert await tables_with(database, 1) == everything - RECORDED
    assert await tables_with(database, 2) == everything - RECORDED - {"member"}
    assert await tables_with(database, 3) == everything


async def test_purging_a_guild_leaves_nothing_but_who_asked_to_be_forgotten(database: Database) -> None:
    """That is a keyed hash, and without it they would be recorded again if Spade were invited again."""
    await fill(database, 1)
    await fill(database, 2)
    everything = await tables_with(database, 2)
    async with database.writing() as connection:
        await guilds.purge(connection, 1)
    assert await tables_with(database, 1) <= {"forgotten"}
    assert await tables_with(database, 2) == everything


# Managers.


async def test_managers_are_there_by_name_or_by_role(database: Database) -> None:
    async with database.writing() as connection:
        await managers.set_roles(connection, GUILD, [77, 78, 77])
        assert await managers.roles(connection, GUILD) == {77, 78}
        await managers.add(connection, GUILD, [ANNA, ANNA])
        await managers.add(connection, GUILD, [BEN], by_role_id=77)
        await managers.add(connection, GUILD, [MIA], by_role_id=78)
        await managers.add(connection, GUILD, [ANNA], by_role_id=77)  # who is there by name stays so
        assert await managers.people(connection, GUILD) == {ANNA, BEN, MIA}
        assert await managers.people_by_role(connection, GUILD) == {BEN, MIA}
        await managers.add(connection, GUILD, [MIA])  # and a role gives way to a name
        assert await managers.people_by_role(connection, GUILD) == {BEN}
        await managers.set_roles(connection, GUILD, [78])
        assert await managers.people(connection, GUILD) == {ANNA, MIA}
        await managers.add(connection, GUILD, [BEN], by_role_id=78)
        await managers.set_roles(connection, GUILD, [])
        assert await managers.people(connection, GUILD) == {ANNA, MIA}
        await managers.remove(connection, GUILD, [ANNA, NOAH])
        assert await managers.people(connection, GUILD) == {MIA}
        assert await managers.people(connection, OTHER_GUILD) == frozenset()


async def test_what_a_manager_has_set_is_kept_until_they_are_taken_off(database: Database) -> None:
    settings = ManagerSettings(
        GUILD,
        BEN,
        enrolled_at=moment(3),
        zone=ZoneInfo("Asia/Kathmandu"),
        nudge_hour=17,
        nudge_weekdays=frozenset({0, 6}),
        paused_until_on=date(2026, 4, 1),
        refused_at=moment(4),
    )
    async with database.writing() as connection:
        assert await managers.settings_of(connection, GUILD, BEN) is None
        await managers.save(connection, settings)  # no manager (yet): nothing happens
        assert await managers.settings_of(connection, GUILD, BEN) is None
        await managers.add(connection, GUILD, [BEN, ANNA])
        assert await managers.settings_of(connection, GUILD, BEN) == ManagerSettings(GUILD, BEN)
        await managers.save(connection, settings)
        await managers.add(connection, GUILD, [BEN])
        assert await managers.all_settings(connection, GUILD) == (ManagerSettings(GUILD, ANNA), settings)
        nothing_chosen = replace(settings, nudge_weekdays=frozenset(), zone=None)
        await managers.save(connection, nothing_chosen)
        assert await managers.settings_of(connection, GUILD, BEN) == nothing_chosen
        await managers.remove(connection, GUILD, [BEN])
        await managers.add(connection, GUILD, [BEN])
        assert await managers.settings_of(connection, GUILD, BEN) == ManagerSettings(GUILD, BEN)


async def test_closed_dms_are_a_matter_of_the_person_in_every_guild(database: Database) -> None:
    async with database.writing() as connection:
        for guild_id in (GUILD, OTHER_GUILD):
            await managers.add(connection, guild_id, [ANNA, BEN])
        await managers.mark_refused(connection, ANNA, moment(1))
        found = [await managers.all_settings(connection, guild_id) for guild_id in (GUILD, OTHER_GUILD)]
        assert [[one.refused_at for one in team] for team in found] == [[moment(1), None]] * 2
        await managers.mark_refused(connection, ANNA, None)
        settings = await managers.settings_of(connection, GUILD, ANNA)
        assert settings is not None
        assert settings.refused_at is None


async def test_people_are_ignored_by_name_or_by_role(database: Database) -> None:
    async with database.writing() as connection:
        await ignoring.add_roles(connection, GUILD, [77, 77])
        await ignoring.add_roles(connection, GUILD, [77, 78])
        await ignoring.add(connection, GUILD, [MIA])
        await ignoring.add(connection, GUILD, [NOAH, MIA], by_role_id=77)
        assert await ignoring.roles(connection, GUILD) == {77, 78}
        assert await ignoring.people(connection, GUILD) == {MIA, NOAH}
        assert await ignoring.people_by_role(connection, GUILD) == {NOAH}
        await ignoring.add(connection, GUILD, [NOAH])
        assert await ignoring.people_by_role(connection, GUILD) == frozenset()
        await ignoring.add(connection, GUILD, [BEN], by_role_id=78)
        await ignoring.remove_roles(connection, GUILD, [78])
        assert await ignoring.people(connection, GUILD) == {MIA, NOAH}
        await ignoring.remove(connection, GUILD, [MIA, 77])  # 77 is a role, and stays one
        assert await ignoring.people(connection, GUILD) == {NOAH}
        assert await ignoring.roles(connection, GUILD) == {77}
        assert await ignoring.people(connection, OTHER_GUILD) == frozenset()


# Jobs.


async def test_a_job_goes_on_until_it_is_finished_or_cancelled(database: Database) -> None:
    async with database.writing() as connection:
        backfill = await history_jobs.add(connection, GUILD, JobKind.BACKFILL, moment(-100), moment(0))
        again = await history_jobs.add(connection, GUILD, JobKind.READ_AGAIN, moment(-200), moment(1), ANNA)
        other = await history_jobs.add(connection, OTHER_GUILD, JobKind.BACKFILL, moment(-100), moment(2))
        assert backfill == HistoryJob(1, GUILD, JobKind.BACKFILL, moment(-100), None, moment(0))
        assert await history_jobs.unfinished(connection, GUILD) == (backfill, again)
        await history_jobs.note_messages(connection, backfill.job_id, 250)
        assert await history_jobs.by_id(connection, backfill.job_id) == replace(backfill, messages=250)
        assert await history_jobs.by_id(connection, 99) is None
        assert await history_jobs.cancel(connection, GUILD, moment(5)) == 1  # second readings go on
        assert await history_jobs.cancel(connection, GUILD, moment(6)) == 0
        assert await history_jobs.unfinished(connection, GUILD) == (again,)
        await history_jobs.finish(connection, [again.job_id], moment(7))
        assert await history_jobs.unfinished(connection, GUILD) == (again,)  # nobody has listed what it has to read
        await history_jobs.add_list(connection, GUILD, again.job_id, [Unread(5, None, (Span(6, 9),))], 1)
        await history_jobs.finish(connection, [again.job_id], moment(7))
        assert await history_jobs.unfinished(connection, GUILD) == (replace(again, listed=True, channels=1),)
        assert await history_jobs.guilds_with_unfinished(connection) == (GUILD, OTHER_GUILD)
        await unread.read(connection, [again.job_id], 5, Span(1, 9))
        await history_jobs.finish(connection, [again.job_id], moment(7))
        assert await history_jobs.unfinished(connection, GUILD) == ()
        assert await history_jobs.unfinished(connection, OTHER_GUILD) == (other,)
    assert len((await rows(database, tables.history_job))["history_job"]) == 3


async def test_what_a_job_has_to_read_shrinks_as_it_is_read_and_keeps_what_could_not_be(database: Database) -> None:
    async with database.writing() as connection:
        for first_id, last_id in ((10, 40), (60, 90)):
            await spans.add(connection, Place(GUILD, 5), Span(first_id, last_id))
        await spans.add(connection, Place(GUILD, 6, is_thread=True, parent_id=5), Span(7, 8))
        await spans.add(connection, Place(OTHER_GUILD, 9), Span(7, 8))
        await history_jobs.add_reading_again(connection, GUILD, ANNA, moment(0))
        await spans.add(connection, Place(GUILD, 5), Span(41, 44))  # recorded later, with her as a manager
        (job,) = await history_jobs.unfinished(connection, GUILD)
        assert (job.listed, job.channels) == (True, 2)
        whole = Unread(5, None, (Span(10, 40), Span(60, 90)))
        assert await unread.of_job(connection, GUILD, job.job_id) == (whole, Unread(6, 5, (Span(7, 8),)))
        await unread.read(connection, [job.job_id], 5, Span(20, 70), [Span(30, 31), Span(45, 50), Span(70, 80)])
        await unread.leave_out(connection, [job.job_id], 5, LeftOut.UNREADABLE)
        left = (Span(10, 19), Span(30, 31), Span(70, 90))
        assert await unread.of_job(connection, GUILD, job.job_id) == (
            Unread(5, None, left, left_out=LeftOut.UNREADABLE),
            Unread(6, 5, (Span(7, 8),)),
        )
        assert await unread.left_out(connection, GUILD) == {LeftOut.UNREADABLE: (5,)}
        assert await unread.stretches_of(connection, [job.job_id], 5) == left
        assert sorted(await unread.of_new_managers(connection, GUILD)) == sorted((*left, Span(7, 8)))
        await unread.read(connection, [job.job_id], 5, Span(1, 100))
        assert await unread.of_job(connection, GUILD, job.job_id) == (Unread(6, 5, (Span(7, 8),)),)


async def test_what_is_before_a_position_leaves_the_list_of_a_job(database: Database) -> None:
    async with database.writing() as connection:
        for place, *some in (
            (Place(GUILD, 5), Span(10, 40), Span(60, 90)),
            (Place(GUILD, 6, is_thread=True, parent_id=5), Span(7, 8)),
        ):
            for span in some:
                await spans.add(connection, place, span)
        for manager_id in (ANNA, BEN):
            await history_jobs.add_reading_again(connection, GUILD, manager_id, moment(0))
        of_anna, of_ben = await history_jobs.unfinished(connection, GUILD)
        overlapping = Unread(8, None, (Span(50, 70), Span(55, 80), Span(61, 65), Span(90, 91)))
        await unread.add(connection, GUILD, of_anna.job_id, [Unread(7, None, archive=True), overlapping])
        everything = await unread.of_job(connection, GUILD, of_ben.job_id)
        await unread.forget_before(connection, [of_anna.job_id], 61)
        assert await unread.of_job(connection, GUILD, of_anna.job_id) == (
            Unread(5, None, (Span(61, 90),)),
            Unread(7, None, archive=True),
            Unread(8, None, (Span(61, 80), Span(90, 91))),
        )
        assert await unread.of_job(connection, GUILD, of_ben.job_id) == everything


async def test_an_excluded_channel_sleeps_on_a_jobs_list_and_a_deleted_one_goes(database: Database) -> None:
    async with database.writing() as connection:
        await spans.add(connection, Place(GUILD, 5), Span(10, 40))
        await spans.add(connection, Place(GUILD, 6, is_thread=True, parent_id=5), Span(7, 8))
        await history_jobs.add_reading_again(connection, GUILD, ANNA, moment(0))
        (job,) = await history_jobs.unfinished(connection, GUILD)
        everything = await unread.of_job(connection, GUILD, job.job_id)
        await guilds.set_excluded_channels(connection, GUILD, [5])
        assert await unread.of_job(connection, GUILD, job.job_id) == ()
        assert await unread.of_new_managers(connection, GUILD) == ()
        assert await history_jobs.untried(connection, GUILD) == frozenset()
        await history_jobs.finish(connection, [job.job_id], moment(1))
        assert await history_jobs.unfinished(connection, GUILD) == (job,)
        await guilds.set_excluded_channels(connection, GUILD, [])
        assert await unread.of_job(connection, GUILD, job.job_id) == everything
        assert await history_jobs.untried(connection, GUILD) == {job.job_id}
        await record.take_back_channel(connection, 5)
        assert await unread.of_job(connection, GUILD, job.job_id) == ()
        await history_jobs.finish(connection, [job.job_id], moment(1))
        assert await history_jobs.unfinished(connection, GUILD) == ()


async def test_whoever_is_no_manager_any_more_is_read_for_no_more(database: Database) -> None:
    async with database.writing() as connection:
        await spans.add(connection, Place(GUILD, 5), Span(10, 40))
        await managers.add(connection, GUILD, [BEN])
        for manager_id in (ANNA, BEN):
            await history_jobs.add_reading_again(connection, GUILD, manager_id, moment(0))
        await history_jobs.cancel_for_others(connection, GUILD, moment(3))
        (left,) = await history_jobs.unfinished(connection, GUILD)
        assert left.manager_id == BEN
        assert len(await unread.of_new_managers(connection, GUILD)) == 1
        await history_jobs.add_reading_again(connection, OTHER_GUILD, BEN, moment(0))  # nothing is on record there
        assert await history_jobs.guilds_with_unfinished(connection) == (GUILD,)
