"""Answers to `/nudges`. Only the manager who asked sees them."""

from datetime import date

from bot.domain.delivery import DeliveryState
from bot.domain.effect import Effect
from bot.domain.nudge import OfferContext, Reason
from bot.domain.nudge_decision import Obstacle
from bot.domain.nudge_time import NoNudge, NudgeSchedule, PauseProblem
from bot.domain.relationship import Standing
from bot.domain.rules import NudgeRules
from bot.domain.why import Miss, MissedReason, Why
from bot.services.nudge.previews import EFFECT_DAYS, NudgeStatus
from bot.views.nudge.offer import offer_sentence
from bot.views.words.amounts import duration
from bot.views.words.dates import day_label, weekdays_label
from bot.views.words.names import safe_guild, safe_name, safe_reason
from bot.views.words.sentence import number, say, say_count


def nudges_state(status: NudgeStatus) -> str:
    """The answer to `/nudges status`."""
    return "\n".join([*_schedule_lines(status), "", *_effect_lines(status)])


def _schedule_lines(status: NudgeStatus) -> list[str]:
    schedule, manager = status.schedule, status.schedule.manager
    if manager.enrolled_at is None:
        return [say("Your nudges are off. `/nudges on` turns them on.")]
    lines = [
        say(
            "Your nudges are on: {weekdays} at {hour} ({zone}).",
            weekdays=weekdays_label(schedule.manager.nudge_weekdays),
            hour=f"{schedule.manager.nudge_hour:02}:00",
            zone=safe_name(schedule.zone.key, 64),
        )
    ]
    if manager.refused_at is not None:
        lines.append(
            say(
                "But Discord does not let me write to you, so none come. Allow direct messages from this server, then "
                "use `/nudges on`."
            )
        )
    elif status.refused is not None:
        lines.append(refused_lately(status.refused.problem))
    until_on = manager.paused_until_on
    if until_on is not None and status.next_on is not None and status.next_on >= until_on:
        lines.append(say("Paused until {day}; `/nudges on` ends the pause.", day=day_label(until_on)))
    if status.throttled:
        lines.append(
            say_count(
                "The last one brought no reaction, so they come half as often until you press a button or write to "
                "somebody in it.",
                "The last {count} brought no reaction, so they come half as often until you press a button or write "
                "to somebody in them.",
                count=status.rules.quiet_after_unanswered,
            )
        )
    if status.next_on is not None:
        lines.append(say("The next one can come on {day}, if there is anybody to name.", day=day_label(status.next_on)))
    return lines


