"""What messages become, rule by rule: counted messages, touches and waiting entries (docs/rules.md)."""

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.derivation import Appearance, ContextNeeded, Derived, OpenerNeeded, derive
from bot.domain.forgetting import Unrecorded
from bot.domain.message import Message, MessageKind
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.domain.stretch import Place, Stretch
from bot.domain.touch import PERSONAL_KINDS, Touch, TouchKind, personal_kinds
from tests.support.messages import (
    ANNA,
    BEN,
    CHANNEL,
    MANAGERS,
    MIA,
    NOAH,
    OLE,
    PIA,
    at,
    channel,
    derived,
    moment,
    said,
    thread,
    touched,
    waits,
)

REPLY, MENTION, THREAD, ANSWER = TouchKind.REPLY, TouchKind.MENTION, TouchKind.THREAD, TouchKind.ANSWER


# What is counted (docs/rules.md#counted-messages).


def test_activity_counts_default_replies_and_forwards_of_people_by_local_day() -> None:
    found = derive(
        Stretch(
            channel(),
            CHANNEL,
            at(2000),
            (
                said(0, MIA),
                said(1, MIA, to=(0, MIA)),
                said(2, MIA, kind=MessageKind.FORWARD),
                said(3, MIA, kind=MessageKind.OTHER),  # a join notice, a pin
                said(4, None),  # a bot, a webhook, Discord, the Deleted User
                said(5, ANNA),  # managers are left out when reading, not here
                said(11.9 * 60, NOAH),  # 23:54 UTC is the next day in Berlin
            ),
            (),
            0,
        ),
        managers=MANAGERS,
        unrecorded=Unrecorded(),
        zone=ZoneInfo("Europe/Berlin"),
        rules=Rules(),
    )
    assert isinstance(found, Derived)
    assert found.activity == {
        (MIA, date(2026, 3, 2)): 3,
        (ANNA, date(2026, 3, 2)): 1,
        (NOAH, date(2026, 3, 3)): 1,
    }
    assert found.appearances == {
        MIA: Appearance(at(0), at(2)),
        ANNA: Appearance(at(5), at(5)),
        NOAH: Appearance(at(11.9 * 60), at(11.9 * 60)),
    }


def test_who_opted_out_leaves_no_fact_and_still_counts_as_having_spoken() -> None:
    messages = (
        said(0, NOAH, mentions=[ANNA]),
        said(1, ANNA, to=(0, NOAH)),
        said(2, MIA),  # opted out; and so the one who spoke last
        said(3, ANNA),  # would be an answer to Noah if Mia had not spoken
        said(4, ANNA, to=(2, MIA)),
        said(5, MIA, mentions=[ANNA]),
    )
    found = derived(channel(), *messages, opted_out=frozenset({MIA}))
    assert [(touch.kind, touch.member_id) for touch in found.touches] == [(REPLY, NOAH)]
    assert [entry.member_id for entry in found.waiting] == [NOAH]
    assert {member_id for member_id, _ in found.activity} == found.appearances.keys() == {NOAH, ANNA}


def test_a_manager_who_opted_out_still_touches_and_is_not_counted() -> None:
    found = derived(channel(), said(0, MIA), said(1, ANNA, to=(0, MIA)), opted_out=frozenset({ANNA}))
    assert [touch.manager_id for touch in found.touches] == [ANNA]
    assert found.appearances.keys() == {MIA}


# docs/rules.md#reply.


def test_a_reply_touches_the_author_of_what_it_replies_to() -> None:
    (touch,) = derived(channel(), said(0, MIA), said(90, ANNA, to=(0, MIA))).touches
    assert touch == Touch(
        kind=REPLY,
        manager_id=ANNA,
        member_id=MIA,
        message_id=at(90),
        channel_id=CHANNEL,
        touched_at=moment(90),
        replied_to_id=at(0),
    )


def test_a_reply_with_its_ping_on_counts_once() -> None:
    assert touched(channel(), said(0, MIA), said(1, ANNA, to=(0, MIA), mentions=[MIA])) == [(1, REPLY, ANNA, MIA)]


def test_a_reply_to_a_join_notice_greets_the_newcomer() -> None:
    assert touched(channel(), said(0, MIA, kind=MessageKind.OTHER), said(1, ANNA, to=(0, MIA))) == [
        (1, REPLY, ANNA, MIA)
    ]


