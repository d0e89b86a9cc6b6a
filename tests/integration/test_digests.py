"""The weekly digests on a real database: exactly once, whatever breaks, and later looks show what was posted."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, update

from bot.cli.main import exit_status
from bot.clock import DrivenClock
from bot.domain.delivery import UNSETTLEABLE, Delivery, DeliveryKind, DeliveryState
from bot.domain.effect import Effect
from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.nudge import Offer, Reason
from bot.domain.nudge_time import NudgeSchedule
from bot.domain.rules import Rules
from bot.domain.snowflake import first_id_at
from bot.domain.span import Span
from bot.services.delivery.messenger import (
    DiscordUnreachableError,
    Present,
    RefusedError,
    SentMessage,
    UnknownOutcomeError,
)
from bot.services.delivery.outbox import new_delivery
from bot.services.delivery.settlement import Settlement
from bot.services.digest.dispatch import DigestService
from bot.services.digest.report import Reporter
from bot.services.guild.presentation import Presentation
from bot.services.guild_reader import GuildReader
from bot.services.record.recorder import Recorder
from bot.store import deliveries, digests, guilds, managers, nudges, spans, tables
from bot.store.database import Database
from bot.views.digest.writer import DigestWriter
from bot.views.kit.parcel import Parcel
from tests.support.messages import ANNA, BEN, CHANNEL, GUILD, MIA, NOAH, OLE, PIA, START, at, channel, said, whole

pytestmark = pytest.mark.usefixtures("sqlite_without_threads")

WEEK = date(2026, 3, 2)
DUE = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
TEAM = 555
QUIN = 999
NAMES = {MIA: "Mia", NOAH: "Noah", OLE: "Ole", PIA: "Pia", QUIN: "Quin"}
OTHER = channel(CHANNEL + 5)
DAY = 24 * 60


class Discord:
    """Takes what it is given, or breaks as it is told."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.sent: list[tuple[int, object]] = []
        self.found: SentMessage | None = None
        self.breaks: Exception | None = None
        self.joined_at: datetime | None = None
        self.silent = False
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def _let_others_act(self) -> None:
        """Once, while somebody waits for an answer."""
        act, self.meanwhile = self.meanwhile, None
        if act is not None:
            await act()

    async def _take(self, target: int, body: object) -> SentMessage:
        if self.breaks is not None:
            raise self.breaks
        self.sent.append((target, body))
        return SentMessage(target, first_id_at(self.now()) + len(self.sent))

    async def send_to_person(self, person_id, body, nonce):
        return await self._take(person_id, body)

    async def send_to_channel(self, channel_id, body, nonce):
        return await self._take(channel_id, body)

    async def find(self, delivery, channel_id):
        await self._let_others_act()
        return self.found

    async def names(self, guild_id, people):
        return {person: NAMES[person] for person in people if person in NAMES}

    async def present(self, guild_id, people):
        if self.silent:
            raise DiscordUnreachableError("Discord does not answer")
        return {person: Present(NAMES[person], self.joined_at, frozenset()) for person in people if person in NAMES}

    async def guild_name(self, guild_id):
        await self._let_others_act()
        return "Mesh"


class NoPainter:
    async def paint(self, draft):
        return None


class NoContext:
    async def earlier(self, stretch):
        return replace(stretch, context_first_id=0)

    async def opened(self, stretch):
        return stretch


class World:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = DrivenClock(DUE)
        self.discord = Discord(self.clock.now)
        self.out_of_step: set[int] = set()
        self.in_trouble: set[int] = set()
        self.service = self.build()

    def in_step(self, guild_id: int) -> bool:
        return guild_id not in self.out_of_step

    def build(self) -> DigestService[Parcel]:
        async def settled(guild_id: int) -> None:
            if guild_id in self.in_trouble:
                raise OSError("no network")

        reader = GuildReader(self.database, self.clock, settled)
        return DigestService(
            self.database, self.discord, DigestWriter(), NoPainter(), self.clock, Rules(), reader, self.in_step
        )

    async def record(self, *messages, place=None) -> None:
        stretch = whole(place or channel(), *messages)
        await Recorder(self.database, Rules()).record(stretch, NoContext())

    async def settle(self, service: DigestService[Parcel] | None = None) -> int:
        settlement = Settlement(self.database, self.clock)
        for kind in (DeliveryKind.DIGEST, DeliveryKind.PERSONAL_DIGEST):
            settlement.add(kind, (service or self.service).resume)
        return await settlement.settle_due()

    def text(self, number: int = -1) -> str:
        return text_of(self.discord.sent[number][1])


