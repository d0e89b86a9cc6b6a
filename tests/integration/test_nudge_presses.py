"""Pressing the buttons of a nudge, and asking about one, through the services on SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.clock import DrivenClock
from bot.domain.delivery import DeliveryKind, DeliveryState
from bot.domain.guild import GuildSettings
from bot.domain.nudge import Action
from bot.domain.relationship import Standing
from bot.domain.rules import Rules
from bot.services.delivery.messenger import SentMessage, UnknownOutcomeError
from bot.services.delivery.outbox import new_delivery
from bot.services.nudge.dispatch import NudgeService
from bot.services.nudge.facts import gather, gather_member, unanswered
from bot.services.nudge.presses import ButtonPress, NudgePresses, PressResult
from bot.services.nudge.previews import NudgePreviews
from bot.services.record.recorder import Recorder
from bot.store import deliveries, guilds, managers, nudges
from bot.store.database import Database
from tests.support.messages import ANNA, BEN, CHANNEL, GUILD, MIA, NOAH, OLE, channel, moment, said, whole
from tests.support.no_context import NoContext
from tests.support.outgoing import Drafts, Outgoing, at_once, drafts

pytestmark = pytest.mark.usefixtures("sqlite_without_threads")

DAY = 24 * 60


class Nudged:
    """Anna's nudge of this morning: Mia, who has waited for her, and Noah and Ole, who waited less."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = DrivenClock(moment(20 * 60))
        self.outgoing = Outgoing()
        self.service = NudgeService(database, self.outgoing, Drafts(), self.clock, Rules(), at_once)
        self.presses = NudgePresses(database, self.outgoing, Drafts(), self.clock, Rules())
        self.delivery_id = ""

    async def actions(self) -> dict[int, Action | None]:
        async with self.database.reading() as connection:
            members = await nudges.members_of(connection, self.delivery_id)
        return {member.offer.member_id: member.action for member in members}


@pytest.fixture
async def nudged(database: Database) -> Nudged:
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
        await managers.add(connection, GUILD, [ANNA, BEN])
        for manager in await managers.all_settings(connection, GUILD):
            weekdays = frozenset(range(7)) if manager.manager_id == ANNA else frozenset[int]()
            enrolled = replace(manager, enrolled_at=moment(0), nudge_hour=8, nudge_weekdays=weekdays)
            await managers.save(connection, enrolled)
    messages = [said(minute, member_id, mentions=[ANNA]) for minute, member_id in enumerate((MIA, NOAH, OLE))]
    await Recorder(database, Rules()).record(whole(channel(), *messages), NoContext())
    found = Nudged(database)
    assert await found.service.send_due() == 1
    ((_, draft),) = drafts(found.outgoing)
    assert [offer.member_id for offer in draft.nudge.offers] == [MIA, NOAH, OLE]
    found.delivery_id = draft.delivery_id
    return found


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ({"delivery_id": "0123456789abcdef"}, PressResult.NOT_YOURS),
        ({"presser_id": BEN}, PressResult.NOT_YOURS),
        ({"in_server": True}, PressResult.NOT_YOURS),
        ({"message": SentMessage(1, 99)}, PressResult.NOT_YOURS),
        ({"position": 0}, PressResult.NOT_YOURS),
        ({"position": 4}, PressResult.NOT_YOURS),
        ({"message": SentMessage(1, 1)}, PressResult.CARRIED_OUT),
        ({}, PressResult.CARRIED_OUT),
    ],
)
async def test_a_press_counts_from_its_owner_on_its_own_message_and_on_somebody_in_it(
    nudged: Nudged, change: dict[str, object], result: PressResult
) -> None:
    """The list of colleagues is for the same people as the buttons are."""
    press = replace(ButtonPress(nudged.delivery_id, 1, ANNA), **change)
    assert (await nudged.presses.colleagues(press)).result is result
    assert (await nudged.presses.press(press, Action.DONE)).result is result
    done = Action.DONE if result is PressResult.CARRIED_OUT else None
    assert await nudged.actions() == {MIA: done, NOAH: None, OLE: None}


async def test_a_second_press_on_somebody_changes_nothing(nudged: Nudged) -> None:
    press = ButtonPress(nudged.delivery_id, 2, ANNA)
    await nudged.presses.press(press, Action.SNOOZE)
    again = await nudged.presses.press(press, Action.DONE)
    assert again.result is PressResult.AGAIN
    assert again.draft is not None
    assert await nudged.actions() == {MIA: None, NOAH: Action.SNOOZE, OLE: None}


