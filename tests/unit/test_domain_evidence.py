"""Copies of messages in export files: which counts, and how much of it is kept."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.evidence import UNDATED, Copy, Ends, corrected, kept, newest, opener_of, replying
from bot.domain.message import SOMEBODY_ID, Message, MessageKind
from bot.domain.snowflake import first_id_at

ANNA, BEN, MIA, NOAH, OLE = range(1, 6)
MANAGERS = frozenset({ANNA, BEN})
EARLY, LATE = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)

people = st.sampled_from([None, SOMEBODY_ID, ANNA, MIA])
copies = st.builds(
    Copy,
    st.builds(
        Message,
        st.just(100),
        people,
        st.sampled_from([MessageKind.DEFAULT, MessageKind.REPLY, MessageKind.OTHER]),
        st.frozensets(st.sampled_from([-1, ANNA, BEN, MIA])),
        st.booleans(),
        st.booleans(),
        st.sampled_from([None, 7, 8]),
    ),
    st.sampled_from([UNDATED, EARLY, LATE]),
    st.booleans(),
)


@given(st.lists(copies, min_size=1, max_size=5), st.randoms())
def test_what_is_known_of_a_message_does_not_depend_on_the_order_of_its_copies(
    found: list[Copy], random: object
) -> None:
    def known(ordered: list[Copy]) -> Copy:
        result: Copy | None = None
        for copy in ordered:
            result = newest(result, copy)
        assert result is not None
        return result

    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert known(shuffled) == known(found) == known([*found, *shuffled])


@given(copies, copies)
def test_no_copy_outweighs_a_deletion(stored: Copy, copy: Copy) -> None:
    deleted = replace(stored, deleted=True)
    assert newest(deleted, copy) == deleted


def test_whom_one_copy_names_and_another_hides_is_one_person() -> None:
    def united(one: set[int], other: set[int]) -> frozenset[int]:
        return newest(said(ANNA, *one), said(ANNA, *other)).message.mentions

    assert united({-1, MIA}, {NOAH, MIA}) == {NOAH, MIA}
    assert united({-1, MIA}, {NOAH, -1}) == {NOAH, MIA}
    assert united({-1, -2, MIA}, {NOAH, -1, -2}) == {NOAH, MIA, -1}
    assert united({-1}, {-1}) == {-1}


def said(author: int | None, *mentions: int, reply_to_id: int | None = None) -> Copy:
    kind = MessageKind.DEFAULT if reply_to_id is None else MessageKind.REPLY
    return Copy(Message(100, author, kind, frozenset(mentions), reply_to_id=reply_to_id), EARLY)


def facts(copy: Copy, *hidden: int, target_is_known: bool = False) -> tuple[int | None, set[int], int | None, bool]:
    one = kept(copy, MANAGERS, lambda person, _: person in hidden, target_is_known=target_is_known)
    return one.message.author_id, set(one.message.mentions), one.message.reply_to_id, one.reduced


@pytest.mark.parametrize(
    ("copy", "hidden", "known", "expected"),
    [
        (said(ANNA, MIA, BEN, reply_to_id=7), (), True, (ANNA, {MIA, BEN}, 7, False)),
        (said(ANNA, MIA, NOAH, OLE), (MIA, OLE), False, (ANNA, {-1, -2, NOAH}, None, False)),
        (said(MIA, ANNA, NOAH), (), False, (MIA, {ANNA}, None, True)),
        (said(MIA, ANNA), (), False, (MIA, {ANNA}, None, False)),
        (said(MIA, reply_to_id=7), (), False, (MIA, set(), 7, False)),
        (said(MIA, reply_to_id=7), (), True, (MIA, set(), None, False)),
        (said(MIA, ANNA, NOAH, reply_to_id=7), (MIA,), False, (SOMEBODY_ID, {ANNA}, 7, True)),
        (said(None, ANNA, NOAH, reply_to_id=7), (), False, (None, set(), None, True)),
        (said(ANNA, MIA, reply_to_id=7), (ANNA,), False, (SOMEBODY_ID, set(), 7, True)),
    ],
)
def test_of_a_message_is_kept_what_concerns_managers(
    copy: Copy, hidden: tuple[int, ...], known: bool, expected: object
) -> None:
    assert facts(copy, *hidden, target_is_known=known) == expected


def test_what_is_hidden_depends_on_the_time_of_the_message() -> None:
    copy = said(MIA, ANNA)
    sent_at = copy.message.sent_at
    for offset, author_id in ((timedelta(0), SOMEBODY_ID), (timedelta(milliseconds=-1), MIA)):
        until = sent_at + offset
        one = kept(copy, MANAGERS, lambda _, at, until=until: at <= until, target_is_known=False)  # type: ignore[misc]
        assert one.message.author_id == author_id


def test_a_reply_to_somebody_names_them_once() -> None:
    """Of the numbers that stand for people who are not named, one is the target's."""
    copy = Copy(Message(100, ANNA, MessageKind.REPLY, frozenset({-1, -2, MIA}), reply_to_id=7), EARLY)
    assert replying(copy, SOMEBODY_ID).mentions == {-2, MIA}
    assert replying(copy, NOAH).mentions == {-1, -2, MIA}
    assert not replying(copy, NOAH).mentions_no_person
    assert replying(replace(copy, reduced=True), None).mentions_no_person