def text_of(body) -> str:
    return json.dumps([embed.to_dict() for embed in body.letter.embeds()], ensure_ascii=False)


@pytest.fixture
async def world(database: Database) -> World:
    world = World(database)
    async with database.writing() as connection:
        settings = GuildSettings(GUILD, ZoneInfo("UTC"), digest_channel_id=TEAM, digest_from_at=START)
        await guilds.save(connection, settings)
        await managers.add(connection, GUILD, [ANNA, BEN])
        await managers.save(connection, ManagerSettings(GUILD, ANNA, enrolled_at=START, nudge_hour=11))
    await world.record(
        said(0, MIA),
        said(10, ANNA, to=(0, MIA)),
        *(said(hours * 60, ANNA, to=(0, MIA)) for hours in (2, 4, 6)),
        said(2 * DAY, NOAH),
        said(2 * DAY + 5, BEN, to=(2 * DAY, NOAH)),
        said(3 * DAY, OLE, mentions=[ANNA]),
        said(4 * DAY, PIA, mentions=[ANNA, BEN]),
    )
    return world


async def test_a_guild_whose_record_is_not_in_step_waits_for_its_digests(world: World) -> None:
    """An outage of one guild holds up no other, and figures that lack its messages are not posted."""
    world.out_of_step.add(GUILD)
    assert await world.service.post_due() == 0
    world.out_of_step.clear()
    assert await world.service.post_due() == 1


async def test_a_guild_in_trouble_holds_up_no_other_and_gets_its_digest_once_that_is_over(world: World) -> None:
    other = GUILD + 1
    async with world.database.writing() as connection:
        settings = await guilds.settings_of(connection, GUILD)
        assert settings is not None
        await guilds.save(connection, replace(settings, guild_id=other, digest_channel_id=TEAM + 1))
    world.in_trouble.add(GUILD)
    assert await world.service.post_due() == 1
    assert [target for target, _ in world.discord.sent] == [TEAM + 1]
    world.in_trouble.clear()
    assert await world.service.post_due() == 0  # it is tried again after a minute
    world.clock.set(DUE + timedelta(minutes=1))
    assert await world.service.post_due() == 1
    assert [target for target, _ in world.discord.sent] == [TEAM + 1, TEAM]


async def test_the_team_post_and_the_personal_one_go_out_once_each(world: World) -> None:
    assert await world.service.post_due() == 1
    assert await world.service.post_due() == 0
    world.clock.set(DUE + timedelta(hours=2))
    assert await world.service.post_due() == 1
    for hours in (3, 24, 100):
        world.clock.set(DUE + timedelta(hours=hours))
        assert await world.service.post_due() == 0
        assert await world.build().post_due() == 0
    assert [target for target, _ in world.discord.sent] == [TEAM, ANNA]
    team, own = world.text(0), world.text(1)
    assert "Who waits longest" not in team
    assert "Ole" not in team
    assert "Mia" not in team
    assert "2 people heard from the team personally" in team
    assert "1 of 2" in team
    assert "One person heard from you personally" in own
    assert "**Ole** has waited 3 days for you" in own
    assert "**Pia** has waited 2 days for you" in own
    assert f"/channels/{GUILD}/{CHANNEL}/{at(3 * DAY)}" in own
    assert "Met for the first time" in own
    assert "Mia" in own
    assert "Noah" not in own
    assert "Next week" in own