@pytest.mark.parametrize("target", [None, ANNA])
def test_a_reply_to_nobody_or_oneself_touches_nobody(target: int | None) -> None:
    """A bot, a message that is gone, or the manager's own; not even as an answer to whoever spoke before."""
    messages = (
        said(0, MIA, mentions=[ANNA]),
        said(1, ANNA, to=(0, MIA)),
        said(2, MIA),
        said(3, ANNA, to=(-5, target)),
    )
    assert touched(channel(), *messages) == [(1, REPLY, ANNA, MIA)]
    assert touched(thread(MIA), *messages) == [(1, REPLY, ANNA, MIA)]


def test_a_touch_of_another_manager_is_recorded_and_left_to_the_reader() -> None:
    """Who is a member is decided when the record is read; Ben may not always have been a manager."""
    assert touched(channel(), said(0, BEN), said(1, ANNA, to=(0, BEN))) == [(1, REPLY, ANNA, BEN)]


def test_members_touch_nobody() -> None:
    assert touched(channel(), said(0, MIA), said(1, NOAH, to=(0, MIA)), said(2, NOAH, mentions=[MIA])) == []


def test_forwards_and_other_messages_of_a_manager_touch_nobody() -> None:
    for kind in (MessageKind.FORWARD, MessageKind.OTHER):
        assert touched(channel(), said(0, MIA), said(1, ANNA, mentions=[MIA], kind=kind)) == []


# docs/rules.md#mention.


@pytest.mark.parametrize(
    ("mentions", "touches"),
    [
        ([MIA], [MIA]),
        ([NOAH, MIA], [MIA, NOAH]),
        ([MIA, NOAH, OLE], []),  # three are a crowd
        ([MIA, BEN], [MIA, BEN]),  # a manager is named, too; the reader leaves the touch out
        ([MIA, NOAH, BEN], []),
        ([MIA, ANNA], [MIA]),  # the author counts as named
        ([MIA, NOAH, ANNA], []),
        ([ANNA], []),
    ],
)
def test_at_most_two_named_people_are_touched(mentions: list[int], touches: list[int]) -> None:
    found = touched(channel(), said(0, ANNA, mentions=mentions))
    assert found == [(0, MENTION, ANNA, member_id) for member_id in sorted(touches)]


def test_bots_are_not_among_the_named() -> None:
    assert touched(channel(), said(0, ANNA, mentions=[MIA, NOAH], bots=True)) == [
        (0, MENTION, ANNA, MIA),
        (0, MENTION, ANNA, NOAH),
    ]


def test_who_calls_a_crowd_touches_nobody_by_name() -> None:
    assert touched(channel(), said(0, ANNA, mentions=[MIA], crowd=True)) == []
    assert touched(channel(), said(0, NOAH), said(1, ANNA, to=(0, NOAH), mentions=[MIA], crowd=True)) == [
        (1, REPLY, ANNA, NOAH)
    ]


def test_the_target_of_a_reply_is_not_among_the_named() -> None:
    """Two others may be named beside the one replied to; a third is too many, and the reply stays a touch."""
    base = said(0, MIA)
    assert touched(channel(), base, said(1, ANNA, to=(0, MIA), mentions=[MIA, NOAH, OLE])) == [
        (1, MENTION, ANNA, NOAH),
        (1, MENTION, ANNA, OLE),
        (1, REPLY, ANNA, MIA),
    ]
    assert touched(channel(), base, said(1, ANNA, to=(0, MIA), mentions=[NOAH, OLE, PIA])) == [(1, REPLY, ANNA, MIA)]


def test_only_the_reply_itself_counts_for_the_reply_time() -> None:
    found = derived(channel(), said(0, MIA), said(1, ANNA, to=(0, MIA), mentions=[NOAH])).touches
    assert {touch.member_id: touch.replied_to_id for touch in found} == {MIA: at(0), NOAH: None}


def test_when_the_target_is_gone_everyone_in_the_mentions_counts_as_named() -> None:
    assert touched(channel(), said(1, ANNA, to=(0, None), mentions=[MIA, NOAH])) == [
        (1, MENTION, ANNA, MIA),
        (1, MENTION, ANNA, NOAH),
    ]
    assert touched(channel(), said(1, ANNA, to=(0, None), mentions=[MIA, NOAH, OLE])) == []


def test_a_reply_to_a_manager_may_still_name_members() -> None:
    assert (1, MENTION, ANNA, MIA) in touched(channel(), said(0, BEN), said(1, ANNA, to=(0, BEN), mentions=[MIA]))


# docs/rules.md#thread.


