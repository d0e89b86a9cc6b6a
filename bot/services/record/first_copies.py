"""What is stored of messages that nobody has told anything of yet, many at a time.

It is what `bot.domain.evidence.kept` says of each, for messages that concern nobody who objects to being recorded.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.calendar import local_day
from bot.domain.evidence import Ends
from bot.domain.message import Message, MessageKind
from bot.domain.snowflake import first_id_at, moment_of
from bot.store.evidence import REDUCED, Facts
from bot.store.staged_piece import NUMBER_OF_KIND, StagedPiece

_QUARTER = timedelta(minutes=15)
"""Local times differ by whole quarters of an hour, nearly always."""
_COUNTED = frozenset(number for kind, number in NUMBER_OF_KIND.items() if Message(0, 0, kind).counted)
_UNCOUNTED = bytes(number for number in NUMBER_OF_KIND.values() if number not in _COUNTED)
_STARTER = NUMBER_OF_KIND[MessageKind.STARTER]

IsFree = Callable[[int], bool]
"""Whether a person never objected to anything."""


def odd_places(piece: StagedPiece, stored: Container[int], is_free: IsFree) -> set[int]:
    """The places of messages that have to be looked at one by one.

    They are in `stored`, a thread's copies of its starter message, or by or to people who have objected.
    """
    odd = {place for place, one in enumerate(piece.ids) if one in stored} if stored else set[int]()
    if _STARTER in piece.kinds:
        odd.update(place for place, kind in enumerate(piece.kinds) if kind == _STARTER)
    objecting = {one for one in set(piece.authors) if one and not is_free(one)}
    if objecting:
        odd.update(place for place, one in enumerate(piece.authors) if one in objecting)
    for place, (_, _, mentions) in piece.more.items():
        if mentions and not all(map(is_free, map(int, mentions.split()))):
            odd.add(place)
    return odd


def unknown_targets(piece: StagedPiece, odd: Container[int], managers: Container[int]) -> set[int]:
    """The messages to which people who are no managers reply, and which are not staged."""
    return {
        target_id
        for place, (_, target_id, _) in piece.more.items()
        if target_id
        and place not in odd
        and piece.authors[place] not in managers
        and not ((target := piece.targets.get(target_id)) and target.original)
    }


def facts_kept(
    piece: StagedPiece, odd: Container[int], managers: AbstractSet[int], authors: Mapping[int, int | None]
) -> dict[int, Facts]:
    """By place, what is stored of some messages besides who wrote them, where that is anything.

    `authors` are those of the messages replied to, as far as they are stored.
    """
    found: dict[int, Facts] = {}
    for place, (flags, target_id, mentions) in piece.more.items():
        if place in odd:
            continue
        author_id = piece.authors[place]
        if author_id in managers:
            found[place] = flags, target_id or None, f" {mentions} " if mentions else ""
            continue
        named = ""
        if mentions:
            people = set(map(int, mentions.split()))
            shown = sorted(people & managers) if author_id else []
            named = f" {' '.join(map(str, shown))} " if shown else ""
            flags |= REDUCED * (len(shown) < len(people))  # noqa: PLW2901 - what is kept of them
        if target_id and not (author_id and _may_be_managers(target_id, piece, managers, authors)):
            target_id = 0  # noqa: PLW2901 - as above
        if flags or target_id or named:
            found[place] = flags, target_id or None, named
    return found


def _may_be_managers(
    target_id: int, piece: StagedPiece, managers: Container[int], authors: Mapping[int, int | None]
) -> bool:
    target = piece.targets.get(target_id)
    if target is not None and target.original:
        return target.author_id in managers
    return target_id not in authors or authors[target_id] in managers


@dataclass(frozen=True, slots=True)
class Written:
    """Some counted messages by rising id, with their authors, and the day of those from each place on."""

    places: Sequence[int]
    ids: Sequence[int]
    authors: Sequence[int]
    days: Sequence[tuple[date, int, int]]

    def by_day(self) -> Iterator[tuple[date, Sequence[int]]]:
        """The authors of each day's messages; a day may come several times."""
        return ((day, self.authors[start:end]) for day, start, end in self.days)


class ChannelEnds:
    """Everybody's first and last message in a channel, as its messages come by rising id."""

    def __init__(self, channel_id: int) -> None:
        self.channel_id = channel_id
        self._firsts: dict[int, int] = {}
        self._lasts: dict[int, int] = {}

    def add(self, messages: Written) -> None:
        """Take the next messages."""
        ids, authors = messages.ids, messages.authors
        newcomers = set(authors) - self._firsts.keys()
        if newcomers:
            firsts = dict(zip(reversed(authors), reversed(ids), strict=True))
            self._firsts.update((author_id, firsts[author_id]) for author_id in newcomers)
        self._lasts.update(zip(authors, ids, strict=True))

    def ends(self) -> Iterator[tuple[int, Ends]]:
        """Each author's first and last one."""
        for author_id, first_id in self._firsts.items():
            yield author_id, Ends(first_id, self.channel_id, self._lasts[author_id], self.channel_id)


def written(piece: StagedPiece, odd: Collection[int], zone: ZoneInfo) -> Written:
    """The messages of a piece that count, without those at `odd` places."""
    if odd or 0 in piece.authors or piece.kinds.translate(None, _UNCOUNTED) != piece.kinds:
        counted: Iterable[tuple[int, int, int]] = (
            (place, one, author_id)
            for place, (one, author_id, kind) in enumerate(zip(piece.ids, piece.authors, piece.kinds, strict=True))
            if author_id and kind in _COUNTED and place not in odd
        )
        places, ids, authors = map(list, zip(*counted, strict=True)) if (counted := list(counted)) else ([], [], [])
    else:
        places, ids, authors = list(range(len(piece))), piece.ids, piece.authors
    return Written(places, ids, authors, list(_days(ids, zone)))


def _days(ids: Sequence[int], zone: ZoneInfo) -> Iterator[tuple[date, int, int]]:
    """The local days of rising ids, each with the places where it begins and ends."""
    begun, start, place = None, 0, 0
    while place < len(ids):
        day, until = _day(ids[place], zone)
        if begun is not None and day != begun:
            yield begun, start, place
            start = place
        begun = day
        place = bisect_left(ids, until, place + 1)
    if begun is not None:
        yield begun, start, place


def _day(message_id: int, zone: ZoneInfo) -> tuple[date, int]:
    """The local day of a message, and a position before which all later ones are of the same day."""
    sent_at = moment_of(message_id)
    day = local_day(sent_at, zone)
    end_at = datetime.fromtimestamp((sent_at.timestamp() // _QUARTER.seconds + 1) * _QUARTER.seconds, UTC)
    whole = local_day(end_at - timedelta(milliseconds=1), zone) == day
    return day, first_id_at(end_at) if whole else message_id + 1
