"""What `/status` says of deliveries and other due work that did not succeed."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from bot.domain.delivery import EXPIRED, UNSETTLEABLE, Delivery, DeliveryKind, DeliveryState
from bot.domain.due_work import Cause, FailedWork, Work
from bot.services.guild.status import Undelivered
from bot.views.words.dates import day_label, discord_time, week_label
from bot.views.words.names import safe_name, safe_reason
from bot.views.words.sentence import mark, say, say_count

_SHOWN = 4
_UPKEEP = mark("Some of Spade's own upkeep")
_OF_ALL_SERVERS = {
    "gaps": mark("Fetching messages that are missing from the record"),
    "history": mark("Reading history that has still to be read"),
    "settlement": mark("Finding out whether messages have arrived"),
    "purge": mark("Forgetting servers that removed Spade"),
    "erasures": mark("Erasing the last remains of what people had erased"),
    "digests": mark("Looking for digests that are due"),
    "nudges": mark("Looking for nudges that are due"),
}
"""Work for all servers together, by its name on the schedule."""


def not_done(undelivered: Sequence[Undelivered], failing: Sequence[tuple[FailedWork, str | None]]) -> Iterator[str]:
    """A line for each delivery and each other piece of work that did not succeed; a few, and how many more there are.

    With each failure comes the name of the manager it concerns.
    """
    lines = chain(map(_delivery_line, undelivered), (_failure_line(failure, name) for failure, name in failing))
    yield from islice(lines, _SHOWN)
    left = len(undelivered) + len(failing) - _SHOWN
    if left > 0:
        yield say_count("{count} more thing did not succeed.", "{count} more things did not succeed.", count=left)


def _delivery_line(one: Undelivered) -> str:
    delivery, what = one.delivery, _message(one.delivery, one.name)
    match delivery.state:
        case DeliveryState.PENDING:
            refused = say("{what}: Discord refused it ({reason}).", what=what, reason=_reason(delivery))
            if one.again_at is None:
                return say("{sentence} It is tried again soon.", sentence=refused)
            return say("{sentence} It is tried again {again}.", sentence=refused, again=discord_time(one.again_at))
        case DeliveryState.REFUSED if delivery.kind is DeliveryKind.DIGEST and delivery.refused:
            return say(
                "{what}: Discord refused it ({reason}). Another channel can be chosen with `/settings digest`.",
                what=what,
                reason=_reason(delivery),
            )
        case DeliveryState.REFUSED if delivery.problem == UNSETTLEABLE:
            return say("{what}: whether it arrived could not be found out, so it is not sent again.", what=what)
        case DeliveryState.REFUSED:
            return say("{what}: it was not sent ({reason}).", what=what, reason=_reason(delivery))
        case _:
            return say("{what}: Discord has not confirmed it. I look for it before I send it again.", what=what)


def _failure_line(failure: FailedWork, name: str | None) -> str:
    return say(
        "{what}: has not succeeded since {since} ({cause}). It is tried again {again}.",
        what=_work(failure, name),
        since=discord_time(failure.since, "f"),
        cause=_cause(failure),
        again=discord_time(failure.again_at),
    )


def _message(delivery: Delivery, name: str | None) -> str:
    who = safe_name(name or "")
    match delivery.kind:
        case DeliveryKind.DIGEST:
            return say("Digest of {week}", week=week_label(delivery.due_on))
        case DeliveryKind.PERSONAL_DIGEST:
            return say("Digest to {who}, {week}", who=who, week=week_label(delivery.due_on))
        case DeliveryKind.NUDGE:
            return say("Nudge to {who}, {day}", who=who, day=day_label(delivery.due_on))
        case DeliveryKind.WELCOME:
            return say("First message to {who}", who=who)


def _reason(delivery: Delivery) -> str:
    match delivery.problem:
        case problem if problem == EXPIRED:
            return say("Discord did not take it while it was due")
        case problem:
            return safe_reason(problem)


def _work(failure: FailedWork, name: str | None) -> str:
    who = safe_name(name or "")
    match failure.piece.work:
        case Work.RECORDING:
            return say("Recording, which comes before the nudges")
        case Work.DIGEST:
            return say("Digest")
        case Work.PERSONAL_DIGEST:
            return say("Digest to {who}", who=who)
        case Work.NUDGE:
            return say("Nudge to {who}", who=who)
        case Work.RETENTION:
            return say("Deleting what is older than this server keeps")
        case other:
            return say(_OF_ALL_SERVERS.get(other, _UPKEEP))


def _cause(failure: FailedWork) -> str:
    match failure.cause:
        case Cause.DISCORD:
            return safe_reason(failure.reason)
        case Cause.UNANSWERED:
            return say("Discord does not answer what Spade asks")
        case Cause.DATABASE:
            return say("the database cannot be used")
        case Cause.DEADLINE:
            return say("it takes too long")
        case Cause.FAULT:
            return say("a fault in Spade; its log says more")