async def test_somebody_who_is_settled_is_not_handed_over(nudged: Nudged) -> None:
    """Neither does the list of colleagues open, nor does it matter which colleague is chosen from an old one."""
    press = ButtonPress(nudged.delivery_id, 1, ANNA)
    await nudged.presses.press(press, Action.DONE)
    assert (await nudged.presses.colleagues(press)).result is PressResult.AGAIN
    for colleague_id in (BEN, NOAH):
        pressed = await nudged.presses.press(press, Action.HAND_OVER, colleague_id)
        assert pressed.result is PressResult.AGAIN
        assert pressed.draft is not None
    assert (await nudged.actions())[MIA] is Action.DONE


async def test_whoever_is_no_manager_any_more_presses_in_vain(nudged: Nudged) -> None:
    async with nudged.database.writing() as connection:
        await managers.remove(connection, GUILD, [ANNA])
    pressed = await nudged.presses.press(ButtonPress(nudged.delivery_id, 1, ANNA), Action.DONE)
    assert (pressed.result, pressed.draft) == (PressResult.NO_MANAGER, None)
    assert set((await nudged.actions()).values()) == {None}


async def test_a_member_is_handed_over_to_a_colleague_who_gets_nudges_and_to_nobody_else(nudged: Nudged) -> None:
    press = ButtonPress(nudged.delivery_id, 1, ANNA)
    offered = await nudged.presses.colleagues(press)
    assert (offered.member_name, offered.colleagues) == (f"P{MIA}", {BEN: f"P{BEN}"})
    for nobody in (None, ANNA, NOAH):
        refused = await nudged.presses.press(press, Action.HAND_OVER, nobody)
        assert refused.result is PressResult.NO_COLLEAGUE
    assert (await nudged.presses.press(press, Action.HAND_OVER, BEN)).result is PressResult.CARRIED_OUT
    async with nudged.database.reading() as connection:
        handed = await nudges.handed_to(connection, GUILD, BEN, moment(0), nudged.clock.now() + timedelta(minutes=1))
    assert {member_id: one.from_manager_id for member_id, one in handed.items()} == {MIA: ANNA}


async def test_questions_about_a_nudge_are_answered_to_managers_alone(nudged: Nudged) -> None:
    previews = NudgePreviews(nudged.database, nudged.outgoing, nudged.clock, Rules(), at_once)
    for guild_id, person_id in ((GUILD, MIA), (GUILD + 1, ANNA)):
        assert await previews.preview(guild_id, person_id) is None
        assert await previews.why(guild_id, person_id, NOAH) is None
        assert await previews.status(guild_id, person_id) is None
    nudged.clock.set(moment(10 * DAY))
    preview = await previews.preview(GUILD, ANNA)
    assert preview is not None
    assert [offer.member_id for offer in preview.nudge.offers] == [MIA, NOAH, OLE]
    assert len(nudged.outgoing.sent) == 1


async def test_who_is_gone_from_the_server_or_whose_message_is_gone_is_not_offered(database: Database) -> None:
    """It is looked up when the nudge is made, and the nudge decided again without them."""
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
        await managers.add(connection, GUILD, [ANNA])
        (anna,) = await managers.all_settings(connection, GUILD)
        await managers.save(connection, replace(anna, enrolled_at=moment(-2 * DAY), nudge_weekdays=frozenset(range(7))))
    messages = [said(minute, member_id, mentions=[ANNA]) for minute, member_id in enumerate((MIA, NOAH, OLE))]
    await Recorder(database, Rules()).record(whole(channel(), *messages), NoContext())
    outgoing = Outgoing(departed={MIA}, deleted={messages[1].message_id})
    clock = DrivenClock(moment(6 * 60))  # too early for anybody to be offered as a newcomer
    assert await NudgeService(database, outgoing, Drafts(), clock, Rules(), at_once).send_due() == 1
    ((_, draft),) = drafts(outgoing)
    assert [offer.member_id for offer in draft.nudge.offers] == [OLE]