@pytest.mark.parametrize(
    "change",
    [
        {"enrolled_at": None},
        {"refused_at": DUE},
        {"paused_until_on": date(2026, 3, 20)},
        {"enrolled_at": DUE - timedelta(hours=1)},
    ],
)
async def test_only_enrolled_managers_get_their_own(world: World, change) -> None:
    async with world.database.writing() as connection:
        manager = await managers.settings_of(connection, GUILD, ANNA)
        assert manager is not None
        await managers.save(connection, replace(manager, **change))
    world.clock.set(DUE + timedelta(hours=5))
    await world.service.post_due()
    assert [target for target, _ in world.discord.sent] == [TEAM]


async def test_late_says_so_and_older_weeks_are_not_sent(world: World) -> None:
    world.clock.set(DUE + timedelta(days=9))
    assert await world.service.post_due() == 2
    assert [target for target, _ in world.discord.sent] == [TEAM, ANNA]
    assert all("9–15 March 2026" in world.text(number) for number in (0, 1))  # noqa: RUF001
    assert "comes late" in world.text(0)
    assert "comes late" in world.text(1)


async def test_a_lost_outcome_is_looked_for_and_nothing_is_sent_twice(world: World) -> None:
    world.clock.set(DUE + timedelta(hours=2))
    world.discord.breaks = UnknownOutcomeError("hung")
    assert await world.service.post_due() == 0
    world.discord.breaks = None
    assert await world.settle() == 0  # too early to say
    world.clock.set(DUE + timedelta(hours=3))
    world.discord.found = SentMessage(1, 2)
    assert await world.settle() == 2
    assert world.discord.sent == []
    assert await world.service.post_due() == 0


async def test_what_never_arrived_is_sent_again_with_the_same_figures(world: World) -> None:
    world.clock.set(DUE + timedelta(hours=2))
    world.discord.breaks = UnknownOutcomeError("hung")
    await world.service.post_due()
    world.discord.breaks = None
    await world.record(said(-60, PIA), said(-30, BEN, to=(-60, PIA)), place=channel(CHANNEL + 1))
    world.clock.set(DUE + timedelta(hours=3))
    assert await world.settle() == 2
    assert [target for target, _ in world.discord.sent] == [TEAM, ANNA]
    assert "2 people heard from the team personally" in world.text(0)


@pytest.mark.parametrize("hours", [0, 2])
async def test_a_digest_that_another_process_claims_first_is_left_to_it(world: World, hours: int) -> None:
    """The team's alone, and with a manager's own: whatever is made up meanwhile by two of them goes out once."""
    if hours:
        await world.service.post_due()
    world.clock.set(DUE + timedelta(hours=hours))
    world.discord.meanwhile = world.build().post_due
    assert await world.service.post_due() == 0
    assert [target for target, _ in world.discord.sent] == [TEAM, ANNA][: 1 + bool(hours)]


async def test_what_never_arrived_and_another_process_sends_again_first_is_left_to_it(world: World) -> None:
    world.discord.breaks = UnknownOutcomeError("hung")
    await world.service.post_due()
    world.discord.breaks = None
    world.clock.set(DUE + timedelta(hours=1))
    other = world.build()
    world.discord.meanwhile = lambda: world.settle(other)
    await world.settle()
    assert [target for target, _ in world.discord.sent] == [TEAM]


async def test_what_a_killed_process_had_just_claimed_is_looked_for_before_it_is_sent_again(world: World) -> None:
    """It may have arrived, and may still be on its way for half a minute."""
    world.discord.breaks = asyncio.CancelledError("killed")
    with pytest.raises(asyncio.CancelledError):
        await world.service.post_due()
    world.discord.breaks = None
    world.service = world.build()
    world.clock.set(DUE + timedelta(seconds=29))
    assert await world.settle() == 0
    world.discord.found = SentMessage(TEAM, 1)
    world.clock.set(DUE + timedelta(seconds=30))
    assert await world.settle() == 1
    assert world.discord.sent == []


