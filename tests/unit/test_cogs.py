"""Each cog is built from its services alone: no bot, no Discord."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from discord.ext import commands

from bot.background import BackgroundTasks
from bot.clock import SystemClock
from bot.discord_io.connection.message_feed import MessageFeed
from bot.domain.rules import Rules
from bot.schedule import Schedule
from bot.services.delivery.attempts import Attempts
from bot.services.delivery.settlement import Settlement
from bot.views.nudge.writer import NudgeWriter
from cogs.digests import Digests
from cogs.exporting import Exporting
from cogs.members import Members
from cogs.nudges import Nudges
from cogs.privacy import Privacy
from cogs.settings import SettingsCommands
from cogs.setup import SettingUp
from cogs.status import Status
from cogs.tracking import Tracking


class Service:
    """Answers to every name and notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str):
        async def ask(*_args: object, **_kwargs: object) -> None:
            self.asked.append(name)

        return ask


@pytest.fixture
def schedule() -> Schedule:
    async def ready() -> bool:
        return True

    return Schedule(3600, ready, Attempts(SystemClock().now))


@pytest.fixture
def settlement() -> Settlement:
    return Settlement(Service(), SystemClock())


def nudges(service: Service, settlement: Settlement, schedule: Schedule) -> Nudges:
    return Nudges(service, service, service, settlement, schedule, NudgeWriter())


def digests(service: Service, settlement: Settlement, schedule: Schedule) -> Digests:
    return Digests(service, settlement, schedule, Rules())


@pytest.mark.parametrize(("build", "work", "call"), [(nudges, "nudges", "send_due"), (digests, "digests", "post_due")])
async def test_loading_puts_the_work_on_the_schedule_and_unloading_takes_it_off(
    build, work: str, call: str, settlement: Settlement, schedule: Schedule
) -> None:
    service = Service()
    cog = build(service, settlement, schedule)
    await schedule.tick()
    assert service.asked == []
    await cog.cog_load()
    assert schedule.names == (work,)
    await schedule.tick()
    assert service.asked == [call]
    await cog.cog_unload()
    await schedule.tick()
    assert schedule.names == ()
    assert service.asked == [call]


async def test_tracking_writes_what_is_left_when_it_is_unloaded() -> None:
    follower = Service()
    services: list[Any] = [*(Service() for _ in range(6)), MessageFeed()]
    cog = Tracking(follower, Service(), Service(), BackgroundTasks(), *services)
    await cog.cog_load()
    await cog.cog_unload()
    assert "settle_last" in follower.asked


def test_every_cog_offers_its_commands_without_a_bot(settlement: Settlement, schedule: Schedule) -> None:
    members = Members(Service(), Service(), Service(), Service())
    assert [menu.name for menu in members.context_menus] == ["Relationship", "Log 1:1", "Mark answered"]
    cogs: list[commands.Cog] = [
        nudges(Service(), settlement, schedule),
        digests(Service(), settlement, schedule),
        SettingUp(Service(), Service(), Service(), Service(), Service(), Service()),
        SettingsCommands(Service(), Service(), Service()),
        Privacy(Service(), Service()),
        Status(Service(), Service(), Service()),
        Exporting(Service()),
        members,
    ]
    names = {command.qualified_name for cog in cogs for command in cog.walk_app_commands()}
    assert {"nudges on", "nudges off", "digest", "setup"} <= names
    assert {"settings show", "privacy erase", "status", "export", "member", "unmet", "coverage", "log"} <= names


async def test_time_zones_are_suggested_by_what_is_typed() -> None:
    cog = SettingUp(Service(), Service(), Service(), Service(), Service(), Service())
    suggest: Any = SettingUp.suggest_zones  # a decorated function, which discord.py binds to its command
    suggested = await suggest(cog, None, "berl")
    assert [choice.value for choice in suggested] == ["Europe/Berlin"]
    assert len(await suggest(cog, None, "")) == 25
    assert all(ZoneInfo(choice.value) for choice in suggested)