def test_speaking_in_a_members_thread_after_the_opener_touches_the_opener() -> None:
    assert touched(thread(MIA), said(0, MIA), said(500, ANNA)) == [(500, THREAD, ANNA, MIA)]


def test_one_may_say_several_things_in_a_row() -> None:
    """The last counted message by anyone but this manager is the opener's, however much the manager has said since."""
    assert touched(thread(MIA), said(0, MIA), said(1, ANNA), said(2, ANNA), said(3, ANNA)) == [
        (minute, THREAD, ANNA, MIA) for minute in (1, 2, 3)
    ]


@pytest.mark.parametrize("other", [NOAH, BEN])
def test_after_somebody_else_has_spoken_the_thread_is_no_longer_the_openers(other: int) -> None:
    found = touched(thread(MIA), said(0, MIA), said(60, other), said(120, ANNA))
    assert [minute for minute, *_ in found] == ([60] if other == BEN else [])  # Ben's own touch, not Anna's


def test_what_is_not_counted_does_not_stand_between() -> None:
    messages = (said(0, MIA), said(1, None), said(2, NOAH, kind=MessageKind.OTHER), said(3, ANNA))
    assert touched(thread(MIA), *messages) == [(3, THREAD, ANNA, MIA)]


def test_a_forward_of_another_stands_between() -> None:
    assert touched(thread(MIA), said(0, MIA), said(1, NOAH, kind=MessageKind.FORWARD), said(60, ANNA)) == []


@pytest.mark.parametrize(
    "message",
    [
        said(3, ANNA, to=(-1, None)),
        said(3, ANNA, mentions=[ANNA]),
        said(3, ANNA, bots=True),
        said(3, ANNA, crowd=True),
        said(3, ANNA, kind=MessageKind.FORWARD),
    ],
)
def test_a_message_that_addresses_somebody_else_is_no_thread_touch(message: Message) -> None:
    assert touched(thread(MIA), said(0, MIA), message) == []


@pytest.mark.parametrize("place", [channel(), thread(None), thread(ANNA)])
def test_without_a_member_who_opened_a_thread_there_is_no_thread_touch(place: Place) -> None:
    assert touched(place, said(0, MIA), said(30, ANNA)) == []


def test_a_manager_who_opens_a_thread_in_the_name_of_nobody_touches_nobody_first() -> None:
    assert touched(thread(MIA), said(0, ANNA)) == []


# docs/rules.md#answer.

TALK = (said(0, MIA, mentions=[ANNA]), said(1, ANNA, to=(0, MIA)))
"""They have addressed each other: Mia at minute 0, Anna at minute 1."""


def answers(*messages: Message, place: Place | None = None) -> list[tuple[float, int]]:
    return [(minute, member) for minute, kind, _, member in touched(place or channel(), *messages) if kind is ANSWER]


def test_the_next_message_in_a_talk_is_an_answer() -> None:
    assert answers(*TALK, said(2, MIA), said(3, ANNA)) == [(3, MIA)]


def test_an_answer_comes_within_two_minutes_both_included() -> None:
    assert answers(*TALK, said(2, MIA), said(4, ANNA)) == [(4, MIA)]
    assert answers(*TALK, said(2, MIA), said(4 + 1 / 60_000, ANNA)) == []


def test_they_have_addressed_each_other_within_ten_minutes_both_included() -> None:
    assert answers(*TALK, said(9.5, MIA), said(11, ANNA)) == [(11, MIA)]
    assert answers(*TALK, said(9.5, MIA), said(11 + 1 / 60_000, ANNA)) == []


def test_one_side_is_enough() -> None:
    assert answers(said(0, MIA, mentions=[ANNA]), said(1, ANNA)) == [(1, MIA)]
    assert answers(said(0, MIA), said(1, ANNA, to=(0, MIA)), said(2, MIA), said(3, ANNA)) == [(3, MIA)]


def test_without_a_word_to_each_other_there_is_no_answer() -> None:
    assert answers(said(0, MIA), said(1, ANNA)) == []
    assert answers(said(0, MIA, mentions=[NOAH]), said(1, ANNA)) == []
    assert answers(said(0, NOAH, mentions=[ANNA]), said(0.5, MIA), said(1, ANNA)) == []


def test_however_many_are_named_it_counts_as_addressing() -> None:
    opening = said(0, MIA, mentions=[ANNA, BEN, NOAH, OLE])
    reply = said(1, ANNA, mentions=[MIA, NOAH, OLE, PIA], crowd=True)
    assert answers(opening, reply, said(2, MIA), said(3, ANNA)) == [(3, MIA)]


