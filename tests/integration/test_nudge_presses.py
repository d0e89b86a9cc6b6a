"""Pressing the buttons of a nudge, and asking about one, through the services on SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.clock import DrivenClock
from bot.domain.guild import GuildSettings
from bot.domain.nudge import Action
from bot.domain.rules import Rules
from bot.services.delivery.messenger import SentMessage
from bot.services.nudge.dispatch import NudgeService
from bot.services.nudge.presses import ButtonPress, NudgePresses, PressResult
from bot.services.nudge.previews import NudgePreviews
from bot.services.record.recorder import Recorder
from bot.store import guilds, managers, nudges
from bot.store.database import Database
from tests.support.messages import ANNA, BEN, GUILD, MIA, NOAH, OLE, channel, moment, said, whole
from tests.support.no_context import NoContext
from tests.support.outgoing import Drafts, Outgoing, at_once, drafts

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