async def test_a_managers_own_digest_has_their_own_figures(world: World) -> None:
    nudged_at = START + timedelta(days=1)
    nudge = replace(
        new_delivery(DeliveryKind.NUDGE, GUILD, ANNA, nudged_at.date(), world.clock, DeliveryState.SENT),
        claimed_at=nudged_at,
    )
    async with world.database.writing() as connection:
        settings = await guilds.settings_of(connection, GUILD)
        team = await managers.all_settings(connection, GUILD)
        await deliveries.claim(connection, nudge)
        offer = Offer(OLE, Reason.UNMET, nudged_at)
        on = nudged_at.date()
        await nudges.add_members(connection, GUILD, ANNA, nudge.delivery_id, [offer], nudged_at, on)
    assert settings is not None
    own = [
        await Reporter(world.database, Rules()).personal(
            NudgeSchedule(settings, manager), WEEK, "Mesh", world.clock.now()
        )
        for manager in team
    ]
    assert [(one.digest.manager_id, one.digest.figures.conversations) for one in own] == [(ANNA, 4), (BEN, 1)]
    assert [list(one.digest.first_contacts) for one in own] == [[MIA], [NOAH]]
    assert [one.digest.effect for one in own] == [Effect(offered=1, worked=0, pending=0), None]


async def test_a_week_before_one_that_was_dealt_with_is_not_posted(world: World) -> None:
    """A clock that is set back brings no old week."""
    world.clock.set(DUE + timedelta(days=7, hours=2))
    assert await world.service.post_due() == 2
    world.clock.set(DUE + timedelta(hours=2), back=True)
    assert await world.build().post_due() == 0
    assert len(world.discord.sent) == 2


async def test_closed_direct_messages_are_noted_and_not_tried_again(world: World) -> None:
    world.clock.set(DUE)
    await world.service.post_due()
    world.discord.breaks = RefusedError("closed", closed=True)
    world.clock.set(DUE + timedelta(hours=2))
    await world.service.post_due()
    world.discord.breaks = None
    world.clock.set(DUE + timedelta(hours=4))
    assert await world.service.post_due() == 0
    async with world.database.reading() as connection:
        newest = await deliveries.newest(connection, GUILD, DeliveryKind.PERSONAL_DIGEST, ANNA)
        manager = await managers.settings_of(connection, GUILD, ANNA)
    assert newest is not None
    assert newest.state is DeliveryState.REFUSED
    assert manager is not None
    assert manager.refused_at is not None


async def row(world: World, kind: DeliveryKind = DeliveryKind.DIGEST, to: int | None = None) -> Delivery:
    async with world.database.reading() as connection:
        newest = await deliveries.newest(connection, GUILD, kind, to, WEEK)
    assert newest is not None
    return newest


async def choose(world: World, channel_id: int | None) -> None:
    async with world.database.writing() as connection:
        settings = await guilds.settings_of(connection, GUILD)
        assert settings is not None
        await guilds.save(connection, replace(settings, digest_channel_id=channel_id))


async def test_a_refusal_that_can_pass_leaves_the_digests_due_and_they_are_sent_once(world: World) -> None:
    world.clock.set(DUE + timedelta(hours=2))
    world.discord.breaks = RefusedError("Missing Permissions")
    assert await world.service.post_due() == 0
    for kind, to in ((DeliveryKind.DIGEST, None), (DeliveryKind.PERSONAL_DIGEST, ANNA)):
        refused = await row(world, kind, to)
        assert (refused.state, refused.problem) == (DeliveryState.PENDING, "Missing Permissions")
        assert refused.refused
    nonce = (await row(world)).nonce
    world.discord.breaks = None
    world.clock.set(DUE + timedelta(hours=2, seconds=59))
    assert (await world.settle(), await world.service.post_due()) == (0, 0)  # not before a minute is over
    world.clock.set(DUE + timedelta(days=3))
    assert (await world.settle(), await world.service.post_due()) == (0, 2)
    assert [target for target, _ in world.discord.sent] == [TEAM, ANNA]
    assert "comes late" in world.text(0)
    assert "comes late" in world.text(1)
    sent = await row(world)
    assert (sent.state, sent.problem, sent.nonce) == (DeliveryState.SENT, None, nonce)
    for service in (world.service, world.build()):
        world.clock.set(world.clock.now() + timedelta(hours=3))
        assert (await world.settle(), await service.post_due()) == (0, 0)


