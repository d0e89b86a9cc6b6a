"""Lists, settings, waiting, coming and going, and reading history, on SQLite and PostgreSQL."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest

from bot.clock import DrivenClock
from bot.domain.evidence import ImportedChannel
from bot.domain.guild import GuildSettings
from bot.domain.history_job import HistoryJob, JobKind, LeftOut
from bot.domain.message import Message
from bot.domain.rules import Rules
from bot.domain.snowflake import EPOCH
from bot.domain.span import Span
from bot.domain.stretch import Place, Stretch
from bot.domain.touch import TouchKind
from bot.exports.archive import Archive
from bot.services.guild.membership import MembershipService
from bot.services.guild.settings import SettingsChange, SettingsService
from bot.services.members.roster import Roster, appoint
from bot.services.members.waiting import WaitingList, WaitingService
from bot.services.record.channel_snapshot import ChannelSnapshot
from bot.services.record.history_reader import HistoryReader
from bot.services.record.history_run import ChannelSource
from bot.services.record.imports import Imported, Importer
from bot.services.record.job_progress import JobProgress
from bot.services.record.pages import pages
from bot.services.record.recorder import Recorder
from bot.services.record.retry import retry
from bot.store import forgetting, guilds, history_jobs, ignoring, managers, people, spans, tables
from bot.store.database import Database, StoreError
from bot.store.staged_piece import StagedPiece, staged
from tests.support.channel_log import ChannelLog
from tests.support.messages import (
    ANNA,
    BEN,
    CHANNEL,
    GUILD,
    MIA,
    NOAH,
    OLE,
    PIA,
    at,
    channel,
    moment,
    said,
    thread,
    whole,
)
from tests.support.no_context import NoContext
from tests.support.outgoing import at_once
from tests.support.patience import PATIENCE
from tests.support.rows import rows

# Who is on the lists.


async def test_a_role_makes_managers_of_those_seen_with_it_and_takes_them_off(database: Database) -> None:
    roster = Roster(database, DrivenClock(moment(0)))
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA])
        await managers.set_roles(connection, GUILD, [77, 78])
    assert await roster.managers(GUILD) == {ANNA}
    assert await roster.seen(GUILD, BEN, [1, 78, 77])
    assert await roster.managers(GUILD) == {ANNA, BEN}
    assert not await roster.seen(GUILD, BEN, [77])  # nothing new
    assert await roster.would_manage(GUILD, BEN, [77])
    assert not await roster.would_manage(GUILD, BEN, [])  # seen without the role, he is none any more
    assert await roster.would_manage(GUILD, OLE, [77])
    assert OLE not in await roster.managers(GUILD)  # looking appoints nobody
    assert not await roster.seen(GUILD, ANNA, [])  # on it by name: no role needed
    assert not await roster.seen(GUILD, BEN, [1])
    assert await roster.managers(GUILD) == {ANNA}
    assert await roster.managers(8) == frozenset()


async def test_a_role_has_people_ignored_in_the_same_way(database: Database) -> None:
    roster = Roster(database, DrivenClock(moment(0)))
    async with database.writing() as connection:
        await ignoring.add_roles(connection, GUILD, [90])
        await ignoring.add(connection, GUILD, [PIA])

    async def ignored() -> frozenset[int]:
        async with database.reading() as connection:
            return await ignoring.people(connection, GUILD)

    assert not await roster.seen(GUILD, MIA, [90])  # ignored, not a manager
    assert await ignored() == {MIA, PIA}
    await roster.seen(GUILD, MIA, [90])
    await roster.seen(GUILD, MIA, [])
    await roster.seen(GUILD, PIA, [])
    assert await ignored() == {PIA}


async def test_whoever_asked_to_be_forgotten_is_put_on_no_list(database: Database) -> None:
    roster = Roster(database, DrivenClock(moment(0)))
    async with database.writing() as connection:
        await managers.set_roles(connection, GUILD, [77])
        await forgetting.remember(connection, GUILD, BEN)
    assert not await roster.seen(GUILD, BEN, [77])
    assert await roster.managers(GUILD) == frozenset()


async def test_a_change_during_a_look_is_not_forgotten(database: Database) -> None:
    """Somebody looks the list up while it is being changed: the next look must show the change."""
    roster = Roster(database, DrivenClock(moment(0)))
    for turns in range(12):
        roster.changed(GUILD)
        looking = asyncio.create_task(roster.managers(GUILD))
        for _ in range(turns):
            await asyncio.sleep(0.0005)
        async with database.writing() as connection:
            await managers.add(connection, GUILD, [1000 + turns])
        roster.changed(GUILD)
        await looking
        assert 1000 + turns in await roster.managers(GUILD)


# Settings.


async def test_settings_are_changed_one_thing_at_a_time(database: Database) -> None:
    roster = Roster(database, DrivenClock(moment(0)))
    clock = DrivenClock(moment(6.5 * 24 * 60 - 30))  # Sunday, 23:30 UTC
    service = SettingsService(database, roster, clock, lambda: None)
    assert await roster.managers(GUILD) == frozenset()
    state = await service.change(GUILD, SettingsChange(add_managers=[ANNA, BEN]))
    assert state.settings == GuildSettings(GUILD, ZoneInfo("UTC"))
    assert state.managers == state.new_managers == {ANNA, BEN}
    assert await roster.managers(GUILD) == {ANNA, BEN}  # the roster has heard of it
    state = await service.change(GUILD, SettingsChange(zone=ZoneInfo("Europe/Berlin"), digest_channel_id=5))
    assert state.settings.digest_from_on == date(2026, 3, 9)  # it is Monday in Berlin already
    assert state.new_managers == frozenset()
    clock.set(moment(30 * 24 * 60))
    state = await service.change(GUILD, SettingsChange(digest_channel_id=6, add_managers=[ANNA], remove_managers=[BEN]))
    assert (state.settings.digest_channel_id, state.settings.digest_from_on) == (6, date(2026, 3, 9))
    assert state.settings.zone == ZoneInfo("Europe/Berlin")
    assert (state.managers, state.new_managers) == ({ANNA}, frozenset())


async def test_a_manager_role_joins_those_there_are(database: Database) -> None:
    service = SettingsService(database, Roster(database, DrivenClock(moment(0))), DrivenClock(moment(0)), lambda: None)
    await service.change(GUILD, SettingsChange(zone=ZoneInfo("Asia/Kathmandu"), add_manager_role_id=77))
    async with database.writing() as connection:
        await guilds.set_excluded_channels(connection, GUILD, [3])
    state = await service.change(GUILD, SettingsChange(add_manager_role_id=78))
    assert state.settings.zone == ZoneInfo("Asia/Kathmandu")
    assert state.excluded_channels == {3}
    async with database.reading() as connection:
        assert await managers.roles(connection, GUILD) == {77, 78}


async def test_every_thing_that_can_be_set_can_be_taken_back(database: Database) -> None:
    service = SettingsService(database, Roster(database, DrivenClock(moment(0))), DrivenClock(moment(0)), lambda: None)
    assert (await service.state(GUILD)).settings == GuildSettings(GUILD, ZoneInfo("UTC"))
    state = await service.change(
        GUILD,
        SettingsChange(
            digest_channel_id=5,
            digest_weekday=6,
            digest_hour=0,
            keep_months=12,
            add_managers=[ANNA],
            add_manager_roles=[77, 78],
            exclude=[1, 2],
            ignore=[PIA, OLE],
            ignore_roles=[90, 91],
        ),
    )
    settings = state.settings
    assert (settings.digest_weekday, settings.digest_hour, settings.keep_months) == (6, 0, 12)
    assert settings.digest_from_on == date(2026, 3, 2)
    assert (state.managers, state.named, state.manager_roles) == ({ANNA}, {ANNA}, {77, 78})
    assert (state.excluded_channels, state.ignored) == ({1, 2}, {PIA, OLE})
    assert await service.state(GUILD) == replace(state, new_managers=frozenset())
    state = await service.change(
        GUILD,
        SettingsChange(
            digest_channel_id=0,
            keep_months=0,
            remove_managers=[ANNA],
            remove_manager_roles=[77],
            include=[1],
            notice=[OLE],
            notice_roles=[90],
        ),
    )
    settings = state.settings
    assert (settings.digest_channel_id, settings.digest_from_on, settings.keep_months) == (None, None, None)
    assert (state.managers, state.manager_roles, state.excluded_channels, state.ignored) == (set(), {78}, {2}, {PIA})
    async with database.reading() as connection:
        assert await ignoring.roles(connection, GUILD) == {91}


# Waiting.


class Names:
    """A messenger that knows who is there."""

    def __init__(self, *here: int) -> None:
        self.here = here

    async def names(self, _guild_id: int, people_ids: Collection[int]) -> Mapping[int, str]:
        return {person: f"Member {person}" for person in people_ids if person in self.here}


async def nothing(_guild_id: int) -> None:
    """Nothing is under way."""


async def waiting_world(database: Database) -> None:
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA, BEN])
    messages = [
        said(0, MIA, mentions=[ANNA]),
        said(1, NOAH, mentions=[BEN]),
        said(2, OLE, mentions=[ANNA, BEN]),
        said(3, MIA, mentions=[ANNA]),
        said(4, PIA, mentions=[ANNA]),
        said(5, ANNA, to=(4, PIA)),
    ]
    recorder = Recorder(database, Rules())
    await recorder.record(whole(channel(), *messages), NoContext())
    opened = at(10)
    await recorder.record(whole(thread(PIA, opened), said(10, PIA)), NoContext())


async def test_a_managers_reaction_sets_a_message_aside(database: Database) -> None:
    await waiting_world(database)
    service = WaitingService(database, Roster(database, DrivenClock(moment(0))), DrivenClock(moment(20)), at_once)
    await service.reacted(GUILD, [(NOAH, at(0))])  # no manager
    assert await service.set_aside(GUILD, at(0))
    assert not await service.set_aside(GUILD, at(0))
    await service.reacted(GUILD, [(BEN, at(3)), (BEN, at(4)), (NOAH, at(1))])
    assert not await service.set_aside(GUILD, at(3))
    assert not await service.set_aside(GUILD, at(99))


async def test_the_list_shows_who_waits_for_this_manager_or_the_team_longest_first(database: Database) -> None:
    await waiting_world(database)
    clock = DrivenClock(moment(60))
    waiting = WaitingList(
        database,
        Names(MIA, NOAH, OLE, PIA),
        clock,
        Rules(),
        nothing,
    )
    page = await waiting.page(GUILD, ANNA, 1, 10)
    assert [(member.member_id, member.oldest.message_id, member.messages) for member in page.members] == [
        (MIA, at(0), 2),
        (OLE, at(2), 1),
        (PIA, at(10), 1),
    ]
    assert (page.number, page.pages, page.total, page.now) == (1, 1, 3, moment(60))
    assert page.names[MIA] == f"Member {MIA}"
    second = await waiting.page(GUILD, ANNA, 9, 2)  # the nearest there is
    assert (second.number, second.pages, [member.member_id for member in second.members]) == (2, 2, [PIA])
    clock.set(moment(14 * 24 * 60 + 5))
    late = await waiting.page(GUILD, ANNA, 0, 2)
    assert [member.member_id for member in late.members] == [PIA]  # the others waited for two weeks
    clock.set(moment(15 * 24 * 60))
    empty = await waiting.page(GUILD, ANNA, 1, 2)
    assert (empty.members, empty.pages, empty.total) == ((), 1, 0)


async def test_whoever_has_left_is_noted_and_not_shown(database: Database) -> None:
    await waiting_world(database)
    clock = DrivenClock(moment(60))
    waiting = WaitingList(
        database,
        Names(NOAH, OLE),
        clock,
        Rules(),
        nothing,
    )
    page = await waiting.page(GUILD, ANNA, 1, 1)
    assert (page.pages, page.total, [member.member_id for member in page.members]) == (2, 2, [OLE])
    async with database.reading() as connection:
        assert await people.departed(connection, GUILD) == {MIA}  # Pia stood on a page that was not looked at


# Coming and going.


async def test_thirty_days_after_a_removal_everything_is_forgotten(database: Database) -> None:
    clock = DrivenClock(moment(0))
    service = MembershipService(database, clock)
    async with database.writing() as connection:
        for guild_id in (1, 2, 3):
            await guilds.watch(connection, guild_id, moment(0))
        await forgetting.set_opted_out(connection, 1, NOAH, moment(0))
    await service.removed(1)
    await service.present([2])  # guild 3 was left unheard
    clock.set(moment(0) + timedelta(days=30))
    assert await service.purge_due() == 0
    clock.set(moment(0) + timedelta(days=30, milliseconds=1))
    await service.present([2, 3])  # invited again in time
    assert await service.purge_due() == 1
    assert [row[0] for row in (await rows(database, tables.guild))["guild"]] == [2, 3]
    assert (await rows(database, tables.member))["member"] == []
    async with database.reading() as connection:
        unrecorded = await forgetting.unrecorded(connection, 1)
    assert NOAH in unrecorded  # without their id, should Spade ever be invited again


# Reading history.


async def test_pages_adjoin_and_cover_the_whole_span_with_context_at_hand() -> None:
    log = ChannelLog()
    log.post(channel(), *(said(minute, MIA) for minute in range(230)))
    span = Span(at(5), at(225))
    found = [page async for page in pages(log, channel(), span)]
    assert [len(page.messages) for page in found] == [100, 100, 21]
    assert found[0].first_id == span.first_id
    assert found[-1].last_id == span.last_id
    for one, other in pairwise(found):
        assert other.first_id == one.last_id + 1
        assert other.context == one.messages[-50:]
        assert other.context_first_id == other.context[0].message_id
    short = [page async for page in pages(log, channel(), Span(at(300), at(400)))]
    assert [(page.first_id, page.last_id, page.messages) for page in short] == [(at(300), at(400), ())]


async def test_what_fails_is_tried_again_while_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("bot.services.record.retry.asyncio.sleep", sleep)
    left = 9

    async def work() -> str:
        nonlocal left
        left -= 1
        if left > 0:
            raise OSError("no network")
        return "done"

    assert await retry("It", work) == "done"
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300]
    left = 9
    assert await retry("It", work, wanted=lambda: left > 6) is None


async def test_what_always_fails_is_given_up_after_so_many_tries(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("bot.services.record.retry.asyncio.sleep", sleep)
    work = mock.AsyncMock(side_effect=OSError("no network"))
    assert await retry("It", work, tries=3) is None
    assert work.await_count == 3
    assert pauses == [5, 10]
    assert [line.getMessage().partition("; ")[2] for line in caplog.records] == [
        "trying again in 5 s",
        "trying again in 10 s",
        "giving up",
    ]


class Everything:
    """The channels of a log, as a guild shows them."""

    def __init__(self, log: ChannelLog, *snapshots: ChannelSnapshot) -> None:
        self.log = log
        self.snapshots = snapshots

    def shown(self, _guild_id: int) -> Sequence[ChannelSnapshot] | None:
        return self.snapshots

    async def archived(self, *_: int) -> tuple[Sequence[ChannelSnapshot], bool]:
        return (), True


OTHER = channel(CHANNEL + 5)


async def history_world(database: Database) -> tuple[ChannelLog, Recorder, HistoryReader]:
    """Two channels of which the second half is on record, as two managers' guild."""
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA])
    log = ChannelLog()
    random = Random(3)
    for offset, place in enumerate((channel(), OTHER)):
        log.post(
            place,
            *(
                said(
                    minute + offset / 2,
                    random.choice([ANNA, BEN, MIA, NOAH]),
                    mentions=random.choice([(), (MIA,), (BEN,)]),
                )
                for minute in range(260)
            ),
        )
    recorder = Recorder(database, Rules())
    for place in (channel(), OTHER):
        found = log.all_of(place)[130:]
        first_id = found[0].message_id
        context = log.all_of(place)[:130]
        await recorder.record(
            Stretch(place, first_id, found[-1].message_id, found, context, context[0].message_id), NoContext()
        )
    channels = Everything(log, log.snapshot(channel()), log.snapshot(OTHER))
    return log, recorder, HistoryReader(database, recorder, log, channels, DrivenClock(moment(1000)))


