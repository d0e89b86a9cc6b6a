"""The last messages of a channel that are kept as context."""

from bot.services.record.channel_context import ChannelContext
from bot.services.record.history import CONTEXT
from tests.support.messages import MIA, at, said


def test_context_that_overflows_keeps_the_last_messages_and_reaches_back_to_the_first_of_them() -> None:
    context = ChannelContext()
    messages = [said(minute, MIA) for minute in range(1, CONTEXT + 4)]
    context.add(messages[:CONTEXT], at(0))
    assert (len(context.messages), context.first_id) == (CONTEXT, at(0))
    context.add(messages[CONTEXT:], at(CONTEXT) + 1)
    assert context.messages == tuple(messages[3:])
    assert context.first_id == messages[3].message_id


def test_cleared_context_begins_anew() -> None:
    context = ChannelContext()
    context.add([said(1, MIA)], at(0))
    context.clear()
    assert (context.messages, context.first_id) == ((), 0)
    context.add([said(5, MIA)], at(4))
    assert (context.messages, context.first_id) == ((said(5, MIA),), at(4))
