"""Nothing that people can use is without an audience and a cost: commands, menus, controls and forms.

All cogs are loaded as the bot loads them, without a connection. The walk is tried on planted ones, too.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import InteractionType, app_commands
from discord.ext import commands

import bot.views
import cogs
from bot.app import open_app
from bot.client import SpadeBot
from bot.clock import DrivenClock
from bot.config import Settings
from bot.discord_io.interactions.authorisation import Audience, declare_audience, declared_audience
from bot.discord_io.interactions.controls import Control
from bot.discord_io.interactions.cooldowns import Cost, declare_cost, declared_cost
from bot.discord_io.interactions.guard import Deferral
from bot.discord_io.interactions.guild_cog import GuildCog
from bot.discord_io.interactions.handlers import control, form
from bot.views.kit.form import Form
from tests.support.declarations import declared_handlers, guild_cogs

PRESS = re.compile("planted:(?P<page>[0-9])")


@pytest.fixture
async def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SpadeBot]:
    """The bot with its cogs, not connected."""

    async def nothing(*_: object) -> None:
        """Discord is not told of the commands."""

    monkeypatch.setattr("discord.app_commands.CommandTree.sync", nothing)
    settings = Settings(database=f"sqlite:///{tmp_path / 'spade.db'}")
    async with open_app(settings, DrivenClock(datetime(2026, 3, 2, tzinfo=UTC))) as app:
        await app.bot.setup_hook()
        yield app.bot


def undeclared(bot: SpadeBot) -> list[str]:
    """Whatever could be used without an audience or a cost: a command, a listener of a cog, a bare dynamic item."""
    found = [
        command.qualified_name
        for kind in discord.AppCommandType
        for command in bot.tree.walk_commands(type=kind)
        if not isinstance(command, app_commands.Group) and None in {declared_audience(command), declared_cost(command)}
    ]
    for name, cog in bot.cogs.items():
        found += [f"{name}.{method.__name__}" for event, method in cog.get_listeners() if event == "on_interaction"]
    return found + [item.__name__ for item in dynamic_items(bot) if not issubclass(item, Control)]


def dynamic_items(bot: SpadeBot) -> list[type[discord.ui.DynamicItem[Any]]]:
    return list(bot._connection._view_store._dynamic_items.values())


async def test_every_command_menu_control_and_form_declares_its_audience(loaded: SpadeBot) -> None:
    walked = [command for kind in discord.AppCommandType for command in loaded.tree.walk_commands(type=kind)]
    assert len(walked) > 40
    assert undeclared(loaded) == []
    declared = {one for one in declared_handlers() if one.kind is InteractionType.component}
    assert {item.handler for item in dynamic_items(loaded)} == declared  # type: ignore[attr-defined]
    assert all(isinstance(one.audience, Audience) for one in declared_handlers())
    assert all(isinstance(one.cost, Cost) for one in declared_handlers())
    assert {cog.audience for cog in guild_cogs()} <= set(Audience)
    assert {cog.cost for cog in guild_cogs()} <= set(Cost)


async def test_what_draws_packs_erases_or_reads_history_is_declared_heavy(loaded: SpadeBot) -> None:
    walked = [command for kind in discord.AppCommandType for command in loaded.tree.walk_commands(type=kind)]
    assert {command.qualified_name for command in walked if declared_cost(command) is Cost.HEAVY} == {
        "digest",
        "coverage",
        "export",
        "privacy export",
        "backfill start",
    }
    assert [one.name for one in declared_handlers() if one.cost is Cost.HEAVY] == ["the control Privacy.carry_out"]


async def test_no_custom_id_of_a_view_and_no_form_is_without_a_handler(loaded: SpadeBot) -> None:
    patterns = {
        value
        for module in pkgutil.walk_packages(bot.views.__path__, "bot.views.")
        for name, value in vars(importlib.import_module(module.name)).items()
        if name.endswith("_PATTERN") and isinstance(value, re.Pattern)
    }
    assert len(patterns) >= 10
    assert patterns == {one.pattern for one in declared_handlers()}
    modals = {one.__qualname__ for one in subclasses(discord.ui.Modal) if one.__module__.startswith(("bot.", "cogs."))}
    assert modals == {"_Modal"}, "a form is a bot.views.kit.form.Form, and a cog's method is its handler"
    assert isinstance(Form("A", "b", ()).modal(), discord.ui.Modal)


def subclasses(parent: type[Any]) -> Iterator[type[Any]]:
    for child in parent.__subclasses__():
        yield child
        yield from subclasses(child)


class Planted(commands.Cog):
    """Commands and a listener, and no audience."""

    @app_commands.command(name="planted", description="Planted")
    async def planted(self, interaction: discord.Interaction) -> None:
        raise AssertionError("nobody may use this")

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Matches custom ids by itself."""


class PlantedGroup(commands.GroupCog, group_name="planted-group"):
    @app_commands.command(name="inner", description="Planted")
    async def inner(self, interaction: discord.Interaction) -> None:
        raise AssertionError("nobody may use this")


class PlantedItem(discord.ui.DynamicItem[discord.ui.Button[Any]], template="planted:item"):
    """No handler, no audience."""


async def shout(interaction: discord.Interaction, user: discord.User) -> None:
    raise AssertionError("nobody may use this")


async def test_the_walk_finds_what_was_planted(loaded: SpadeBot) -> None:
    await loaded.add_cog(Planted())
    await loaded.add_cog(PlantedGroup())
    loaded.tree.add_command(app_commands.ContextMenu(name="Shout", callback=shout))
    loaded.add_dynamic_items(PlantedItem)
    assert sorted(undeclared(loaded)) == [
        "Planted.on_interaction",
        "PlantedItem",
        "Shout",
        "planted",
        "planted-group inner",
    ]


