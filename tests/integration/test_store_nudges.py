"""What is remembered of nudges, on SQLite and PostgreSQL."""

from dataclasses import fields, replace
from datetime import timedelta

from bot.domain.delivery import Delivery, DeliveryKind, DeliveryState
from bot.domain.nudge import Action, Offer, OfferedMember, Reason
from bot.domain.nudge_decision import HandedOver, Obstacle, PastOffer
from bot.domain.touch import Touch, TouchKind
from bot.store import deliveries, managers, nudges, record
from bot.store.database import Connection, Database
from tests.support.messages import ANNA, BEN, CHANNEL, GUILD, MIA, NOAH, OLE, at, moment

TODAY = moment(0).date()
SNOOZE = timedelta(minutes=30)
WAITS = Offer(MIA, Reason.WAITING, moment(-600), at(-600), CHANNEL, for_team=True)
UNMET = Offer(NOAH, Reason.UNMET, moment(-9000), active_days=5)
COOLED = Offer(OLE, Reason.COOLING, moment(-99_000), conversations=4, from_manager_id=BEN, handed=True)
FULL = Offer(
    MIA, Reason.COOLING, moment(-600), at(-600), CHANNEL, wrote_back=True, for_team=True, active_days=5,
    conversations=4, from_manager_id=BEN, handed=True,
)  # fmt: skip


def delivery(delivery_id: str, manager_id: int, days: int = 0, state: DeliveryState = DeliveryState.SENT) -> Delivery:
    due_on = TODAY + timedelta(days=days)
    claimed_at = moment(0) + timedelta(days=days)
    return Delivery(
        delivery_id, GUILD, DeliveryKind.NUDGE, manager_id, due_on, state, f"spade-{delivery_id}", claimed_at
    )


async def offer(
    connection: Connection, delivery_id: str, manager_id: int, *offers: Offer, days: int = 0,
    state: DeliveryState = DeliveryState.SENT,
) -> None:  # fmt: skip
    at_, on = moment(0) + timedelta(days=days), TODAY + timedelta(days=days)
    assert await deliveries.claim(connection, delivery(delivery_id, manager_id, days, state))
    await nudges.add_members(connection, GUILD, manager_id, delivery_id, offers, at_, on)


async def test_a_nudge_is_read_as_it_was_written_and_settled_once(database: Database) -> None:
    async with database.writing() as connection:
        await offer(connection, "a", ANNA, WAITS, UNMET, COOLED)
        members = await nudges.members_of(connection, "a")
        assert members == tuple(
            OfferedMember("a", position, ANNA, one, moment(0))
            for position, one in enumerate((WAITS, UNMET, COOLED), start=1)
        )
        assert await nudges.settle(connection, members[1], Action.HAND_OVER, moment(5), BEN)
        assert not await nudges.settle(connection, members[1], Action.DONE, moment(6))
        settled = (await nudges.members_of(connection, "a"))[1]
        assert settled == replace(members[1], action=Action.HAND_OVER, colleague_id=BEN, settled_at=moment(5))
        assert await nudges.last_press_at(connection, GUILD, ANNA) == moment(5)
        await nudges.settle(connection, members[2], Action.MOOT, moment(9))
        assert await nudges.last_press_at(connection, GUILD, ANNA) == moment(5)  # nobody pressed that
        assert await nudges.last_press_at(connection, GUILD, BEN) is None
        await nudges.forget_members(connection, "a")
        assert await nudges.members_of(connection, "a") == ()


async def test_every_field_of_an_offer_is_stored(database: Database) -> None:
    default = Offer(FULL.member_id, FULL.reason, FULL.since)
    same = {field.name for field in fields(Offer) if getattr(FULL, field.name) == getattr(default, field.name)}
    assert same == {"member_id", "reason", "since"}  # a new field needs a value in FULL other than its default
    async with database.writing() as connection:
        await offer(connection, "a", ANNA, FULL)
        (member,) = await nudges.members_of(connection, "a")
    assert member.offer == FULL