def _effect_lines(status: NudgeStatus) -> list[str]:
    hours = number(int(status.rules.worked_within.total_seconds() // 3600))
    if not status.effects:
        return [
            say_count(
                "In the last day no nudge was sent to you.",
                "In the last {count} days no nudge was sent to you.",
                count=EFFECT_DAYS,
            )
        ]
    lines = [
        say(
            "Of the people named to you in the last {days} days, you wrote within {hours} hours to:",
            days=number(EFFECT_DAYS),
            hours=hours,
        )
    ]
    return lines + [
        say("- {reason}: {figures}", reason=reason_label(reason), figures=_figures(effect))
        for reason, effect in status.effects.items()
    ]


def _figures(effect: Effect) -> str:
    """How many worked, of how many, and how many are still open."""
    judged = say("{worked} of {judged}", worked=number(effect.worked), judged=number(effect.judged))
    pending = say_count("one whose time is not over", "{count} whose time is not over", count=effect.pending)
    if not effect.pending:
        return judged
    return say("{judged}, and {pending}", judged=judged, pending=pending) if effect.judged else pending


def named_again(name: str, *, taken_back: bool) -> str:
    """The answer to `/nudges again`."""
    if taken_back:
        return say("{who} can be in your nudges again, when there is a reason.", who=safe_name(name))
    return say("You had not set {who} aside, so nothing changes.", who=safe_name(name))


def reason_label(reason: Reason) -> str:
    """A reason as a heading."""
    match reason:
        case Reason.WAITING:
            return say("left waiting")
        case Reason.NEWCOMER:
            return say("newcomers")
        case Reason.UNMET:
            return say("never met")
        case Reason.COOLING:
            return say("not talked to for long")


def why_answer(why: Why, name: str, context: OfferContext) -> str:
    """The answer to "why not X?"."""
    who = safe_name(name)
    match why.standing:
        case Standing.MANAGER:
            return say("{who} is on this server's manager list, and nudges are about members.", who=who)
        case Standing.IGNORED:
            return say("{who} is on this server's ignore list, so they are never in a nudge.", who=who)
        case Standing.UNRECORDED:
            return say(
                "There is nothing on record about {who}: they have not written where Spade counts, or asked to be "
                "left out.",
                who=who,
            )
        case Standing.MEMBER:
            pass
    if why.offer is None:
        first = [_obstacle_sentence(why.obstacle, who, context.rules)] if why.obstacle is not None else []
        lines = [_miss_line(missed, context) for missed in why.missed]
        return "\n".join([*first, say("{who} gives no reason for a nudge to you right now:", who=who), *lines])
    sentence = offer_sentence(why.offer, context)
    if why.obstacle is None:
        return say("{who} is in the nudge that would come now. {sentence}", who=who, sentence=sentence)
    return say(
        "{obstacle}\nOtherwise they would be in it. {sentence}",
        obstacle=_obstacle_sentence(why.obstacle, who, context.rules),
        sentence=sentence,
    )


def _obstacle_sentence(obstacle: Obstacle, who: str, rules: NudgeRules) -> str:  # noqa: C901, PLR0911 - one a case
    match obstacle:
        case Obstacle.SNOOZED:
            return say("You snoozed {who}, and that has not run out yet; `/nudges again` ends it.", who=who)
        case Obstacle.DISMISSED:
            return say("You pressed *Not this person* for {who}; `/nudges again` takes it back.", who=who)
        case Obstacle.LEFT:
            return say("{who} is not in this server any more.", who=who)
        case Obstacle.IGNORED:
            return say("{who} has a role on this server's ignore list.", who=who)
        case Obstacle.UNREADABLE:
            return say("What Discord says about {who} just now cannot be read, so they are left out.", who=who)
        case Obstacle.PROXIED:
            return say(
                "{who} writes through a bot that posts their messages anew. Those messages count as nobody's, so "
                "nudges leave {who} out.",
                who=who,
            )
        case Obstacle.OFFERED_LATELY:
            return say(
                "{who} was in a nudge to you in the last {days} days ({fewer} if a new message waits).",
                who=who,
                days=number(rules.offer_again_after.days),
                fewer=number(rules.offer_waiting_again_after.days),
            )
        case Obstacle.OFFERED_TO_ANOTHER:
            return say("{who} was in a colleague's nudge today, and nobody is named to two managers on a day.", who=who)
        case Obstacle.ANOTHERS_SHARE:
            return say(
                "Newcomers and people nobody has met are shared out over the team, and {who} falls to a colleague.",
                who=who,
            )
        case Obstacle.NO_ROOM:
            return say_count(
                "There is room for one person in a nudge, and somebody else comes before {who}.",
                "There is room for {count} people in a nudge (few of whom just wrote back), and others come before "
                "{who}.",
                count=rules.members_per_nudge,
                who=who,
            )


def _miss_line(missed: MissedReason, context: OfferContext) -> str:
    return say("- {sentence}", sentence=_miss_sentence(missed, context))


def _miss_sentence(missed: MissedReason, context: OfferContext) -> str:  # noqa: PLR0911, PLR0912, C901 - one a case
    rules = context.rules
    elapsed = duration(context.now - missed.at) if missed.at is not None else ""
    count = missed.count or 0
    match missed.miss:
        case Miss.NOTHING_WAITS:
            return say("No message of theirs waits for you or for the team.")
        case Miss.ANSWERED:
            return say("Their last message that waited was answered {elapsed} ago.", elapsed=elapsed)
        case Miss.SET_ASIDE:
            return say("Their last message that waited was set aside, by *Done* or a manager's reaction.")
        case Miss.TOO_FRESH:
            return say(
                "Their message has waited {elapsed}; it becomes a reason after {least}.",
                elapsed=elapsed,
                least=duration(rules.waiting_after),
            )
        case Miss.OTHERS_ASKED:
            return say("Their message of {elapsed} ago asks a colleague, not you.", elapsed=elapsed)
        case Miss.MET:
            return say("Somebody on the team first wrote to them {elapsed} ago, so they are met.", elapsed=elapsed)
        case Miss.HERE_BEFORE:
            return say(
                "They first wrote on record {elapsed} ago, but were here before the record began: no newcomer, as far "
                "as I can tell.",
                elapsed=elapsed,
            )
        case Miss.JUST_ARRIVED:
            return say(
                "They first wrote {elapsed} ago; newcomers are left alone for {least}.",
                elapsed=elapsed,
                least=duration(rules.newcomer_after),
            )
        case Miss.LONG_HERE:
            return say(
                "They first wrote {elapsed} ago; a newcomer is one for {most}.",
                elapsed=elapsed,
                most=duration(rules.newcomer_until),
            )
        case Miss.FEW_DAYS:
            return say_count(
                "They wrote on one of the last {window} days; from {least} on, somebody should meet them.",
                "They wrote on {count} of the last {window} days; from {least} on, somebody should meet them.",
                count=count,
                window=number(rules.unmet_window_days),
                least=number(rules.unmet_active_days),
            )
        case Miss.FEW_CONVERSATIONS:
            return say_count(
                "You had one conversation with them; it takes {least} for one to be missed.",
                "You had {count} conversations with them; it takes {least} for one to be missed.",
                count=count,
                least=number(rules.cooling_conversations),
            )
        case Miss.TALKED_LATELY:
            return say("You last talked {elapsed} ago, which is no longer than usual.", elapsed=elapsed)
        case Miss.SILENT:
            return say_count(
                "They have not written in the last day.",
                "They have not written in the last {count} days.",
                count=count,
            )


def pause_refused(problem: PauseProblem, until_on: date) -> str:
    """The answer to a date that is no end of a pause."""
    match problem:
        case PauseProblem.PAST:
            return say(
                "{day} {year} does not lie ahead, so there is nothing to pause. Name the first day on which nudges "
                "may come again.",
                day=day_label(until_on),
                year=until_on.year,
            )
        case PauseProblem.FAR:
            return say(
                "{day} {year} is more than a year away. If you want no nudges, use `/nudges off`; `/nudges on` brings "
                "them back any time.",
                day=day_label(until_on),
                year=until_on.year,
            )


def not_weekdays(text: str) -> str:
    """The answer to a text that names no days of the week."""
    return say("I cannot read {text} as days of the week. Write them as: Mon, Wed, Fri.", text=safe_name(text))


def discord_silent() -> str:
    """The answer while Discord does not say who is in the server."""
    return say("Discord does not tell me who is in the server just now, so nothing was sent. Try again in a minute.")


def nudges_stopped() -> str:
    """The answer to the button below the first message."""
    return say("Your nudges are off. Nothing more will come; `/nudges on` in the server brings them back.")


def still_on(schedule: NudgeSchedule) -> str:
    """The answer to `/nudges on` when no first message is needed."""
    return say(
        "Your nudges are on: {weekdays} at {hour} ({zone}).",
        weekdays=weekdays_label(schedule.manager.nudge_weekdays),
        hour=f"{schedule.manager.nudge_hour:02}:00",
        zone=safe_name(schedule.zone.key, 64),
    )


def nudges_on(schedule: NudgeSchedule) -> str:
    """The answer to `/nudges on` once the first message has arrived."""
    return say(
        "Nudges are on: {weekdays} at {hour} ({zone}). I have just sent you a first message.",
        weekdays=weekdays_label(schedule.manager.nudge_weekdays),
        hour=f"{schedule.manager.nudge_hour:02}:00",
        zone=safe_name(schedule.zone.key),
    )


def nudges_closed(guild_name: str) -> str:
    """The answer to `/nudges on` when Discord refused the first message."""
    return say(
        "Discord did not let me send you a direct message, so nothing will come yet. Allow direct messages in the "
        "privacy settings of {guild} (hold or right-click its icon), then use `/nudges on` again.",
        guild=safe_guild(guild_name),
    )


def nudges_refused(schedule: NudgeSchedule, problem: str | None) -> str:
    """The answer to `/nudges on` when Discord refused the first message for a reason that can pass."""
    return "\n".join([still_on(schedule), refused_lately(problem)])


def refused_lately(problem: str | None) -> str:
    """What Discord refused, in its own words."""
    return say(
        "But Discord refused my last message to you: {reason}. I keep trying; `/nudges on` asks Discord at once.",
        reason=safe_reason(problem),
    )


def nudges_unsettled() -> str:
    """The answer to `/nudges on` when it is not known whether the first message arrived."""
    return say("Nudges are on. Discord has not confirmed my first message yet; if it does not arrive, see `/status`.")


def nudges_off(*, were_on: bool) -> str:
    """The answer to `/nudges off`."""
    if were_on:
        return say("Nudges are off. Nothing more will come; `/nudges on` brings them back.")
    return say("Nudges were off already.")


def nothing_to_say() -> str:
    """A preview of an empty nudge."""
    return say(
        "Nobody needs a word from you right now, beyond those you were told of lately. On a day like this, nothing is "
        "sent."
    )


def schedule_changed(schedule: NudgeSchedule) -> str:
    """When nudges come, after a change."""
    lines = [
        say(
            "Your nudges come {weekdays} at {hour} ({zone}).",
            weekdays=weekdays_label(schedule.manager.nudge_weekdays),
            hour=f"{schedule.manager.nudge_hour:02}:00",
            zone=safe_name(schedule.zone.key, 64),
        )
    ]
    if schedule.manager.paused_until_on is not None:
        day = day_label(schedule.manager.paused_until_on)
        lines.append(say("Paused until {day}; `/nudges on` ends the pause.", day=day))
    return "\n".join(lines)


def nudge_sent(state: DeliveryState | NoNudge, problem: str | None = None) -> str:  # noqa: PLR0911 - one a case
    """The answer to `/nudges now`; `problem` is Discord's reason if it refused the nudge."""
    match state:
        case DeliveryState.PENDING:
            return say(
                "Discord refused it: {reason}. I try it again today, later and later.", reason=safe_reason(problem)
            )
        case DeliveryState.SENT:
            return say("Sent. It is in our direct messages.")
        case DeliveryState.NOTHING:
            return say("Nobody needs a word from you right now, so nothing was sent.")
        case DeliveryState.REFUSED:
            return say(
                "Discord did not let me send you a direct message. Allow direct messages from this server, then use "
                "`/nudges on` again."
            )
        case NoNudge.HAD:
            return say("You have had today's nudge already: it is in our direct messages. There is one a day at most.")
        case NoNudge.OFF:
            return say("Your nudges are off, so nothing was sent. `/nudges on` turns them on.")
        case _:
            return say("Discord has not confirmed it yet. I will look for it and not send it twice.")