async def appointed(database: Database, reader: HistoryReader, *people: int) -> tuple[HistoryJob, ...]:
    """Make managers of people, and begin to read for them; returns the jobs."""
    async with database.writing() as connection:
        await appoint(connection, GUILD, people, moment(0))
    await reader.resume(GUILD)
    async with database.reading() as connection:
        unfinished = await history_jobs.unfinished(connection, GUILD)
    return tuple(job for job in unfinished if job.kind is JobKind.READ_AGAIN)


async def test_a_backfill_reads_up_to_where_the_record_begins_and_can_be_asked_twice(database: Database) -> None:
    log, _, reader = await history_world(database)
    job = await reader.backfill(GUILD, moment(-100))
    assert (await reader.wait(job)).messages == 260
    found = await rows(database)
    assert sum(row[3] for row in found["activity"]) == 520
    assert len(found["span"]) == 2
    requests = log.requests
    again = await reader.backfill(GUILD, moment(-100))
    progress = await reader.wait(again)
    assert (progress.messages, progress.channels, progress.done, progress.running) == (0, 2, 2, False)
    assert log.requests == requests
    assert await rows(database) == found
    assert [one.job.job_id for one in reader.progress(GUILD)] == [again.job_id, job.job_id]
    assert reader.progress(8) == ()
    async with database.reading() as connection:
        assert await history_jobs.unfinished(connection, GUILD) == ()


