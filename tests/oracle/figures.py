"""The figures (docs/rules.md#figures) of one week, as the object `spade digest --json` prints."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.oracle.record import DAY, MINUTE, PERSONAL

if TYPE_CHECKING:
    from tests.oracle.record import Facts, Touch

Conversation = tuple[int, int, int, int]  # first touch at, last touch at, manager, member


def midnight(day: date, zone: str) -> int:
    """The first moment of a local date, in milliseconds UTC."""
    local = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    return int(local.timestamp()) * 1000


def conversations(touches: list[Touch]) -> list[Conversation]:
    """docs/rules.md#conversations: personal touches of one pair, a new one after a gap of more than 60 minutes."""
    pairs: dict[tuple[int, int], list[int]] = {}
    for touch in sorted(touches, key=lambda one: (one.at, one.message_id)):
        if touch.kind in PERSONAL:
            pairs.setdefault((touch.manager_id, touch.member_id), []).append(touch.at)
    found = []
    for (manager_id, member_id), times in pairs.items():
        first = last = times[0]
        for at in times[1:]:
            if at - last > 60 * MINUTE:
                found.append((first, last, manager_id, member_id))
                first = at
            last = at
        found.append((first, last, manager_id, member_id))
    return sorted(found)


def percentile(values: list[float], share: float) -> float | None:
    """Linear interpolation between the two nearest ranks."""
    if not values:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def period(facts: Facts, start: int, end: int, manager: int | None) -> dict[str, Any]:
    """docs/rules.md#figures without the verdict; `manager` None is the team."""
    active = {m.author_id for m in facts.counted if start <= m.at < end} - set(facts.managers)
    team = [touch for touch in facts.touches if touch.kind in PERSONAL and touch.at < end]
    own = [touch for touch in team if manager in (None, touch.manager_id)]
    now = [touch for touch in own if start <= touch.at]
    logged = sum(touch.kind == "logged" for touch in now)
    met: dict[int, int] = {}
    for touch in own:
        met[touch.member_id] = min(touch.at, met.get(touch.member_id, touch.at))
    shares = Counter(member for first, _, _, member in conversations(own) if start <= first < end)
    count = sum(shares.values())
    entropy = math.fsum(-n / count * math.log(n / count) for n in shares.values())
    effective = math.exp(entropy) if count else 0.0
    minutes = [
        (touch.at - touch.replied_at) / MINUTE
        for touch in now
        if touch.kind == "reply" and touch.replied_at is not None
    ]
    enough = count >= 5
    return {
        "active_members": len(active),
        "personal_replies": len(now),
        "logged_share": logged / len(now) if now else None,
        "conversations": count,
        "members_reached": len(shares),
        "coverage": len(active & set(shares)) / len(active) if active else None,
        "coverage_ever": len(active & {t.member_id for t in team}) / len(active) if active else None,
        "first_time": sum(start <= met[member] < end for member in shares),
        "effective_members": effective,
        "spread": effective / min(count, max(len(active), len(shares))) if enough else None,
        "top3_share": sum(sorted(shares.values())[-3:]) / count if enough else None,
        "reply_minutes": {"median": percentile(minutes, 0.5), "p90": percentile(minutes, 0.9)},
        "waiting": waiting_at(facts, end, manager),
    }


def waiting_at(facts: Facts, end: int, manager: int | None) -> int:
    """Entries written before the moment and still open at it."""
    return sum(
        entry.at < end
        and (entry.ended is None or entry.ended >= end)
        and entry.at + 14 * DAY > end
        and (manager is None or manager in entry.waits_for)
        for entry in facts.waiting
    )


def verdict(one: dict[str, Any], four: dict[str, Any]) -> tuple[str, int | None]:
    """Judge this week alone, or the four that end with it."""
    for judged, weeks in ((one, 1), (four, 4)):
        if judged["conversations"] >= 20:
            if judged["spread"] >= 0.5:
                return "social media", weeks
            return ("influence media" if judged["spread"] <= 0.25 else "in between"), weeks
    return "too quiet to call", None


def figures(facts: Facts, monday: date, zone: str, manager: int | None) -> dict[str, Any]:
    """docs/rules.md#figures in its order, for the team or one manager."""
    end = midnight(monday + timedelta(days=7), zone)
    one = period(facts, midnight(monday, zone), end, manager)
    four = period(facts, midnight(monday - timedelta(days=21), zone), end, manager)
    word, weeks = verdict(one, four)
    last = {name: one.pop(name) for name in ("reply_minutes", "waiting")}
    return {**one, "verdict": word, "verdict_weeks": weeks, **last}


def digest(facts: Facts, monday: date, zone: str) -> dict[str, Any]:
    """Build the object of `spade digest --json`, with the managers in order of id."""
    return {
        "guild_id": str(facts.guild_id),
        "week": monday.isoformat(),
        "time_zone": zone,
        "complete": True,
        "team": figures(facts, monday, zone, None),
        "managers": [
            {"manager_id": str(manager), **figures(facts, monday, zone, manager)} for manager in facts.managers
        ],
    }