async def test_a_digest_refused_while_its_figures_changed_says_nothing_of_a_correction(world: World) -> None:
    world.discord.breaks = RefusedError("Missing Permissions")
    await world.service.post_due()
    world.discord.breaks = None
    await world.record(said(DAY, PIA), said(DAY + 9, BEN, to=(DAY, PIA)), place=channel(CHANNEL + 1))
    assert "Corrected" in text_of(await world.service.on_request(GUILD, WEEK))
    world.clock.set(DUE + timedelta(hours=1))
    assert await world.service.post_due() == 1
    assert "2 people heard from the team personally" in world.text(0)
    assert "Corrected" not in world.text(0)


@pytest.mark.parametrize("final", [False, True])
async def test_after_a_refusal_the_next_try_goes_to_the_channel_that_is_chosen_then(world: World, final: bool) -> None:
    """A deleted channel is not tried again; another one is tried at once."""
    world.discord.breaks = RefusedError("no", final=final)
    await world.service.post_due()
    assert (await row(world)).state is (DeliveryState.REFUSED if final else DeliveryState.PENDING)
    world.discord.breaks = None
    if final:
        world.clock.set(DUE + timedelta(hours=1))
        assert (await world.settle(), await world.service.post_due()) == (0, 0)
    await choose(world, TEAM + 1)
    assert await world.service.post_due() == 1
    assert [target for target, _ in world.discord.sent] == [TEAM + 1]
    assert (await row(world)).channel_id == TEAM + 1
    await choose(world, TEAM)
    assert await world.build().post_due() == 0


async def test_a_digest_whose_outcome_cannot_be_found_out_is_not_posted_in_another_channel(world: World) -> None:
    world.discord.breaks = UnknownOutcomeError("hung")
    await world.service.post_due()
    async with world.database.writing() as connection:
        await deliveries.move(connection, await row(world), DeliveryState.REFUSED, problem=UNSETTLEABLE)
    world.discord.breaks = None
    await choose(world, TEAM + 1)
    assert await world.service.post_due() == 0


async def test_a_digest_that_was_refused_until_the_next_one_is_due_is_settled_with_the_reason(world: World) -> None:
    world.discord.breaks = RefusedError("Missing Permissions")
    await world.service.post_due()
    world.clock.set(DUE + timedelta(days=6, hours=23))
    assert await world.settle() == 0
    await world.service.post_due()
    world.clock.set(DUE + timedelta(days=7))
    world.discord.breaks = None
    assert await world.settle() == 1
    assert ((await row(world)).state, (await row(world)).problem) == (DeliveryState.REFUSED, "Missing Permissions")
    assert await world.service.post_due() == 2
    assert "9–15 March 2026" in world.text(0)  # noqa: RUF001
    assert "2–8 March 2026" in world.text(1)  # noqa: RUF001 - the manager's own of the new week is not due yet
    assert await world.settle() == 0


async def test_a_refused_digest_that_is_turned_off_is_settled(world: World) -> None:
    world.discord.breaks = RefusedError("Missing Permissions")
    await world.service.post_due()
    await choose(world, None)
    assert await world.settle() == 1
    assert (await row(world)).state is DeliveryState.REFUSED


async def test_a_later_look_shows_what_was_posted_and_what_is_different_now(world: World) -> None:
    async with world.database.writing() as connection:
        gap = Span(at(DAY), at(DAY + 30))
        await spans.add_known_gap(connection, GUILD, CHANNEL + 1, gap, "no permission")
    await world.service.post_due()
    assert "Part of this week's record is missing" in world.text()
    await world.record(said(DAY, PIA), said(DAY + 9, BEN, to=(DAY, PIA)), place=channel(CHANNEL + 1))
    async with world.database.writing() as connection:
        await spans.forget_known_gaps(connection, CHANNEL + 1, gap)
    again = text_of(await world.service.on_request(GUILD, WEEK))
    assert "Corrected:" in again
    assert "**2**, now 3" in again
    assert "2 people heard from the team personally" in again
    assert "Met for the first time" in again
    assert "It is complete now." in again
    assert "record is missing, so" not in again
    mine = text_of(await world.service.personal_on_request(GUILD, BEN, WEEK))
    assert "Your week" in mine
    assert "Corrected:" in mine
    assert "**1**, now 2" in mine
    hers = text_of(await world.service.personal_on_request(GUILD, ANNA, WEEK))
    assert "Corrected:" not in hers  # hers are the same
    assert "It is complete now." in hers
    assert await world.service.personal_on_request(GUILD, MIA, WEEK) is None