async def test_a_day_is_claimed_once_and_tried_again_only_when_nothing_went_out(database: Database) -> None:
    async with database.writing() as connection:
        for state in (DeliveryState.NOTHING, DeliveryState.REFUSED, DeliveryState.SENT):
            assert await deliveries.claim(connection, delivery(state.value[:3], ANNA, state=state))
            assert not await deliveries.claim(connection, delivery("b", ANNA))
            await deliveries.forget_unsent(connection, GUILD, DeliveryKind.NUDGE, ANNA, TODAY)
        newest = await deliveries.newest(connection, GUILD, DeliveryKind.NUDGE, ANNA)
        assert newest == delivery("sen", ANNA)


async def test_only_the_unsent_delivery_that_is_named_is_forgotten(database: Database) -> None:
    nothing = delivery("a", ANNA, state=DeliveryState.NOTHING)
    others = [
        replace(nothing, delivery_id="b", guild_id=GUILD + 1),
        replace(nothing, delivery_id="c", kind=DeliveryKind.WELCOME),
        replace(nothing, delivery_id="d", manager_id=BEN),
        replace(nothing, delivery_id="e", due_on=TODAY + timedelta(days=1)),
    ]
    async with database.writing() as connection:
        for one in (nothing, *others):
            assert await deliveries.claim(connection, one)
        await deliveries.forget_unsent(connection, GUILD, DeliveryKind.NUDGE, ANNA, TODAY)
        assert await deliveries.by_id(connection, "a") is None
        assert [await deliveries.by_id(connection, one.delivery_id) for one in others] == others


async def test_the_newest_delivery_is_that_of_one_recipient_and_kind(database: Database) -> None:
    sent = delivery("a", ANNA)
    later = [
        replace(sent, delivery_id="b", guild_id=GUILD + 1, due_on=TODAY + timedelta(days=1)),
        replace(sent, delivery_id="c", kind=DeliveryKind.WELCOME, due_on=TODAY + timedelta(days=1)),
        replace(sent, delivery_id="d", manager_id=BEN, due_on=TODAY + timedelta(days=1)),
    ]
    key = (GUILD, DeliveryKind.NUDGE, ANNA)
    async with database.writing() as connection:
        for one in (sent, *later):
            assert await deliveries.claim(connection, one)
        assert await deliveries.newest(connection, *key) == sent
        assert await deliveries.newest_day(connection, *key, state=DeliveryState.SENT) == TODAY
        refused = delivery("e", ANNA, days=2, state=DeliveryState.REFUSED)
        assert await deliveries.claim(connection, refused)
        assert await deliveries.newest(connection, *key) == refused
        assert await deliveries.newest(connection, *key, TODAY + timedelta(days=1)) == sent
        assert await deliveries.newest_day(connection, *key, state=DeliveryState.SENT) == TODAY


async def test_what_was_offered_to_whom_and_when(database: Database) -> None:
    async with database.writing() as connection:
        await offer(connection, "a", ANNA, WAITS)
        unmet = replace(UNMET, message_id=at(2))  # where they last wrote, which is nothing that waits
        await offer(connection, "b", ANNA, replace(WAITS, message_id=at(3)), unmet, days=3)
        await offer(connection, "c", BEN, UNMET, days=4)

        async def past(since: int, until: int) -> dict[int, tuple[PastOffer, ...]]:
            return await nudges.past_offers(
                connection, GUILD, ANNA, TODAY + timedelta(days=since), moment(0) + timedelta(days=until)
            )

        last_on = TODAY + timedelta(days=3)
        mia = (PastOffer(TODAY, at(-600)), PastOffer(last_on, at(3)))
        assert await past(0, 9) == {MIA: mia, NOAH: (PastOffer(last_on, None),)}
        assert await past(1, 9) == {MIA: mia[1:], NOAH: (PastOffer(last_on, None),)}
        assert await past(0, 3) == await past(0, 9)
        assert await past(0, 2) == {MIA: mia[:1]}
        fourth = TODAY + timedelta(days=4)
        others = nudges.offered_to_others
        assert await others(connection, GUILD, ANNA, fourth, moment(0) + timedelta(days=4)) == {NOAH}
        assert await others(connection, GUILD, ANNA, fourth, moment(0) + timedelta(days=3)) == set()
        assert await others(connection, GUILD, BEN, fourth, moment(0) + timedelta(days=4)) == set()


