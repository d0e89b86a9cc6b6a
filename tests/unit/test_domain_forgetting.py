"""Of which moments nothing about a person may be recorded, and which of two wishes is the newer one."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.derivation import Derived, derive
from bot.domain.forgetting import Forgotten, Objection, Scope, Unrecorded
from bot.domain.message import Message
from bot.domain.rules import Rules
from bot.domain.touch import TouchKind
from tests.support.messages import ANNA, BEN, GUILD, MANAGERS, MIA, NOAH, at, channel, moment, said, thread, whole

KEY = bytes(range(32))
MILLISECOND = timedelta(milliseconds=1)


def back(minutes: float, *people: int, scope: Scope = Scope.PERSON) -> Unrecorded:
    """These people are back since that minute."""
    known = Forgotten(GUILD, KEY)
    marks = {known.mark(person_id, scope): Objection(moment(minutes), lasting=False) for person_id in people}
    return Unrecorded(forgotten=Forgotten(GUILD, KEY, marks))


def derived(unrecorded: Unrecorded, *messages: Message, opener_id: int | None = None) -> Derived:
    place = thread(opener_id) if opener_id else channel()
    found = derive(
        whole(place, *messages), managers=MANAGERS, unrecorded=unrecorded, zone=ZoneInfo("UTC"), rules=Rules()
    )
    assert isinstance(found, Derived)
    return found


def test_an_objection_covers_its_own_millisecond_and_no_later_one() -> None:
    objection = Objection(moment(5), lasting=False)
    assert [objection.covers(moment(5) + n * MILLISECOND) for n in (-1, 0, 1)] == [True, True, False]
    assert Objection(moment(5)).covers(moment(10))
    assert Objection().covers(moment(10))
    assert not Objection(None, lasting=False).covers(moment(0))


def test_of_two_wishes_the_later_return_is_the_newer_and_then_the_one_that_lasts() -> None:
    """The states of one person, in the order in which they can follow each other."""
    states = [None, Objection()]
    for at_ in (moment(0), moment(0), moment(-5), moment(9)):
        last = states[-1]
        assert last is not None
        returned = last.taken_back(at_)
        states += [returned, Objection(returned.until_at)]
    for number, state in enumerate(states):
        assert [state is not None and state.newer_than(other) for other in states] == [
            one < number or other is None is not state for one, other in enumerate(states)
        ]
    assert states[-1] == Objection(moment(9))


@pytest.mark.parametrize(
    ("unrecorded", "as_member", "as_manager", "now", "since"),
    [
        (Unrecorded(), [False] * 3, [False] * 3, False, None),
        (Unrecorded(frozenset({MIA})), [True] * 3, [False] * 3, True, None),
        (back(5, MIA), [True, True, False], [True, True, False], False, moment(5)),
        (back(5, MIA, scope=Scope.MEMBER), [True, True, False], [False] * 3, False, moment(5)),
        (Unrecorded(frozenset({MIA}), back(5, MIA).forgotten), [True] * 3, [True, True, False], True, None),
        (back(5, NOAH), [False] * 3, [False] * 3, False, None),
    ],
)
def test_who_is_unrecorded_when(
    unrecorded: Unrecorded, as_member: list[bool], as_manager: list[bool], now: bool, since: object
) -> None:
    minutes = (0, 5, 6)
    assert [unrecorded.as_member(MIA, moment(minute)) for minute in minutes] == as_member
    assert [unrecorded.as_manager(MIA, moment(minute)) for minute in minutes] == as_manager
    assert (MIA in unrecorded, unrecorded.recorded_since(MIA)) == (now, since)


def test_the_marks_of_one_person_cannot_be_told_to_be_of_one() -> None:
    known = Forgotten(GUILD, KEY)
    assert known.mark(MIA) != known.mark(MIA, Scope.MEMBER)
    assert len(known.mark(MIA)) == len(known.mark(MIA, Scope.MEMBER)) == 64


def test_a_reply_to_what_is_off_the_record_is_a_touch_that_does_not_name_it() -> None:
    talk = (said(0, MIA), said(2, MIA), said(3, ANNA, to=(0, MIA)), said(4, ANNA, to=(2, MIA)))
    assert [touch.replied_to_id for touch in derived(back(1, MIA), *talk).touches] == [None, at(2)]


def test_an_entry_does_not_name_the_message_of_a_manager_that_is_off_the_record() -> None:
    talk = (said(0, ANNA), said(2, ANNA), said(3, MIA, to=(0, ANNA)), said(4, MIA, to=(2, ANNA)))
    found = derived(back(1, ANNA), *talk).waiting
    assert [(entry.addressed, entry.reply_to_id) for entry in found] == [({ANNA}, None), ({ANNA}, at(2))]


def test_of_the_managers_a_message_addresses_only_those_are_kept_who_were_recorded_then() -> None:
    talk = (said(0, MIA, mentions=[ANNA, BEN]), said(0.5, MIA, mentions=[ANNA]), said(2, MIA, mentions=[ANNA]))
    found = derived(back(1, ANNA), *talk).waiting
    assert [(entry.message_id, entry.addressed) for entry in found] == [(at(0), {BEN}), (at(2), {ANNA})]


def test_a_touch_is_judged_by_its_own_time() -> None:
    """The post and the question are from before, the manager's word is not."""
    post = derived(back(1, MIA), said(0, MIA), said(0.5, ANNA), said(2, ANNA), opener_id=MIA)
    assert [(one.message_id, one.kind) for one in post.touches] == [(at(2), TouchKind.THREAD)]
    assert post.waiting == ()
    talk = derived(back(1, MIA), said(0, MIA, mentions=[ANNA]), said(0.5, ANNA), said(0.8, MIA), said(1.5, ANNA))
    assert [(one.message_id, one.kind) for one in talk.touches] == [(at(1.5), TouchKind.ANSWER)]
