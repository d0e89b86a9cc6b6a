"""Whether somebody writes through a proxy bot, told by deleted messages and webhooks' messages."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.proxy import (
    PROXIED_NEEDED,
    STAYED_NEEDED,
    ProxyHabit,
    Removal,
    WebhookPost,
    explained,
    is_reposting,
    proxied_messages,
)
from bot.domain.snowflake import first_id_at

BEGAN = datetime(2026, 3, 2, 12, tzinfo=UTC)
MIA, NOAH, OLE = 201, 202, 203
HOOK, FEED = 900, 901


def at(seconds: float) -> int:
    return first_id_at(BEGAN + timedelta(seconds=seconds))


def gone(*seconds: float, author: int = MIA) -> list[Removal]:
    return [Removal(at(one), author) for one in seconds]


def posts(*seconds: float, hook: int = HOOK) -> list[WebhookPost]:
    return [WebhookPost(at(one), hook) for one in seconds]


def by_anybody(_webhook_id: int) -> bool:
    return True


@pytest.mark.parametrize(
    ("removed", "posted", "found"),
    [
        ((0,), (1,), {1}),
        ((0,), (10,), {10}),
        ((0,), (10.001,), set()),
        ((1,), (1,), set()),
        ((1,), (0,), set()),
        ((0,), (1, 2), {1}),
        ((0, 1), (2,), {2}),
        ((0, 9), (9.5, 12), {9.5, 12}),
        ((0, 1, 30), (2, 3, 31), {2, 3, 31}),
        ((0, 8), (12,), {12}),
        ((), (1,), set()),
        ((0,), (), set()),
    ],
)
def test_each_post_is_one_deleted_message_that_came_up_to_ten_seconds_before(
    removed: tuple[float, ...], posted: tuple[float, ...], found: set[float]
) -> None:
    assert explained(gone(*removed), posts(*posted)) == {at(one) for one in found}
    assert explained(gone(*reversed(removed)), posts(*reversed(posted))) == {at(one) for one in found}


def test_two_people_who_write_through_a_proxy_at_once_are_both_told() -> None:
    removed = [*gone(0, 2, 4), *gone(1, 3, 5, author=NOAH)]
    assert proxied_messages(removed, posts(1.5, 2.5, 3.5, 4.5, 5.5, 6.5), by_anybody) == {MIA: 3, NOAH: 3}


def test_what_anothers_deleted_message_explains_proves_nothing() -> None:
    """Mia writes through a proxy; Noah takes one of his own back meanwhile."""
    removed = [*gone(0, 20, 40), *gone(21, author=NOAH)]
    assert proxied_messages(removed, posts(1, 22, 41), by_anybody) == {MIA: 2}


def test_one_log_of_many_deleted_messages_proves_nothing_of_two_people() -> None:
    assert proxied_messages([*gone(0, 1, 2), *gone(3, author=NOAH)], posts(4), by_anybody) == {}
    assert proxied_messages(gone(0, 1, 2), posts(4), by_anybody) == {MIA: 1}


def test_what_a_webhook_posts_that_has_other_business_is_not_looked_at() -> None:
    both = [*posts(1, 3, 5, hook=FEED), *posts(6)]
    assert proxied_messages(gone(0, 2, 4), both, lambda webhook_id: webhook_id == HOOK) == {MIA: 1}


@pytest.mark.parametrize(
    ("outcomes", "holds"),
    [("", True), ("--", True), ("+--", False), ("-++", True), ("++--", False), ("+" * 11 + "-" * 10, True)],
)
def test_a_webhook_posts_messages_anew_if_it_mostly_does(outcomes: str, *, holds: bool) -> None:
    assert is_reposting([one == "+" for one in outcomes]) is holds


def test_three_messages_make_it_and_twenty_that_stay_one_after_the_other_end_it() -> None:
    habit = ProxyHabit().after_proxied(PROXIED_NEEDED - 1)
    assert not habit.holds
    habit = habit.after_proxied(1)
    assert habit.holds
    for _ in range(STAYED_NEEDED - 1):
        habit = habit.after_stayed()
    assert habit.holds
    assert habit.after_proxied(1).after_stayed() == ProxyHabit(PROXIED_NEEDED, 1), "they have to stay in a row"
    assert habit.after_stayed() == ProxyHabit()