async def test_a_command_without_an_audience_is_refused_to_everybody(
    loaded: SpadeBot, caplog: pytest.LogCaptureFixture
) -> None:
    await loaded.add_cog(Planted())
    command = loaded.tree.get_command("planted")
    interaction = Asking(command)
    assert not await loaded.guard.admits_command(interaction)
    assert "Something went wrong" in interaction.told[0]
    assert "declares no audience" in caplog.text
    caplog.clear()
    declare_audience(command, Audience.EVERYBODY_HERE)
    assert not await loaded.guard.admits_command(Asking(command))
    assert "declares no cost" in caplog.text
    declare_cost(command, Cost.LIGHT)
    assert await loaded.guard.admits_command(Asking(command))


class Asking:
    """An interaction as far as the guard looks."""

    type = InteractionType.application_command
    guild_id = 5
    locale = discord.Locale.american_english
    user = discord.Object(1)
    permissions = discord.Permissions.none()

    def __init__(self, command: Any) -> None:
        self.command = command
        self.response = self
        self.told: list[str] = []

    def is_done(self) -> bool:
        return False

    async def send_message(self, text: str, *, ephemeral: bool) -> None:
        assert ephemeral
        self.told.append(text)


def test_a_cog_or_a_handler_without_an_audience_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="audience"):

        class _Forgetful(GuildCog, cost=Cost.LIGHT):
            """No audience."""

    with pytest.raises(TypeError, match="cost"):

        class _Boundless(GuildCog, audience=Audience.MANAGERS):
            """No cost."""

    for declare in (control, form):
        with pytest.raises(TypeError, match="audience"):
            declare(PRESS, cost=Cost.LIGHT)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="cost"):
            declare(PRESS, Audience.EVERYBODY_HERE)  # type: ignore[call-arg]


async def method(_cog: object, _interaction: discord.Interaction, _found: re.Match[str]) -> None:
    """Does nothing."""


def test_a_handler_says_what_its_audience_needs() -> None:
    with pytest.raises(TypeError, match="deferred"):
        control(PRESS, Audience.MANAGERS, cost=Cost.PRESS)(method)
    with pytest.raises(TypeError, match="somebody else is told"):
        control(PRESS, Audience.RECIPIENT, cost=Cost.PRESS)(method)
    with pytest.raises(TypeError, match="person_id"):
        control(PRESS, Audience.OWNER, cost=Cost.PRESS, not_yours=str)(method)
    declared = control(PRESS, Audience.MANAGERS, Deferral.UPDATE, cost=Cost.PRESS)(method)
    assert (declared.audience, declared.cost) == (Audience.MANAGERS, Cost.PRESS)


async def test_unloading_a_cog_takes_its_menus_controls_and_forms_along(loaded: SpadeBot) -> None:
    before = {item.handler for item in dynamic_items(loaded)}  # type: ignore[attr-defined]
    members = loaded.get_cog("Members")
    assert isinstance(members, GuildCog)
    await loaded.remove_cog("Members")
    assert before - {item.handler for item in dynamic_items(loaded)} == set(  # type: ignore[attr-defined]
        members.handlers(InteractionType.component)
    )
    assert [menu.name for menu in loaded.tree.walk_commands(type=discord.AppCommandType.user)] == []
    await loaded.remove_cog("SettingUp")
    sent = Sent("spade:setup:zone_form")
    assert not await loaded._forms.dispatch(loaded.guard, sent)


async def test_every_cog_can_be_unloaded_with_its_commands_and_loaded_again(loaded: SpadeBot) -> None:
    def offered() -> set[tuple[object, str]]:
        return {
            (kind, command.qualified_name)
            for kind in discord.AppCommandType
            for command in loaded.tree.walk_commands(type=kind)
        }

    before = offered()
    for name in list(loaded.cogs):
        cog = await loaded.remove_cog(name)
        assert cog is not None
        own = {command.qualified_name for command in cog.walk_app_commands()}
        if isinstance(cog, GuildCog):
            own |= {menu.name for menu in cog.context_menus}
        assert {name for _, name in before - offered()} >= own
        await loaded.add_cog(cog)
        assert offered() == before


async def test_a_cog_that_inherits_from_another_has_its_own_audience() -> None:
    class Open(GuildCog, audience=Audience.EVERYBODY_HERE, cost=Cost.LIGHT):
        @app_commands.command(name="planted", description="planted")
        async def planted(self, _interaction: discord.Interaction) -> None:
            """Do nothing."""

    class Closed(Open, audience=Audience.SERVER_MANAGERS, cost=Cost.LIGHT):
        """The same command for others."""

    audiences = [declared_audience(cog.get_app_commands()[0]) for cog in (Open(), Closed(), Open())]
    assert audiences == [Audience.EVERYBODY_HERE, Audience.SERVER_MANAGERS, Audience.EVERYBODY_HERE]


class Sent:
    """A form that was sent, as far as the dispatcher looks."""

    def __init__(self, custom_id: str) -> None:
        self.data = {"custom_id": custom_id}


def test_every_module_of_the_cogs_but_the_tracking_has_a_cog_with_an_audience() -> None:
    """Tracking has listeners for events, and nothing that people use."""
    found = {
        one.__name__
        for module in pkgutil.iter_modules(cogs.__path__, "cogs.")
        for _, one in inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        if one.__module__ == module.name and issubclass(one, commands.Cog) and not issubclass(one, GuildCog)
    }
    assert found == {"Tracking"}