def test_replies_on_both_sides_count_as_addressing() -> None:
    messages = (said(0, ANNA), said(1, MIA, to=(0, ANNA)), said(2, ANNA, to=(1, MIA)), said(3, MIA), said(4, ANNA))
    assert answers(*messages) == [(4, MIA)]


def test_only_the_previous_message_is_answered() -> None:
    assert answers(*TALK, said(2, MIA), said(2.5, NOAH), said(3, ANNA)) == []
    assert answers(*TALK, said(2, MIA), said(3, ANNA), said(3.5, ANNA)) == [(3, MIA)]


def test_another_manager_in_between_is_the_one_who_is_answered_and_the_reader_leaves_it_out() -> None:
    talk = (said(0, BEN, mentions=[ANNA]), said(1, ANNA, mentions=[BEN]), said(5, BEN), said(6, ANNA))
    assert answers(*talk) == [(6, BEN)]


@pytest.mark.parametrize(
    "message",
    [
        said(3, ANNA, to=(-1, None)),
        said(3, ANNA, mentions=[NOAH]),
        said(3, ANNA, bots=True),
        said(3, ANNA, crowd=True),
        said(3, ANNA, kind=MessageKind.FORWARD),
    ],
)
def test_a_message_that_addresses_somebody_else_is_no_answer(message: Message) -> None:
    assert answers(*TALK, said(2, MIA), message) == []


def test_a_thread_touch_comes_before_an_answer() -> None:
    assert answers(*TALK, said(2, MIA), said(3, ANNA), place=thread(MIA)) == []
    assert answers(*TALK, said(2, MIA), said(3, ANNA), place=thread(NOAH)) == [(3, MIA)]


def test_the_limits_are_settings() -> None:
    rules = replace(
        Rules(), answer_within=timedelta(minutes=5), answer_after_address=timedelta(minutes=30), mention_limit=1
    )
    found = derived(channel(), *TALK, said(20, MIA), said(25, ANNA), said(40, ANNA, mentions=[MIA, NOAH]), rules=rules)
    assert [(touch.kind, touch.touched_at) for touch in found.touches] == [(REPLY, moment(1)), (ANSWER, moment(25))]


def test_answers_are_inferred_and_everything_else_is_personal() -> None:
    assert frozenset(TouchKind) - {ANSWER} == PERSONAL_KINDS
    assert personal_kinds(count_inferred=False) == PERSONAL_KINDS
    assert personal_kinds(count_inferred=True) == frozenset(TouchKind)


# Who waits (docs/rules.md#waiting).


def test_a_reply_to_a_manager_waits_for_them() -> None:
    (entry,) = derived(channel(), said(0, ANNA), said(1, MIA, to=(0, ANNA))).waiting
    assert (entry.member_id, entry.addressed, entry.reply_to_id) == (MIA, {ANNA}, at(0))
    assert entry.channel_id == CHANNEL
    assert entry.written_at == moment(1)
    assert entry.waits_for(ANNA)
    assert not entry.waits_for(BEN)


def test_a_mention_waits_for_every_manager_mentioned() -> None:
    assert waits(channel(), said(0, MIA, mentions=[ANNA, BEN, NOAH, OLE], crowd=True)) == [(0, MIA, {ANNA, BEN})]


def test_a_reply_and_a_mention_are_one_entry() -> None:
    (entry,) = derived(channel(), said(0, ANNA), said(1, MIA, to=(0, ANNA), mentions=[ANNA, BEN])).waiting
    assert entry.addressed == {ANNA, BEN}
    assert entry.reply_to_id == at(0)


def test_a_reply_to_a_member_that_mentions_a_manager_replies_to_no_manager() -> None:
    (entry,) = derived(channel(), said(0, NOAH), said(1, MIA, to=(0, NOAH), mentions=[ANNA])).waiting
    assert entry.addressed == {ANNA}
    assert entry.reply_to_id is None


def test_the_first_message_of_a_members_thread_waits_for_the_team() -> None:
    (entry,) = derived(thread(MIA), said(0, MIA), said(1, MIA)).waiting
    assert (entry.message_id, entry.addressed) == (at(0), frozenset())
    assert entry.waits_for(ANNA)
    assert entry.waits_for(BEN)


