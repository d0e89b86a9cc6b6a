"""Why a member stands in a nudge, in one sentence of plain facts."""

from datetime import date

from bot.domain.calendar import local_day
from bot.domain.nudge import Offer, OfferContext, Reason
from bot.views.kit.links import message_link
from bot.views.words.amounts import duration, minutes
from bot.views.words.dates import weekday_name
from bot.views.words.names import safe_name
from bot.views.words.sentence import number, say, say_count


def offer_sentence(offer: Offer, context: OfferContext) -> str:
    """The sentence, and a second one that names the colleague who handed the member over, if one did."""
    sentence = _reason_sentence(offer, context)
    if not offer.handed:
        return sentence
    return say(
        "{sentence} {colleague} handed them over to you.", sentence=sentence, colleague=_colleague(offer, context)
    )


def offer_link(offer: Offer, guild_id: int) -> str | None:
    """The address of the message an offer leads to; None if there is none."""
    if offer.message_id is None or offer.channel_id is None:
        return None
    return message_link(guild_id, offer.channel_id, offer.message_id)


def _reason_sentence(offer: Offer, context: OfferContext) -> str:
    match offer.reason:
        case Reason.WAITING:
            return _waiting_sentence(offer, context)
        case Reason.NEWCOMER:
            return _newcomer_sentence(offer, context)
        case Reason.UNMET:
            if offer.active_days is None:
                return say("Active lately, and nobody on the team has met them yet.")
            if context.days_on_record is not None and context.days_on_record < context.rules.unmet_window_days:
                return say_count(
                    "Active on {active} of the {count} day on record, and nobody on the team has written to them in "
                    "that time.",
                    "Active on {active} of the {count} days on record, and nobody on the team has written to them in "
                    "that time.",
                    count=context.days_on_record,
                    active=number(offer.active_days),
                )
            return say(
                "Active on {active} of the last {window} days, and nobody on the team has met them yet.",
                active=number(offer.active_days),
                window=number(context.rules.unmet_window_days),
            )
        case Reason.COOLING:
            return _cooling_sentence(offer, context)


def _waiting_sentence(offer: Offer, context: OfferContext) -> str:
    elapsed = duration(context.now - offer.since)
    usual = context.usual_reply_minutes
    if offer.wrote_back:
        return say("Wrote back to you {elapsed} ago.", elapsed=elapsed)
    if offer.for_team:
        return say("Has waited {elapsed} for an answer from anybody on the team.", elapsed=elapsed)
    if offer.handed:
        return say("Has waited {elapsed} for an answer.", elapsed=elapsed)
    if offer.from_manager_id is not None:
        return say(
            "Has waited {elapsed} for an answer from {colleague}, who is away.",
            elapsed=elapsed,
            colleague=_colleague(offer, context),
        )
    if usual is None or usual * 60 >= (context.now - offer.since).total_seconds():
        return say("Has waited {elapsed} for an answer from you.", elapsed=elapsed)
    return say(
        "Has waited {elapsed} for an answer from you; you usually answer in {usual}.",
        elapsed=elapsed,
        usual=minutes(usual),
    )


def _newcomer_sentence(offer: Offer, context: OfferContext) -> str:
    first_on = local_day(offer.since, context.zone)
    today = local_day(context.now, context.zone)
    wrote = _first_wrote(first_on, today)
    joined_at = context.joined.get(offer.member_id)
    if joined_at is None or local_day(joined_at, context.zone) >= first_on:
        return say("First wrote {day}, and nobody on the team has said hello yet.", day=wrote)
    return say(
        "Joined {elapsed} ago, first wrote {day}, and nobody on the team has said hello yet.",
        elapsed=duration(context.now - joined_at),
        day=wrote,
    )


def _first_wrote(first_on: date, today: date) -> str:
    days_ago = (today - first_on).days
    if days_ago <= 0:
        return say("today")
    if days_ago == 1:
        return say("yesterday")
    if days_ago < 7:
        return say("on {weekday}", weekday=weekday_name(first_on.weekday()))
    return say("{days} days ago", days=number(days_ago))


def _cooling_sentence(offer: Offer, context: OfferContext) -> str:
    elapsed = duration(context.now - offer.since)
    if offer.conversations is not None:
        return say_count(
            "You last talked {elapsed} ago, after one conversation; they still write here.",
            "You last talked {elapsed} ago, after {count} conversations; they still write here.",
            count=offer.conversations,
            elapsed=elapsed,
        )
    if offer.from_manager_id is not None:
        return say(
            "Last talked with {colleague} {elapsed} ago; they still write here.",
            colleague=_colleague(offer, context),
            elapsed=elapsed,
        )
    return say("You last talked {elapsed} ago; they still write here.", elapsed=elapsed)


def _colleague(offer: Offer, context: OfferContext) -> str:
    """The name of the colleague whose member this was; "a colleague" if it is unknown."""
    found = context.names.get(offer.from_manager_id or 0)
    return safe_name(found, unnamed=say("a colleague")) if found else say("a colleague")
