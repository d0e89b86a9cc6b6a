"""Spans against a model that holds every single position, and ids as times."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.message import Message
from bot.domain.snowflake import EPOCH, first_id_at, moment_of
from bot.domain.span import Span, merged, unrecorded
from bot.domain.stretch import Place, Stretch

SPANS = st.builds(
    lambda first, length: Span(first, first + length), st.integers(0, 60), st.sampled_from([0, 0, 1, 2, 5, 20])
)


def positions(spans: object) -> set[int]:
    assert isinstance(spans, list | tuple)
    return {position for span in spans for position in range(span.first_id, span.last_id + 1)}


@given(st.lists(SPANS, max_size=8))
def test_merging_keeps_every_position_in_the_fewest_spans(spans: list[Span]) -> None:
    found = merged(spans)
    assert positions(found) == positions(spans)
    for one, other in pairwise(found):
        assert one.last_id + 1 < other.first_id


@given(SPANS, st.lists(SPANS, max_size=8))
def test_what_is_unrecorded_is_exactly_what_no_span_holds(wanted: Span, recorded: list[Span]) -> None:
    found = unrecorded(wanted, recorded)
    assert positions(found) == positions([wanted]) - positions(recorded)
    assert merged(found) == found


@given(SPANS, st.integers(-1, 90))
def test_a_span_holds_its_bounds_and_what_lies_between(span: Span, position: int) -> None:
    assert span.holds(position) == (position in positions([span]))


def test_a_span_cannot_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match=r"cannot end \(4\) before it begins \(5\)"):
        Span(5, 4)


@given(SPANS)
def test_a_part_of_a_stretch_knows_what_came_before_it(part: Span) -> None:
    """The part's messages are those it names; everything earlier at hand is context."""
    messages = tuple(Message(position, author_id=1) for position in range(20, 60, 3))
    context = tuple(Message(position, author_id=1) for position in range(10, 20, 3))
    whole = Stretch(Place(1, 1), 20, 59, messages, context, 10)
    found = whole.part(part)
    assert (found.first_id, found.last_id) == (part.first_id, part.last_id)
    assert found.messages == tuple(message for message in messages if part.holds(message.message_id))
    assert found.context == tuple(
        message for message in (*context, *messages) if message.message_id < 20 or message.message_id < part.first_id
    )
    assert found.context_first_id == 10


@pytest.mark.parametrize(
    ("first_id", "context_first_id", "knows"), [(5, 5, True), (6, 6, False), (6, 0, True), (6, 5, True), (4, 4, True)]
)
def test_a_stretch_knows_the_start_when_it_reaches_back_to_the_channel_itself(
    first_id: int, context_first_id: int, knows: bool
) -> None:
    assert Stretch(Place(1, 5), first_id, 9, (), (), context_first_id).knows_start is knows


def test_an_id_is_a_time() -> None:
    """Discord's own example: 175928847299117063 was made on 2016-04-30 11:18:25.796 UTC."""
    assert moment_of(175928847299117063) == datetime(2016, 4, 30, 11, 18, 25, 796_000, tzinfo=UTC)
    assert first_id_at(moment_of(175928847299117063)) == 175928847299117063 >> 22 << 22
    assert first_id_at(EPOCH) == 0
    assert first_id_at(EPOCH - timedelta(days=1)) == 0


@given(st.integers(-(10**12), 2 * 10**15))
def test_the_first_id_at_a_moment_is_the_lowest_that_is_not_before_it(microseconds: int) -> None:
    moment = EPOCH + timedelta(microseconds=microseconds)
    lowest = first_id_at(moment)
    assert moment_of(lowest) >= moment
    assert lowest == 0 or moment_of(lowest - 1) < moment