async def test_a_job_that_is_still_looking_for_channels_has_read_none_of_none(database: Database) -> None:
    looking = asyncio.Event()

    class Slow(Everything):
        async def archived(self, *_: int) -> tuple[Sequence[ChannelSnapshot], bool]:
            await looking.wait()
            return (), True

    log = ChannelLog()
    log.post(channel(), said(-50, MIA))
    channels = Slow(log, log.snapshot(channel()))
    reader = HistoryReader(database, Recorder(database, Rules()), log, channels, DrivenClock(moment(0)))
    job = await reader.backfill(GUILD, moment(-100))
    assert reader.progress(GUILD) == (JobProgress(job, channels=0, done=0, messages=0, running=True),)
    looking.set()
    assert await reader.wait(job) == JobProgress(job, channels=1, done=1, messages=1, running=False, finished=True)


async def test_the_first_day_of_a_backfill_is_the_guilds_day(database: Database) -> None:
    """From its first moment there; what lies outside of Discord's time and before now is cut off."""
    now = moment(7 * 1440)  # noon in London, when it is tomorrow in Kiritimati
    source = mock.create_autospec(ChannelSource)
    reader = HistoryReader(database, Recorder(database, Rules()), ChannelLog(), source, DrivenClock(now))
    for zone, first_on, since in (
        (None, date(2026, 3, 2), datetime(2026, 3, 2, tzinfo=UTC)),
        ("Pacific/Kiritimati", date(2026, 3, 2), datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("Pacific/Kiritimati", date(2026, 3, 10), now - timedelta(hours=2)),
        ("Pacific/Kiritimati", date(2026, 3, 11), now),
        ("America/Los_Angeles", date(2026, 3, 2), datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("America/Los_Angeles", date(2026, 3, 10), now),
        ("America/Los_Angeles", date.max, now),
        ("Pacific/Kiritimati", date.min, EPOCH),
        ("Pacific/Kiritimati", EPOCH.date(), EPOCH),
    ):
        if zone is not None:
            async with database.writing() as connection:
                await guilds.save(connection, GuildSettings(GUILD, zone=ZoneInfo(zone)))
        with mock.patch.object(HistoryReader, "backfill") as backfill:
            await reader.backfill_from(GUILD, first_on)
        backfill.assert_awaited_once_with(GUILD, since)


async def test_a_backfill_is_bounded_by_its_date_and_leaves_excluded_channels_alone(database: Database) -> None:
    _, _, reader = await history_world(database)
    async with database.writing() as connection:
        await guilds.set_excluded_channels(connection, GUILD, [OTHER.channel_id])
    job = await reader.backfill(GUILD, moment(100))
    assert (await reader.wait(job)).messages == 30
    later = await reader.backfill(GUILD, moment(500))
    assert (await reader.wait(later)).messages == 0


async def test_a_second_reading_adds_a_new_managers_touches_and_counts_nothing_twice(database: Database) -> None:
    _, _, reader = await history_world(database)
    before = await rows(database)
    (job,) = await appointed(database, reader, BEN)
    await reader.wait(job)
    after = await rows(database)
    assert {row[2] for row in before["touch"]} == {ANNA}
    assert {row[2] for row in after["touch"]} == {ANNA, BEN}
    assert (after["activity"], after["span"], after["member"]) == (before["activity"], before["span"], before["member"])
    assert job.kind is JobKind.READ_AGAIN


async def imported_world(database: Database) -> tuple[ChannelLog, HistoryReader]:
    """Of a channel with ten messages, files have all but the second and the last."""
    log = ChannelLog()
    messages = [said(minute, (MIA, BEN)[minute % 2], mentions=[NOAH]) for minute in range(10)]
    log.post(channel(), *messages)
    shelf = Shelf(channel(), [messages[0], *messages[2:-1]], 4)
    await Importer(database, Rules(), DrivenClock(moment(0))).run(shelf, GUILD, [ANNA])
    recorder = Recorder(database, Rules())
    return log, HistoryReader(
        database, recorder, log, Everything(log, log.snapshot(channel())), DrivenClock(moment(1000))
    )


async def test_a_backfill_reads_where_files_were_imported_and_counts_nothing_twice(database: Database) -> None:
    _, reader = await imported_world(database)
    before = await rows(database)
    assert (sum(row[3] for row in before["activity"]), before["span"]) == (8, [])
    await reader.wait(await reader.backfill(GUILD, moment(-100)))
    after = await rows(database)
    assert sum(row[3] for row in after["activity"]) == 10
    assert after["span"]


async def test_for_a_new_manager_discord_is_asked_what_files_were_not_kept_for(database: Database) -> None:
    _, reader = await imported_world(database)
    (job,) = await appointed(database, reader, BEN)
    await reader.wait(job)
    after = await rows(database)
    # From the first to the last imported message, that of Ben which no file had, too.
    assert [row[0] for row in after["touch"]] == [at(minute) for minute in (1, 3, 5, 7)]
    assert sum(row[3] for row in after["activity"]) == 9


async def test_a_job_that_was_stopped_goes_on_after_a_restart_and_a_cancelled_one_does_not(database: Database) -> None:
    log, recorder, reader = await history_world(database)
    pages_read = 0

    async def stop(_place: object, _page: object) -> None:
        nonlocal pages_read
        pages_read += 1
        if pages_read == 2:
            stopping.append(asyncio.create_task(reader.stop()))
            await asyncio.sleep(PATIENCE)

    stopping: list[asyncio.Task[None]] = []
    log.during_page = stop
    job = await reader.backfill(GUILD, moment(-100))
    assert not (await reader.wait(job)).running
    await asyncio.gather(*stopping)
    log.during_page = None
    again = HistoryReader(
        database,
        recorder,
        log,
        Everything(log, log.snapshot(channel()), log.snapshot(OTHER)),
        DrivenClock(moment(2000)),
    )
    await again.resume(GUILD)
    await again.resume(GUILD)  # asked twice, running once
    assert [progress.job.job_id for progress in again.progress(GUILD)] == [job.job_id]
    await again.wait(job)
    assert sum(row[3] for row in (await rows(database))["activity"]) == 520

    async def cancel(_place: object, _page: object) -> None:
        log.during_page = None
        cancelling.append(asyncio.create_task(again.cancel(GUILD)))
        await asyncio.sleep(PATIENCE)

    cancelling: list[asyncio.Task[int]] = []
    log.post(channel(), said(-250, MIA))
    log.during_page = cancel
    third = await again.backfill(GUILD, moment(-300))
    await again.wait(third)
    assert await cancelling[0] == 1
    fresh = HistoryReader(database, recorder, log, Everything(log), DrivenClock(moment(2000)))
    await fresh.resume(GUILD)
    assert fresh.progress(GUILD) == ()


async def test_a_backfill_fills_known_gaps_and_leaves_out_what_it_may_not_read(
    database: Database,
) -> None:
    log, _, reader = await history_world(database)
    log.unreadable.add(OTHER.channel_id)
    async with database.writing() as connection:
        for place in (channel(), OTHER):
            await spans.add_known_gap(connection, GUILD, place.channel_id, Span(at(0), at(99)), "closed")
    job = await reader.backfill(GUILD, moment(-100))
    assert (await reader.wait(job)).messages == 130
    async with database.reading() as connection:
        assert await spans.known_gaps(connection, GUILD) == {OTHER.channel_id: (Span(at(0), at(99)),)}


async def test_what_fails_is_tried_again_and_a_job_ends_when_all_is_read(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of channels, a page, the disk: each fails once."""
    monkeypatch.setattr("bot.services.record.retry.RETRY_SECONDS", 0.0)
    log, recorder, _ = await history_world(database)
    failures = {"channels", "page", "disk"}

    def fail_once(what: str) -> None:
        if what in failures:
            failures.remove(what)
            raise StoreError(what) if what == "disk" else OSError(what)

    class Sometimes(Everything):
        async def archived(self, *_: int) -> tuple[Sequence[ChannelSnapshot], bool]:
            fail_once("channels")
            return (), True

    async def page(_place: object, _page: object) -> None:
        fail_once("page")

    async def record(*arguments: Any) -> Any:
        fail_once("disk")
        return await Recorder.record(recorder, *arguments)

    log.during_page = page
    monkeypatch.setattr(recorder, "record", record)
    channels = Sometimes(log, log.snapshot(channel()), log.snapshot(OTHER))
    reader = HistoryReader(database, recorder, log, channels, DrivenClock(moment(1000)))
    await reader.wait(await reader.backfill(GUILD, moment(-100)))
    assert failures == set()
    assert sum(row[3] for row in (await rows(database))["activity"]) == 520
    async with database.reading() as connection:
        assert await history_jobs.unfinished(connection, GUILD) == ()


async def test_a_job_with_a_channel_that_always_fails_says_so_and_stays_unfinished(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.services.record.retry.RETRY_SECONDS", 0.0)
    log, _, reader = await history_world(database)

    async def fails(place: Place, _page: object) -> None:
        if place == OTHER:
            raise LookupError("a fault")

    log.during_page = fails
    job = await reader.backfill(GUILD, moment(-100))
    progress = await reader.wait(job)
    assert (progress.done, progress.messages, progress.running) == (1, 130, False)
    other = await reader.backfill(8, moment(-100))  # it reads the same channels
    assert progress.left_out == {LeftOut.UNANSWERED: (OTHER.channel_id,)}
    assert f"Reading history of channel {OTHER.channel_id} failed" in caplog.text
    async with database.reading() as connection:
        assert [one.job_id for one in await history_jobs.unfinished(connection, GUILD)] == [job.job_id]
    await reader.wait(other)
    assert (await reader.wait(job)).done == 1  # asked once more, it answers at once


async def test_the_history_is_read_once_for_all_who_became_managers_by_then(database: Database) -> None:
    log, recorder, _ = await history_world(database)
    readings = 0

    class Counted(Everything):
        def shown(self, guild_id: int) -> Sequence[ChannelSnapshot] | None:
            nonlocal readings
            readings += 1
            return super().shown(guild_id)

    async def late(_place: Place, _page: object) -> None:
        log.during_page = None
        await appointed(database, reader, MIA)  # too late for this reading: there is another
        await appointed(database, reader, OLE)

    log.during_page = late
    channels = Counted(log, log.snapshot(channel()), log.snapshot(OTHER))
    reader = HistoryReader(database, recorder, log, channels, DrivenClock(moment(1000)))
    async with database.writing() as connection:
        await appoint(connection, GUILD, [BEN, NOAH], moment(0))
    for job in await appointed(database, reader):
        await reader.wait(job)
    assert readings == 2
    assert {row[2] for row in (await rows(database))["touch"]} == {ANNA, BEN, NOAH, MIA}
    async with database.reading() as connection:
        assert await history_jobs.unfinished(connection, GUILD) == ()
    assert not any(progress.running for progress in reader.progress(GUILD))


async def test_whoever_becomes_a_manager_is_read_again_for_whatever_happens_next(database: Database) -> None:
    """The list and the job change together, by name and by role; of an empty record there is nothing to read."""
    clock = DrivenClock(moment(0))
    roster = Roster(database, clock)
    service = SettingsService(database, roster, clock, lambda: None)

    async def jobs() -> list[int | None]:
        async with database.reading() as connection:
            return [job.manager_id for job in await history_jobs.unfinished(connection, GUILD)]

    await service.change(GUILD, SettingsChange(add_managers=[PIA], add_manager_role_id=77))
    assert await jobs() == []
    await history_world(database)
    await service.change(GUILD, SettingsChange(add_managers=[PIA, BEN]))
    await roster.seen(GUILD, NOAH, [77])
    assert await jobs() == [BEN, NOAH]
    with mock.patch.object(history_jobs, "add", side_effect=LookupError), pytest.raises(LookupError):
        await roster.seen(GUILD, OLE, [77])
    assert OLE not in await roster.managers(GUILD)


async def test_cancelling_stops_this_guilds_backfills_alone(database: Database) -> None:
    log, _, reader = await history_world(database)
    cancelled = asyncio.Event()

    async def wait(_place: object, _page: object) -> None:
        await cancelled.wait()

    log.during_page = wait
    jobs = [
        await reader.backfill(GUILD, moment(-100)),
        *await appointed(database, reader, BEN),
        await reader.backfill(8, moment(9000)),
    ]
    assert await reader.cancel(GUILD) == 1
    cancelled.set()
    done = [await reader.wait(job) for job in jobs]
    assert (done[0].messages, done[1].messages) == (0, 260)
    assert await reader.cancel(GUILD) == 0
    async with database.reading() as connection:
        found = await history_jobs.by_id(connection, jobs[2].job_id)
    assert found is not None
    assert found.cancelled_at is None


class Shelf:
    """An archive of one channel, in two pieces."""

    def __init__(self, place: Place, messages: Sequence[Message], cut: int) -> None:
        self.place, self.messages, self.cut = place, tuple(messages), cut

    def channels(self) -> Sequence[ImportedChannel]:
        return [ImportedChannel(replace(self.place, opener_id=None), begins=True)]

    def pieces(self, channel_id: int) -> Iterable[StagedPiece]:
        assert channel_id == self.place.channel_id
        for part in (self.messages[: self.cut], self.messages[self.cut :]):
            yield StagedPiece.of([staged(message) for message in part], 0)


async def test_an_archive_is_imported_once_however_often_and_again_for_a_new_manager(database: Database) -> None:
    shelf = Shelf(thread(MIA), [said(0, MIA), said(50, ANNA), said(100, ANNA), said(150, BEN, mentions=[MIA])], 2)
    importer = Importer(database, Rules(), DrivenClock(moment(0)))
    passed: list[int] = []

    async def reading_again() -> set[int | None]:
        async with database.reading() as connection:
            return {job.manager_id for job in await history_jobs.unfinished(connection, GUILD)}

    first = await importer.run(shelf, GUILD, [ANNA], progress=passed.append)
    assert (first.new, first.known, first.touches) == (4, 0, {TouchKind.THREAD: 2})
    assert passed == [2, 2]
    again = await importer.run(shelf, GUILD, [ANNA])
    assert (again.new, again.known, again.touches) == (0, 4, {})
    # What Ben wrote is in the missing part: his job stays until the files, or Discord, tell it again.
    part = await importer.run(Shelf(shelf.place, shelf.messages[:3], 2), GUILD, [ANNA, BEN])
    assert part.touches == {}
    assert await reading_again() == {BEN}
    second = await importer.run(shelf, GUILD, [ANNA, BEN], ZoneInfo("Asia/Kathmandu"))
    assert second.touches == {TouchKind.MENTION: 1}
    assert await reading_again() == set()
    found = await rows(database)
    assert [(row[0], row[2]) for row in found["touch"]] == [(at(50), ANNA), (at(100), ANNA), (at(150), BEN)]
    async with database.reading() as connection:
        settings = await guilds.settings_of(connection, GUILD)
    assert settings == GuildSettings(GUILD, ZoneInfo("Asia/Kathmandu"))
    replaced = await importer.run(shelf, GUILD, replace=True)
    assert (replaced.new, replaced.touches) == (4, {TouchKind.THREAD: 2, TouchKind.MENTION: 1})
    assert await rows(database) == found


async def test_an_archive_without_messages_adds_nothing(database: Database) -> None:
    importer = Importer(database, Rules(), DrivenClock(moment(0)))
    with Archive([]) as archive:
        assert await importer.run(archive, GUILD) == Imported()
    assert not any((await rows(database)).values())