async def test_whom_the_manager_set_aside_meanwhile_is_moot_when_a_lost_nudge_is_sent_again(
    nudged: Nudged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request of a later nudge is lost; before it is repeated, two of its three members are set aside."""

    async def lost(*_: object) -> SentMessage:
        raise UnknownOutcomeError("the connection failed")

    outgoing = nudged.outgoing
    nudged.clock.set(moment(10 * DAY))
    monkeypatch.setattr(Outgoing, "send_to_person", lost)
    assert await nudged.service.send_due() == 0
    monkeypatch.undo()
    now = nudged.clock.now()
    async with nudged.database.writing() as connection:
        await nudges.snooze(connection, GUILD, ANNA, MIA, now + timedelta(days=7))
        await nudges.snooze(connection, GUILD, ANNA, NOAH, None)
        (delivery,) = await deliveries.unsettled(connection)
    nudged.clock.set(now + timedelta(seconds=31))
    assert await nudged.service.resume(delivery)
    (_, draft) = drafts(outgoing)[-1]
    nudged.delivery_id = draft.delivery_id
    assert await nudged.actions() == {MIA: Action.MOOT, NOAH: Action.MOOT, OLE: None}


async def test_nothing_is_known_of_somebody_before_their_first_message(nudged: Nudged) -> None:
    async with nudged.database.reading() as connection:
        settings = await guilds.settings_of(connection, GUILD)
        assert settings is not None
        before = await gather_member(connection, settings, MIA, moment(0), Rules())
        after = await gather_member(connection, settings, MIA, moment(0) + timedelta(milliseconds=1), Rules())
    assert (before.standing, after.standing) == (Standing.UNRECORDED, Standing.MEMBER)


async def test_three_nudges_without_a_press_or_a_touch_are_unanswered(nudged: Nudged) -> None:
    ((_, draft),) = drafts(nudged.outgoing)

    async def sent(days: int) -> str:
        nudged.clock.set(moment((days * 24 + 20) * 60))
        now = nudged.clock.now()
        delivery = new_delivery(DeliveryKind.NUDGE, GUILD, ANNA, now.date(), nudged.clock, DeliveryState.SENT)
        async with nudged.database.writing() as connection:
            assert await deliveries.claim(connection, delivery)
            await nudges.add_members(connection, GUILD, ANNA, delivery.delivery_id, draft.nudge.offers, now, now.date())
        return delivery.delivery_id

    async def quiet() -> bool:
        async with nudged.database.reading() as connection:
            settings = await guilds.settings_of(connection, GUILD)
            assert settings is not None
            return await unanswered(connection, settings, ANNA, nudged.clock.now(), Rules())

    await sent(1)
    assert not await quiet()  # two are not enough to say
    last = await sent(2)
    assert await quiet()
    assert (await nudged.presses.press(ButtonPress(last, 1, ANNA), Action.DONE)).result is PressResult.CARRIED_OUT
    assert not await quiet()


async def test_the_last_message_of_somebody_well_known_is_among_a_nudges_facts(nudged: Nudged) -> None:
    talks = [said(hour * 60, ANNA, to=(0, MIA)) for hour in (2, 4, 6)]
    last = said(7 * 60, MIA)
    await Recorder(nudged.database, Rules()).record(whole(channel(CHANNEL + 1), *talks, last), NoContext())
    async with nudged.database.reading() as connection:
        settings = await guilds.settings_of(connection, GUILD)
        assert settings is not None
        found = await gather(connection, settings, ANNA, nudged.clock.now(), Rules())
    assert found.last_messages == {MIA: (last.message_id, CHANNEL + 1)}


async def test_a_guild_whose_record_cannot_be_settled_holds_up_no_other_guilds_nudges(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    other, outgoing = GUILD + 1, Outgoing()
    clock = DrivenClock(moment(6 * 60))  # too early for anybody to be offered as a newcomer
    async with database.writing() as connection:
        for guild_id, people in ((GUILD, (ANNA, BEN)), (other, (ANNA,))):
            await guilds.save(connection, GuildSettings(guild_id, ZoneInfo("UTC")))
            await managers.add(connection, guild_id, people)
            for manager in await managers.all_settings(connection, guild_id):
                every_day = frozenset(range(7))
                enrolled = replace(manager, enrolled_at=moment(-2 * DAY), nudge_weekdays=every_day)
                await managers.save(connection, enrolled)
    for number, guild_id in enumerate((GUILD, other)):
        waits = [said(2 * number, MIA, mentions=[ANNA]), said(2 * number + 1, NOAH, mentions=[BEN])]
        place = replace(channel(CHANNEL + number), guild_id=guild_id)
        await Recorder(database, Rules()).record(whole(place, *waits), NoContext())
    troubled = {GUILD}

    async def settle(guild_id: int) -> None:
        if guild_id in troubled:
            raise OSError("no network")

    service = NudgeService(database, outgoing, Drafts(), clock, Rules(), settle)
    assert await service.send_due() == 1
    assert [draft.schedule.guild.guild_id for _, draft in drafts(outgoing)] == [other]
    assert caplog.text.count("recording of server") == 1  # for two managers
    troubled.clear()
    clock.set(clock.now() + timedelta(minutes=1))
    assert await service.send_due() == 2
    assert {person_id for person_id, _ in drafts(outgoing)[1:]} == {ANNA, BEN}