def test_the_opener_of_a_thread_as_far_as_files_tell() -> None:
    starter, first = Message(100, ANNA), Message(101, MIA)
    by_starting = replace(first, kind=MessageKind.STARTER)
    for begins in (True, False):
        assert opener_of(starter, by_starting, begins=begins) == ANNA
        assert opener_of(replace(starter, author_id=None), first, begins=begins) is None
        assert opener_of(None, None, begins=begins) is None
        assert opener_of(None, by_starting, begins=begins) is None
    assert opener_of(None, first, begins=True) == MIA
    assert opener_of(None, first, begins=False) is None


def test_ends_are_joined_in_either_order() -> None:
    some = [Ends(*ends) for ends in ((5, 1, 9, 2), (5, 3, 9, 1), (4, 9, 10, 9), (6, 1, 6, 1))]
    for one, other in product(some, some):
        assert one.joined(other) == other.joined(one)
    assert some[0].joined(some[1]) == Ends(5, 1, 9, 1)
    assert some[0].joined(some[2]) == Ends(4, 9, 10, 9)


def test_a_persons_first_and_last_message_are_as_near_as_the_record_tells() -> None:
    def at(day: int, hour: int) -> int:
        return first_id_at(datetime(2026, 6, day, hour, tzinfo=UTC))

    def ends(first: int, last: int) -> Ends:
        return Ends(first, 1, last, 2)

    def left(*gone: int, found: Ends | None = None, days: tuple[int, int] | None = (2, 8)) -> Ends | None:
        wrote = None if days is None else (date(2026, 6, days[0]), date(2026, 6, days[1]))
        return corrected(ends(at(1, 9), at(9, 9)), gone, found, wrote, ZoneInfo("UTC"))

    first, last = at(1, 9), at(9, 9)
    assert left(days=(1, 9)) == ends(first, last)
    assert left(first, days=(2, 9)) == Ends(at(2, 0), 2, last, 2)
    assert left(last, days=(1, 8)) == Ends(first, 1, at(8, 0), 1)
    assert left(first, last) == ends(at(2, 0), at(8, 0))
    assert left(first, last, days=None) is None
    assert left(first, last, found=Ends(at(3, 5), 7, at(8, 5), 8)) == Ends(at(2, 0), 7, at(8, 5), 8)
    assert left(first, last, found=Ends(at(3, 5), 7, at(8, 5), 8), days=None) == Ends(at(3, 5), 7, at(8, 5), 8)
    assert left(first, days=(9, 9)) == Ends(last, 2, last, 2)