async def test_handing_over_until_it_was_offered(database: Database) -> None:
    async with database.writing() as connection:
        await managers.add(connection, GUILD, [ANNA, BEN])
        await offer(connection, "a", ANNA, WAITS, UNMET)
        for member in await nudges.members_of(connection, "a"):
            await nudges.hand_over(connection, GUILD, member, BEN, moment(10))

        async def handed(until: float = 20) -> dict[int, HandedOver]:
            return await nudges.handed_to(connection, GUILD, BEN, moment(-10), moment(until))

        assert await handed() == {MIA: HandedOver(ANNA, WAITS), NOAH: HandedOver(ANNA, UNMET)}
        assert await handed(until=9) == {}
        assert await nudges.handed_to(connection, GUILD, ANNA, moment(-10), moment(20)) == {}
        touch = Touch(TouchKind.REPLY, ANNA, MIA, at(12), CHANNEL, moment(12), at(-600))
        await record.add_touches(connection, {GUILD: [touch]})
        assert (await handed())[MIA].touched
        assert not (await handed(until=11))[MIA].touched
        await offer(connection, "b", BEN, replace(WAITS, from_manager_id=ANNA, handed=True), days=1)
        assert await handed(until=20_000) == {NOAH: HandedOver(ANNA, UNMET)}
        await managers.add(connection, GUILD, [NOAH])  # no member any more
        assert await handed(until=20_000) == {}


async def test_whom_a_manager_leaves_behind(database: Database) -> None:
    async with database.writing() as connection:
        await offer(connection, "a", ANNA, WAITS, UNMET)
        mia, noah = await nudges.members_of(connection, "a")

        async def behind(*receivers: int) -> dict[int, frozenset[int]]:
            return await nudges.left_behind(connection, GUILD, receivers, moment(-10), moment(20))

        assert await behind(ANNA, BEN) == {}
        assert await behind(BEN) == {MIA: {ANNA}, NOAH: {ANNA}}
        await nudges.settle(connection, noah, Action.SNOOZE, moment(3))
        assert await behind(BEN) == {MIA: {ANNA}}
        await nudges.settle(connection, mia, Action.HAND_OVER, moment(4), BEN)
        await nudges.hand_over(connection, GUILD, mia, BEN, moment(4))
        assert await behind(BEN) == {}
        assert await behind(ANNA) == {MIA: {ANNA, BEN}}


async def test_snoozes_end_and_dismissals_do_not(database: Database) -> None:
    async with database.writing() as connection:
        await nudges.snooze(connection, GUILD, ANNA, MIA, moment(60))
        await nudges.snooze(connection, GUILD, ANNA, NOAH, None)
        assert await nudges.snoozed(connection, GUILD, ANNA, moment(59), SNOOZE) == {
            MIA: Obstacle.SNOOZED,
            NOAH: Obstacle.DISMISSED,
        }
        assert await nudges.snoozed(connection, GUILD, ANNA, moment(60), SNOOZE) == {NOAH: Obstacle.DISMISSED}
        assert await nudges.snoozed(connection, GUILD, BEN, moment(0), SNOOZE) == {}
        assert await nudges.snoozed_by(connection, GUILD, MIA, moment(30), SNOOZE) == {ANNA}


async def test_a_snooze_that_ends_too_late_was_begun_by_a_wrong_clock(database: Database) -> None:
    async with database.writing() as connection:
        await nudges.snooze(connection, GUILD, ANNA, MIA, moment(60))
        assert await nudges.snoozed(connection, GUILD, ANNA, moment(29), SNOOZE) == {}
        assert await nudges.snoozed_by(connection, GUILD, MIA, moment(29), SNOOZE) == frozenset()


async def test_only_what_was_sent_has_an_effect(database: Database) -> None:
    async with database.writing() as connection:
        await offer(connection, "a", ANNA, WAITS)
        await offer(connection, "b", ANNA, UNMET, days=1, state=DeliveryState.REFUSED)
        await offer(connection, "c", BEN, UNMET, days=1)
        since, until = moment(0), moment(0) + timedelta(days=2)
        sent = await nudges.sent_members(connection, GUILD, None, since, until)
        assert [(member.delivery_id, member.offer) for member in sent] == [("a", WAITS), ("c", UNMET)]
        assert [one.delivery_id for one in await nudges.sent_members(connection, GUILD, BEN, since, until)] == ["c"]
        assert await nudges.sent_members(connection, GUILD, ANNA, moment(1), until) == ()
        (newest,) = await nudges.recent(connection, GUILD, ANNA, 3)
        assert [member.delivery_id for member in newest] == ["a"]
