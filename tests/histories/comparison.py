"""What is on record, held against what should be."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.domain.snowflake import moment_of
from tests.histories.oracle import Consent, Expected
from tests.histories.world import World
from tests.support.days import DAYS


@dataclass
class Record:
    """The rows that matter, as they stand in the file."""

    touches: set[tuple[int, int, int, str]]
    replied_to: dict[int, int]
    waits: set[tuple[int, int, int]]
    activity: Counter[tuple[int, str]]
    appearances: dict[int, tuple[int, int]]
    gaps: list[tuple[int, int, int]]
    open_jobs: list[tuple[int, frozenset[int] | None]]
    """Each unfinished job with the channels that it has still to read; None if it does not say which."""

    @property
    def unfinished(self) -> bool:
        """Whether something is still to be done."""
        return bool(self.gaps or self.open_jobs)


def record_of(path: Path) -> Record:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:

        def rows(query: str) -> list[tuple[int, ...]]:
            return database.execute(query).fetchall()

        waits = "SELECT message_id, member_id, 0 FROM waiting UNION SELECT message_id, member_id, manager_id "
        waits += "FROM waiting JOIN waiting_for USING (message_id)"
        jobs = rows("SELECT job_id FROM history_job WHERE finished_at IS NULL AND cancelled_at IS NULL")
        by_channel = rows("SELECT name FROM sqlite_schema WHERE name = 'history_job_channel'") != []
        return Record(
            touches=set(rows("SELECT message_id, manager_id, member_id, kind FROM touch WHERE kind <> 'logged'")),
            replied_to=dict(rows("SELECT message_id, replied_to_id FROM touch WHERE replied_to_id IS NOT NULL")),
            waits=set(rows(waits)),
            activity=Counter({(one[1], str(one[2])): one[3] for one in rows(DAYS)}),
            appearances={
                one[0]: (one[1], one[2])
                for one in rows("SELECT member_id, first_message_id, last_message_id FROM member")
                if one[1] is not None
            },
            gaps=[(one[0], one[1], one[2]) for one in rows("SELECT channel_id, first_id, last_id FROM known_gap")],
            open_jobs=[
                (
                    job,
                    frozenset(
                        one for (one,) in rows(f"SELECT channel_id FROM history_job_channel WHERE job_id = {job}")
                    )
                    if by_channel
                    else None,
                )
                for (job,) in jobs
            ],
        )


def differences(
    world: World,
    record: Record,
    wanted: Expected,
    managers: Collection[int],
    consent: Consent,
    zones: Collection[str] = ("UTC",),
) -> list[str]:
    """A line for each thing that differs and that no known gap or open job covers; and for each of those that stay."""
    channel_of = {post.message_id: channel.channel_id for channel in world.channels for post in channel.posts}

    def covered(message_id: int) -> bool:
        here = channel_of.get(message_id, 0)
        return any(channel == here and first <= message_id <= last for channel, first, last in record.gaps) or any(
            channels is None or here in channels for _, channels in record.open_jobs
        )

    lines = []
    touches = {one for one in record.touches if one[1] in managers and one[2] not in managers}
    lines += [f"missing touch {one}" for one in sorted(wanted.required.touches - touches) if not covered(one[0])]
    lines += [f"wrong touch {one}" for one in sorted(touches - wanted.allowed.touches)]
    lines += [
        f"touch without consent {one}"
        for one in sorted(record.touches - touches)
        if not consent.allows(one[0], one[2], one[1])
    ]
    waits = {one for one in record.waits if one[1] not in managers and (one[2] == 0 or one[2] in managers)}
    lines += [f"missing wait {one}" for one in sorted(wanted.required.waits - waits) if not covered(one[0])]
    lines += [f"wrong wait {one}" for one in sorted(waits - wanted.allowed.waits)]
    lines += [
        f"wait without consent {one}" for one in sorted(record.waits - waits) if not consent.allows(one[0], one[1])
    ]
    authors = {post.message_id: post.author for channel in world.channels for post in channel.posts}
    lines += [
        f"touch of {message_id} names {target}, which is outside of consent"
        for message_id, target in record.replied_to.items()
        if target in authors and not consent.allows(target, authors[target])
    ]
    lines += _activity(record, wanted, {one for one in channel_of if covered(one)}, zones)
    return [*lines, *_lasting(world, record)]


def _activity(record: Record, wanted: Expected, covered_ids: Collection[int], zones: Collection[str]) -> list[str]:
    lines = []
    sure = [post for post in wanted.must_count if post.message_id not in covered_ids]
    found = record.activity
    for zone in zones if len(zones) == 1 else (None,):
        if zone is None:  # the zone changed, and it does not matter which was in force
            found = Counter[tuple[int, str]]()
            for (person, _), count in record.activity.items():
                found[person, "in all"] += count
        must, may = (
            Counter((post.author, _day(post.message_id, zone)) for post in posts) for posts in (sure, wanted.may_count)
        )
        lines += [
            f"activity of {who}: {found[who]}, not {must[who]} to {may[who]}"
            for who in sorted(may.keys() | found.keys())
            if not must[who] <= found[who] <= may[who]
        ]
    days = {(post.author, _day(post.message_id, zone)) for post in wanted.may_count for zone in zones}
    lines += [f"activity of {who} on a day of no message" for who in sorted(record.activity.keys() - days)]
    for person in sorted({post.author for post in wanted.must_count} | record.appearances.keys()):
        allowed = {post.message_id for post in wanted.may_count if post.author == person}
        own = [post.message_id for post in sure if post.author == person]
        first, last = record.appearances.get(person, (0, 0))
        if not ({first, last} <= allowed and (not own or (first <= min(own) and last >= max(own)))) and (
            own or person in record.appearances
        ):
            lines.append(f"appearances of {person}: {first} and {last}")
    return lines


def _lasting(world: World, record: Record) -> list[str]:
    """Everything can be read at the end, so nothing stays missing but what is excluded."""

    def counts(channel_id: int) -> bool:
        channel = world.by_id(channel_id)
        return channel is None or world.counts(channel)

    lines = [f"job {job} is never done" for job, left in record.open_jobs if left is None or any(map(counts, left))]
    lines += [
        f"gap of {channel_id} stays: {first} to {last}" for channel_id, first, last in record.gaps if counts(channel_id)
    ]
    return lines


def _day(message_id: int, zone: str | None) -> str:
    return "in all" if zone is None else moment_of(message_id).astimezone(ZoneInfo(zone)).date().isoformat()