def test_the_first_message_of_a_thread_waits_only_if_it_is_the_openers() -> None:
    assert waits(thread(MIA), said(0, NOAH), said(1, MIA)) == []
    assert waits(thread(MIA), said(0, NOAH, kind=MessageKind.OTHER), said(1, None), said(2, MIA)) == [
        (2, MIA, frozenset())
    ]
    assert waits(thread(MIA), said(0, MIA, kind=MessageKind.FORWARD), said(1, MIA)) == []  # the first was a forward
    assert waits(channel(), said(0, MIA)) == []


def test_an_opening_message_that_names_a_manager_waits_for_that_manager() -> None:
    assert waits(thread(MIA), said(0, MIA, mentions=[BEN])) == [(0, MIA, {BEN})]


@pytest.mark.parametrize(
    "message",
    [
        said(1, MIA),
        said(1, MIA, mentions=[NOAH], crowd=True),
        said(1, MIA, to=(0, NOAH)),
        said(1, MIA, to=(0, None)),
        said(1, MIA, mentions=[ANNA], kind=MessageKind.FORWARD),
        said(1, MIA, mentions=[ANNA], kind=MessageKind.OTHER),
        said(1, None, mentions=[ANNA]),
    ],
)
def test_what_asks_no_manager_does_not_wait(message: Message) -> None:
    assert waits(channel(), said(0, NOAH), message) == []


def test_a_manager_who_asks_another_is_kept_for_the_day_they_are_none() -> None:
    """Who is a member is decided when the record is read; nobody waits for themselves, though."""
    found = derived(channel(), said(0, BEN, mentions=[ANNA, BEN])).waiting
    assert [(entry.member_id, entry.addressed) for entry in found] == [(BEN, {ANNA})]


# What a stretch can be judged by.


def judged(stretch: Stretch) -> Derived | ContextNeeded | OpenerNeeded:
    return derive(stretch, managers=MANAGERS, unrecorded=Unrecorded(), zone=ZoneInfo("UTC"), rules=Rules())


def piece(
    place: Place, *messages: Message, context: tuple[Message, ...] = (), known_from: int | None = None
) -> Stretch:
    first_id = messages[0].message_id
    return Stretch(place, first_id, messages[-1].message_id, messages, context, known_from or first_id)


@pytest.mark.parametrize(
    "message",
    [
        said(5, MIA),  # members need no context in a channel
        said(5, MIA, mentions=[ANNA]),
        said(5, ANNA, mentions=[MIA]),  # nor does whoever addresses somebody
        said(5, ANNA, to=(0, MIA)),
        said(5, ANNA, to=(0, None)),
        said(5, ANNA, crowd=True),
        said(5, ANNA, kind=MessageKind.FORWARD),
        said(5, None),
    ],
)
def test_no_context_is_asked_for_that_no_rule_looks_at(message: Message) -> None:
    assert isinstance(judged(piece(channel(), message)), Derived)


def test_a_manager_who_addresses_nobody_needs_to_know_who_spoke_before() -> None:
    assert judged(piece(channel(), said(5, ANNA))) == ContextNeeded(at(5))
    # Nothing within two minutes: no answer, whatever came before.
    assert isinstance(judged(piece(channel(), said(5, ANNA), known_from=at(3))), Derived)
    assert judged(piece(channel(), said(5, ANNA), known_from=at(3) + 1)) == ContextNeeded(at(3) + 1)
    # The previous message is at hand, and too long ago or the manager's own.
    assert isinstance(judged(piece(channel(), said(5, MIA), said(8, ANNA))), Derived)
    assert judged(piece(channel(), said(5, ANNA), known_from=first_id_at(moment(4)))) == ContextNeeded(at(4))


def test_a_possible_answer_needs_to_know_ten_minutes() -> None:
    """Mia spoke a minute ago: whether they have talked is a matter of the ten minutes before."""
    short = piece(channel(), said(19, MIA), said(20, ANNA), known_from=at(10) + 1)
    assert judged(short) == ContextNeeded(at(10) + 1)
    long = piece(channel(), said(19, MIA), said(20, ANNA), known_from=at(10))
    assert judged(long) == derived(channel(), said(19, MIA), said(20, ANNA))
    # As soon as both sides are at hand, no more is needed.
    talk = piece(
        channel(), said(17, MIA, mentions=[ANNA]), said(18, ANNA, mentions=[MIA]), said(19, MIA), said(20, ANNA)
    )
    found = judged(talk)
    assert isinstance(found, Derived)
    assert found.touches[-1].kind is ANSWER
    # And an older message at hand shows that nothing younger is missing.
    assert isinstance(judged(piece(channel(), said(9.5, NOAH), said(19, MIA), said(20, ANNA))), Derived)


