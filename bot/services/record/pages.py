"""Reading a span of a channel's history page by page."""

from collections.abc import AsyncIterator

from bot.domain.message import Message
from bot.domain.span import Span
from bot.domain.stretch import Place, Stretch
from bot.services.record.history import CONTEXT, PAGE, History


async def pages(history: History, place: Place, span: Span) -> AsyncIterator[Stretch]:
    """The messages of a span as adjoining stretches, oldest first, each with the messages before it as context.

    Together the stretches cover the whole span, even if some or all of its messages are deleted. Raises
    UnreadableHistoryError.
    """
    position = span.first_id - 1
    context: tuple[Message, ...] = ()
    context_first_id = span.first_id
    while position < span.last_id:
        page = await history.after(place, position)
        within = tuple(message for message in page if message.message_id <= span.last_id)
        ends_here = len(page) < PAGE or len(within) < len(page)
        end = span.last_id if ends_here else within[-1].message_id
        yield Stretch(place, position + 1, end, within, context, min(context_first_id, position + 1))
        context = (context + within)[-CONTEXT:]
        if len(context) == CONTEXT:
            context_first_id = context[0].message_id
        position = end
