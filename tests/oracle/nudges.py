"""Whom a nudge would name (docs/rules.md#nudges) at a moment, without earlier nudges, snoozes or opt-outs."""

from __future__ import annotations

import hashlib
import statistics
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tests.oracle.figures import conversations
from tests.oracle.record import DAY, HOUR, PERSONAL, milliseconds, utc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.oracle.record import Facts

Line = tuple[int, int, int, str, int | None]  # rank, since, member, reason, message


def shared_to(guild_id: int, member_id: int, enrolled: Sequence[int], manager: int) -> bool:
    """Whether the fixed hash gives this member to this manager: the highest of their hashes wins."""
    if not enrolled:
        return True
    hashes = {one: hashlib.sha256(f"{guild_id}:{member_id}:{one}".encode()).hexdigest() for one in enrolled}
    return hashes.get(manager) == max(hashes.values())


def waiting_lines(facts: Facts, manager: int, now: int) -> dict[int, Line]:
    """Per member who waits: the entry waiting longest, one that only wrote back if there is no other."""
    touched = {(t.message_id, t.member_id) for t in facts.touches if t.manager_id == manager}
    lines: dict[int, Line] = {}
    for entry in facts.waiting:  # oldest first
        if entry.waits_for and manager not in entry.waits_for:
            continue
        if not 4 * HOUR <= now - entry.at < 14 * DAY or (entry.ended is not None and entry.ended < now):
            continue
        wrote_back = entry.only_reply_to is not None and (entry.only_reply_to, entry.member_id) in touched
        line = (int(wrote_back), entry.at, entry.member_id, "waiting", entry.message_id)
        known = lines.get(entry.member_id)
        if known is None or line[0] < known[0]:
            lines[entry.member_id] = line
    return lines


def days_active(facts: Facts, now: int, zone: str) -> dict[int, set[date]]:
    """Per member their active local dates among the 30 before today."""
    local = ZoneInfo(zone)
    today = utc(now).astimezone(local).date()
    found: dict[int, set[date]] = {}
    for message in facts.counted:
        if not now - 32 * DAY < message.at < now:
            continue
        day = utc(message.at).astimezone(local).date()
        if today - timedelta(days=30) <= day < today:
            found.setdefault(message.author_id, set()).add(day)
    return found


def members(
    facts: Facts,
    manager: int,
    enrolled: Sequence[int],
    zone: str,
    at: datetime,
    *,
    limit: int = 5,
    wrote_back_limit: int = 2,
) -> list[dict[str, str | None]]:
    """Build the `members` of `spade nudges --json`; higher limits show the whole order."""
    now = int(at.astimezone(UTC).timestamp() * 1000)
    today = at.astimezone(ZoneInfo(zone)).date()
    days = days_active(facts, now, zone)
    first: dict[int, tuple[int, int]] = {}  # when, and the message
    last: dict[int, int] = {}
    for message in sorted(facts.counted, key=lambda one: one.id):
        if message.author_id not in facts.managers:
            last[message.author_id] = message.id
            if message.at < now:
                first.setdefault(message.author_id, (message.at, message.id))
    last = {member: message_id for member, message_id in last.items() if milliseconds(message_id) < now}
    touches = [touch for touch in facts.touches if touch.at < now]
    met = {touch.member_id for touch in touches if touch.kind in PERSONAL}
    talks: dict[int, list[tuple[int, int]]] = {}
    for begun, over, by, member in conversations(touches):
        if by == manager:
            talks.setdefault(member, []).append((begun, over))

    lines = waiting_lines(facts, manager, now)
    for member, (since, first_id) in first.items():
        if member in lines:
            continue
        mine = member not in met and shared_to(facts.guild_id, member, enrolled, manager)
        active = days.get(member, set())
        if mine and 12 * HOUR <= now - since <= 14 * DAY:
            lines[member] = (2, since, member, "newcomer", first_id)
        elif mine and len(active) >= 3:
            lines[member] = (3, since, member, "unmet", last.get(member))
        elif len(talks.get(member, [])) >= 3:
            starts = [begun for begun, _ in talks[member]]
            gap = statistics.median(after - before for before, after in pairwise(starts))
            over = talks[member][-1][1]
            recently = any(day >= today - timedelta(days=14) for day in active)
            if now - over > max(21 * DAY, 2 * gap) and recently:
                lines[member] = (4, over, member, "cooling", last.get(member))

    chosen = []
    wrote_back = 0
    for line in sorted(lines.values(), key=lambda one: one[:3]):
        rank, since, member, reason, message_id = line
        wrote_back += rank == 1
        if rank == 1 and wrote_back > wrote_back_limit:
            continue
        chosen.append(
            {
                "member_id": str(member),
                "reason": reason,
                "since": utc(since).isoformat(timespec="milliseconds"),
                "message_id": str(message_id) if message_id else None,
            }
        )
    return chosen[:limit]