def test_in_a_thread_a_manager_needs_the_last_message_of_another() -> None:
    assert judged(piece(thread(MIA), said(500, ANNA))) == ContextNeeded(at(500))
    assert judged(piece(thread(MIA), said(500, ANNA), context=(said(400, ANNA),), known_from=at(300))) == ContextNeeded(
        at(300)
    )
    found = judged(piece(thread(MIA), said(500, ANNA), context=(said(400, MIA),), known_from=at(400)))
    assert isinstance(found, Derived)
    assert [touch.kind for touch in found.touches] == [THREAD]


def test_in_a_thread_the_opener_needs_to_know_whether_it_is_the_first_message() -> None:
    assert judged(piece(thread(MIA), said(5, MIA))) == ContextNeeded(at(5))
    found = judged(piece(thread(MIA), said(5, MIA), context=(said(1, NOAH),), known_from=at(1)))
    assert isinstance(found, Derived)
    assert found.waiting == ()
    # Addressing a manager makes it wait in any case; whether it opens the thread adds nothing.
    assert isinstance(judged(piece(thread(MIA), said(5, MIA, mentions=[ANNA]))), Derived)
    assert isinstance(judged(piece(thread(MIA), said(5, NOAH))), Derived)


def test_when_nothing_earlier_can_be_had_what_is_at_hand_is_all() -> None:
    """`context_first_id` 0, or a stretch that begins with the channel itself."""
    for place, message, touches, entries in (
        (thread(MIA), said(5, MIA), 0, 1),
        (thread(MIA), said(5, ANNA), 0, 0),
        (channel(), said(5, ANNA), 0, 0),
    ):
        for stretch in (
            Stretch(place, at(5), at(5), (message,), (), 0),
            Stretch(place, CHANNEL, at(5), (message,), (), CHANNEL),
        ):
            found = judged(stretch)
            assert isinstance(found, Derived)
            assert (len(found.touches), len(found.waiting)) == (touches, entries)


def test_context_is_judged_by_and_not_recorded() -> None:
    found = judged(piece(channel(), said(2, MIA), said(3, ANNA), context=TALK, known_from=at(-20)))
    assert isinstance(found, Derived)
    assert [(touch.kind, touch.message_id) for touch in found.touches] == [(ANSWER, at(3))]
    assert found.activity == {(MIA, date(2026, 3, 2)): 1, (ANNA, date(2026, 3, 2)): 1}
    assert found.waiting == ()


@pytest.mark.parametrize(
    ("messages", "needed"),
    [
        ((said(0, NOAH), said(1, ANNA)), True),  # is it Noah who opened it?
        ((said(0, MIA),), True),  # does it wait for the team?
        ((said(0, ANNA),), True),
        ((said(0, MIA, mentions=[ANNA]), said(1, ANNA, to=(0, MIA))), False),  # they address each other anyway
        ((said(0, MIA, kind=MessageKind.OTHER),), False),
    ],
)
def test_who_opened_a_thread_is_asked_only_when_a_rule_has_to_know(messages: tuple[Message, ...], needed: bool) -> None:
    unknown = replace(thread(None), opener_known=False)
    stretch = Stretch(unknown, CHANNEL, messages[-1].message_id, messages, (), 0)
    assert isinstance(judged(stretch), OpenerNeeded if needed else Derived)


def test_in_a_channel_nobody_asks_for_an_opener() -> None:
    stretch = Stretch(replace(channel(), opener_known=False), CHANNEL, at(1), (said(0, MIA), said(1, ANNA)), (), 0)
    assert isinstance(judged(stretch), Derived)


def test_deleted_messages_are_activity_and_nothing_is_judged_by_them() -> None:
    """Noah's words stood between Mia's and Anna's, and Mia named Ben: all of it was deleted before it was judged."""
    messages = (said(0, MIA), said(1, NOAH), said(2, MIA, mentions=[BEN]), said(3, ANNA), said(4, ANNA, to=(0, MIA)))
    found = derive(
        Stretch(thread(MIA), CHANNEL, at(4), messages, (said(-5, NOAH),), 0),
        managers=MANAGERS,
        unrecorded=Unrecorded(),
        zone=ZoneInfo("UTC"),
        rules=Rules(),
        gone={at(-5), at(1), at(2), at(4)},
    )
    assert isinstance(found, Derived)
    assert sum(found.activity.values()) == 5
    assert [(touch.kind, touch.message_id) for touch in found.touches] == [(THREAD, at(3))]
    assert [entry.message_id for entry in found.waiting] == [at(0)]