async def test_the_command_line_shows_what_was_posted_and_what_is_different_now(
    world: World, address: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def run(*options: str) -> str:
        arguments = ["digest", "--guild", str(GUILD), "--week", str(WEEK), "--database", address]
        assert exit_status([*arguments, *options]) == 0
        return capsys.readouterr().out

    never_posted = json.loads(await asyncio.to_thread(run, "--json"))
    assert "posted" not in never_posted
    await world.service.post_due()
    assert json.loads(await asyncio.to_thread(run, "--json"))["posted"]["team"] == never_posted["team"]
    await world.record(said(DAY, PIA), said(DAY + 9, BEN, to=(DAY, PIA)), place=channel(CHANNEL + 1))
    now = json.loads(await asyncio.to_thread(run, "--json"))
    assert now["posted"] == {key: never_posted[key] for key in ("complete", "team", "managers")}
    assert (now["posted"]["team"]["conversations"], now["team"]["conversations"]) == (5, 6)
    terminal = await asyncio.to_thread(run)
    assert "Corrected:" in terminal
    page, picture = tmp_path / "digest.html", tmp_path / "digest.png"
    await asyncio.to_thread(run, "--html", str(page))
    for _ in range(2):  # over its own, too
        await asyncio.to_thread(run, "--png", str(picture))
    assert "Corrected:" in page.read_text()
    assert '<td class="figure">5</td><td class="beside">6</td>' in page.read_text()
    assert "corrected since" not in page.read_text()  # those words stand in the picture
    assert picture.stat().st_size > 10_000


async def test_what_is_no_longer_on_record_corrects_nothing(world: World) -> None:
    """What is kept for some months only leaves the figures that were posted, also for scripts."""
    reporter, now = Reporter(world.database, Rules()), world.clock.now()
    async with world.database.reading() as connection:
        settings = await guilds.settings_of(connection, GUILD)
    assert settings is not None
    before = await reporter.draft(settings, WEEK, "Mesh", now)
    assert before.load is not None
    await world.service.post_due()
    async with world.database.writing() as connection:
        await connection.execute(delete(tables.activity))
        await connection.execute(delete(tables.touch))
    draft = await reporter.draft(settings, WEEK, "Mesh", now)
    assert (draft.load, draft.conversations) == (before.load, before.conversations)
    week = [[one for one in found.history if one.week_on == WEEK] for found in (draft, before)]
    assert week[0] == week[1]
    assert [one.figures for one in week[0]] == [before.figures]
    assert draft.corrected is None
    assert (
        draft.week.document()["team"]["conversations"] == draft.week.document()["posted"]["team"]["conversations"] == 5
    )


async def test_an_excluded_channels_gap_is_none(world: World) -> None:
    async with world.database.writing() as connection:
        await spans.add_known_gap(connection, GUILD, CHANNEL + 1, Span(at(DAY), at(DAY + 30)), "no permission")
        await guilds.set_excluded_channels(connection, GUILD, [CHANNEL + 1])
    await world.service.post_due()
    assert "record is missing" not in world.text()


async def test_a_guild_may_hide_the_verdict_and_choose_its_language(world: World) -> None:
    presentation = Presentation(world.database)
    await presentation.load()
    assert presentation.language_of(GUILD) == "en"
    assert await presentation.change(GUILD, language="de", show_verdict=False)
    assert presentation.language_of(GUILD) == "de"
    assert await presentation.change(GUILD + 1, language="de") is None
    with pytest.raises(ValueError, match="does not speak"):
        await presentation.change(GUILD, language="xx")
    await world.service.post_due()
    assert "quiet to call" not in world.text()
    assert "März 2026" in world.text()


@pytest.mark.parametrize(
    ("joined_at", "silent", "named"),
    [
        (START - timedelta(days=400), False, {"Ole"}),
        (START, False, {"Ole", "Quin"}),
        (None, True, {"a member"}),  # Discord cannot say who is there, or since when
    ],
)
async def test_nobody_who_was_there_before_a_young_record_is_suggested_as_new(
    world: World, joined_at: datetime | None, silent: bool, named: set[str]
) -> None:
    await world.record(said(5 * DAY, QUIN), place=OTHER)
    async with world.database.writing() as connection:
        await guilds.watch(connection, GUILD, START)
    world.discord.joined_at, world.discord.silent = joined_at, silent
    own = text_of(await world.service.personal_on_request(GUILD, ANNA, WEEK))
    assert {name for name in ("Ole", "Quin", "a member") if f"**{name}**" in own} == named


async def test_nothing_to_say_is_not_sent_to_a_manager(database: Database) -> None:
    world = World(database)
    async with database.writing() as connection:
        await guilds.save(connection, GuildSettings(GUILD, ZoneInfo("UTC")))
        await managers.add(connection, GUILD, [ANNA])
        await managers.save(connection, ManagerSettings(GUILD, ANNA, enrolled_at=START))
    assert await world.service.post_due() == 0
    assert world.discord.sent == []
    async with database.reading() as connection:
        newest = await deliveries.newest(connection, GUILD, DeliveryKind.PERSONAL_DIGEST, ANNA)
    assert newest is not None
    assert newest.state is DeliveryState.NOTHING


async def test_a_digest_keeps_the_channel_it_was_claimed_for(world: World) -> None:
    """Where its outcome is open, it is looked for and sent there, whatever channel is set meanwhile, or none."""
    world.discord.breaks = UnknownOutcomeError("hung")
    await world.service.post_due()
    world.discord.breaks = None
    async with world.database.writing() as connection:
        settings = await guilds.settings_of(connection, GUILD)
        assert settings is not None
        await guilds.save(connection, replace(settings, digest_channel_id=TEAM + 1))
    world.clock.set(DUE + timedelta(minutes=1))
    assert await world.settle() == 1
    assert [target for target, _ in world.discord.sent] == [TEAM]
    assert await world.service.post_due() == 0


@pytest.mark.parametrize("final", [False, True])
async def test_a_digest_whose_channel_must_not_be_looked_at_stays_open_unless_the_channel_is_gone(
    world: World, final: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is refused is the look: the digest may be there, so another one must not be posted."""

    async def forbidden(_self: Discord, _delivery: object, _channel_id: object) -> None:
        raise RefusedError("Missing Access", final=final)

    monkeypatch.setattr(Discord, "find", forbidden)
    world.discord.breaks = UnknownOutcomeError("hung")
    await world.service.post_due()
    world.clock.set(DUE + timedelta(minutes=1))
    assert await world.settle() == final
    world.clock.set(DUE + timedelta(days=6))
    assert await world.settle() == 0
    world.clock.set(DUE + timedelta(days=7))
    assert await world.settle() == (not final)
    async with world.database.reading() as connection:
        newest = await deliveries.newest(connection, GUILD, DeliveryKind.DIGEST, None, WEEK)
    assert newest is not None
    assert (newest.state, newest.problem) == (DeliveryState.REFUSED, UNSETTLEABLE)


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_digest_that_is_turned_off_while_its_outcome_is_open_is_settled(world: World, arrived: bool) -> None:
    world.discord.breaks = UnknownOutcomeError("hung")
    await world.service.post_due()
    world.discord.breaks = None
    async with world.database.writing() as connection:
        settings = await guilds.settings_of(connection, GUILD)
        assert settings is not None
        await guilds.save(connection, replace(settings, digest_channel_id=None))
    world.discord.found = SentMessage(TEAM, 1) if arrived else None
    world.clock.set(DUE + timedelta(minutes=1))
    assert await world.settle() == 1
    assert world.discord.sent == []
    async with world.database.reading() as connection:
        assert await deliveries.unsettled(connection) == ()
        newest = await deliveries.newest(connection, GUILD, DeliveryKind.DIGEST, None)
    assert newest is not None
    assert newest.state is (DeliveryState.SENT if arrived else DeliveryState.REFUSED)


async def test_an_outcome_that_cannot_be_found_out_is_given_up_after_a_week(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreadable(_self: Discord, _delivery: object, _channel_id: object) -> None:
        raise UnknownOutcomeError("no Read Message History")

    monkeypatch.setattr(Discord, "find", unreadable)
    world.discord.breaks = UnknownOutcomeError("hung")
    await world.service.post_due()
    world.discord.breaks = None
    world.clock.set(DUE + timedelta(days=7, minutes=-1))
    assert await world.settle() == 0
    world.clock.set(DUE + timedelta(days=7))
    assert await world.settle() == 1
    assert world.discord.sent == []


@pytest.mark.parametrize(("outcome", "days"), [("sent", 40), ("sent", 5 * 365), ("refused", 40), ("unknown", 40)])
async def test_what_a_clock_far_ahead_has_sent_keeps_no_digest_from_coming_in_its_time(
    world: World, outcome: str, days: int
) -> None:
    """The time was taken for a far later one at one tick. From then on each week has both its digests again."""
    truth = DUE - timedelta(days=1)

    async def take(target: int, body: object) -> SentMessage:
        if outcome != "sent" and world.clock.now() > truth:
            raise RefusedError("no") if outcome == "refused" else UnknownOutcomeError("?")
        world.discord.sent.append((target, body))
        return SentMessage(target, first_id_at(truth) + len(world.discord.sent))

    world.discord._take = take
    world.clock.set(truth + timedelta(days=days))
    await world.service.post_due()
    world.clock.set(truth, back=True)
    world.discord.sent.clear()
    weeks = 7  # to beyond the 40 days
    for hours in range(0, weeks * 7 * 24, 11):
        truth = DUE - timedelta(days=1) + timedelta(hours=hours)
        world.clock.set(truth)
        await world.settle()
        await world.service.post_due()
        async with world.database.reading() as connection:
            posted = await deliveries.newest(connection, GUILD, DeliveryKind.DIGEST, None, until_on=truth.date())
            frozen = None if posted is None else await digests.frozen(connection, GUILD, posted.due_on)
        assert (frozen is None) is (posted is None)
    assert [target for target, _ in world.discord.sent].count(TEAM) == weeks
    async with world.database.reading() as connection:
        own = await deliveries.due_between(
            connection, GUILD, DeliveryKind.PERSONAL_DIGEST, ANNA, WEEK, WEEK + timedelta(weeks=weeks - 1)
        )
    assert all(one.claimed_at <= truth for one in own)
    assert len(own) == weeks


async def test_a_digest_that_a_clock_some_hours_ahead_has_posted_is_not_posted_twice(world: World) -> None:
    async def take(target: int, body: object) -> SentMessage:
        world.discord.sent.append((target, body))
        return SentMessage(target, first_id_at(DUE - timedelta(hours=5)))

    world.discord._take = take
    world.clock.set(DUE + timedelta(hours=1))
    assert await world.service.post_due() == 1
    world.clock.set(DUE - timedelta(hours=4), back=True)
    for hours in range(-4, 8):
        world.clock.set(DUE + timedelta(hours=hours))
        await world.service.post_due()
    assert [target for target, _ in world.discord.sent] == [TEAM, ANNA]


@pytest.mark.parametrize("marked", ["digest_from_at", "enrolled_at"])
async def test_a_digest_that_was_chosen_by_a_clock_far_ahead_comes_now(world: World, marked: str) -> None:
    async with world.database.writing() as connection:
        if marked == "digest_from_at":
            await connection.execute(update(tables.guild).values(digest_from_at=START + timedelta(weeks=260)))
        else:
            await connection.execute(update(tables.manager).values(enrolled_at=DUE + timedelta(days=1800)))
    world.clock.set(DUE + timedelta(hours=2))
    await world.service.post_due()
    assert [target for target, _ in world.discord.sent][:2] == [TEAM, ANNA]


async def test_figures_that_were_frozen_in_the_future_give_way(world: World) -> None:
    async with world.database.writing() as connection:
        await digests.freeze(connection, GUILD, WEEK, "another", "{}", DUE + timedelta(days=40))
    await world.service.post_due()
    async with world.database.reading() as connection:
        assert await digests.frozen(connection, GUILD, WEEK) not in {"{}", None}
