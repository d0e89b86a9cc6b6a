"""What a digest says first: the verdict, its meaning, and thanks."""

from bot.domain.digest_draft import DigestDraft
from bot.domain.figures import Figures, Verdict
from bot.views.digest.findings import verdict_name
from bot.views.words.sentence import number, say, say_count


def headline(draft: DigestDraft) -> str:
    """The title above the figures: the verdict, unless the guild hides it."""
    if not draft.week.guild.show_verdict:
        return say("This week's attention")
    return verdict_name(draft.figures.verdict)


def judged_on(draft: DigestDraft) -> str:
    """Which weeks the verdict looked at."""
    weeks = draft.figures.verdict_weeks
    if weeks is None:
        return say_count(
            "Not judged: fewer than {needed} conversations in a week.",
            "Not judged: fewer than {needed} conversations in {count} weeks.",
            count=draft.rules.verdict_weeks,
            needed=number(draft.rules.verdict_needs_conversations),
        )
    return say_count(
        "Judged on this week.",
        "Judged on the last {count} weeks, because this week alone held fewer than {needed} conversations.",
        count=weeks,
        needed=number(draft.rules.verdict_needs_conversations),
    )


def explanation(draft: DigestDraft) -> str:
    """What the verdict means, and which weeks it was judged on; empty if the guild hides the verdict."""
    if not draft.week.guild.show_verdict:
        return ""
    return say(
        "{meaning} {judged}",
        meaning=_own_meaning(draft) if draft.personal else _meaning(draft),
        judged=judged_on(draft),
    )


def thanks(draft: DigestDraft) -> str:
    """Thanks for the people who heard from the team or the manager, whatever the verdict."""
    reached = draft.figures.members_reached
    if draft.personal:
        return say_count(
            "One person heard from you personally. Thank you.",
            "{count} people heard from you personally. Thank you.",
            count=reached,
        )
    return say_count(
        "One person heard from the team personally. Thank you.",
        "{count} people heard from the team personally. Thank you.",
        count=reached,
    )


def quiet_title(draft: DigestDraft) -> str:
    """The title above `quiet_week`."""
    return say("Not on record") if draft.week.before_record else say("A quiet week")


def quiet_week(draft: DigestDraft) -> str:
    """One line for a week with few conversations or none."""
    figures = draft.figures
    if draft.week.before_record:
        return say("Nothing of this week is on record. `/backfill` reads older messages.")
    if figures.conversations:
        return say("{thanks} {next}", thanks=thanks(draft), next=_next_after_few(figures))
    if figures.waiting:
        return say_count(
            "No conversations this week, and one message is waiting: answering it is a good first one.",
            "No conversations this week, and {count} messages are waiting: any of them is a good first one.",
            count=figures.waiting,
        )
    if figures.active_members:
        return say_count(
            "No conversations this week. One person wrote something; a hello to them is a good start.",
            "No conversations this week. {count} people wrote something; a hello to one of them is a good start.",
            count=figures.active_members,
        )
    return say("Nobody wrote anything this week, and that is fine too. See you next Monday.")


def _next_after_few(figures: Figures) -> str:
    if figures.waiting:
        return say_count(
            "One message is waiting: answering it is a good next step.",
            "{count} messages are waiting: answering one of them is a good next step.",
            count=figures.waiting,
        )
    return say("A hello to somebody new is a good next step.")


def _meaning(draft: DigestDraft) -> str:
    match draft.figures.verdict:
        case Verdict.SOCIAL:
            return say("The team's attention spread over the community, rather than staying with a few people.")
        case Verdict.BETWEEN:
            return say("Some of the team's attention spread over the community, some stayed with the same people.")
        case Verdict.INFLUENCE:
            return say(
                "Most of the team's attention went to a handful of people. A few words to somebody new begin to "
                "change that."
            )
        case Verdict.QUIET:
            return _quiet()


def _own_meaning(draft: DigestDraft) -> str:
    match draft.figures.verdict:
        case Verdict.SOCIAL:
            return say("Your attention spread over the community, rather than staying with a few people.")
        case Verdict.BETWEEN:
            return say("Some of your attention spread over the community, some stayed with the same people.")
        case Verdict.INFLUENCE:
            return say(
                "Most of your attention went to a handful of people. A few words to somebody new begin to change that."
            )
        case Verdict.QUIET:
            return _quiet()


def _quiet() -> str:
    return say("There were too few conversations to say whether attention spread. That is all it means.")
