"""Who may do what: every command, menu, button, list and form, by everybody, whatever a client offers them.

Everybody is the owner, an administrator, a manager, a member, somebody in another server, and somebody in a DM. The
interactions are sent past the sandbox's own checks, as a changed client could send them.
"""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.discord_io.interactions import cooldowns
from bot.domain.nudge_time import NoNudge
from bot.sandbox import Channel, Permission, PostedMessage, Response, User
from bot.sandbox.clients.options import Resolved, command_data, command_options, focused_options
from bot.sandbox.world.entities import MessageType
from bot.store import tables
from bot.views.guild.setup import ZONE_ENTRY
from bot.views.members import privacy
from bot.views.nudge import answers
from bot.views.nudge.presses import already_settled, not_your_nudge
from bot.views.words import refusals
from tests.support.declarations import declared_handlers
from tests.support.moderators import moderators
from tests.support.patience import PATIENCE
from tests.support.stage import Stage, stage

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)

SETTERS, MANAGERS, ALL = frozenset({"owner", "admin"}), frozenset({"manager"}), None
"""Whom each command is for, as the documentation says. None is everybody."""
COMMANDS: dict[tuple[str, ...], tuple[frozenset[str] | None, dict[str, Any]]] = {
    ("setup",): (SETTERS, {}),
    ("settings", "show"): (SETTERS, {}),
    ("settings", "digest"): (SETTERS, {"weekday": 2}),
    ("settings", "time-zone"): (SETTERS, {"zone": "UTC"}),
    ("settings", "language"): (SETTERS, {"language": "en"}),
    ("settings", "exclude"): (SETTERS, {"channel": "quiet"}),
    ("settings", "include"): (SETTERS, {"channel": "quiet"}),
    ("settings", "ignore"): (SETTERS, {"person": "helper"}),
    ("settings", "unignore"): (SETTERS, {"person": "helper"}),
    ("settings", "keep"): (SETTERS, {"months": 36}),
    ("backfill", "start"): (SETTERS, {"since": "2026-03-01"}),
    ("backfill", "cancel"): (SETTERS, {}),
    ("status",): (SETTERS | MANAGERS, {}),
    ("waiting",): (MANAGERS, {}),
    ("unmet",): (MANAGERS, {}),
    ("member",): (MANAGERS, {"user": "rafa"}),
    ("coverage",): (MANAGERS, {}),
    ("digest",): (MANAGERS, {}),
    ("log",): (MANAGERS, {"user": "rafa"}),
    ("export",): (MANAGERS, {}),
    ("nudges", "on"): (MANAGERS, {}),
    ("nudges", "now"): (MANAGERS, {}),
    ("nudges", "hour"): (MANAGERS, {"hour": 8}),
    ("nudges", "days"): (MANAGERS, {"days": "workdays"}),
    ("nudges", "pause"): (MANAGERS, {"until": "2026-04-01"}),
    ("nudges", "preview"): (MANAGERS, {}),
    ("nudges", "status"): (MANAGERS, {}),
    ("nudges", "again"): (MANAGERS, {"person": "rafa"}),
    ("nudges", "zone"): (MANAGERS, {"zone": "UTC"}),
    ("nudges", "off"): (MANAGERS, {}),
    ("privacy", "show"): (ALL, {}),
    ("privacy", "export"): (ALL, {}),
    ("privacy", "opt-out"): (ALL, {}),
    ("privacy", "opt-in"): (ALL, {}),
    ("privacy", "erase"): (ALL, {}),
}
MENUS = {"Relationship": MANAGERS, "Log 1:1": MANAGERS, "Mark answered": MANAGERS}


@dataclass(frozen=True)
class Control:
    """A button, a list or a form: for whom it is, where it stands, and what is chosen or filled in.

    `kind` is Discord's number for the component: 2 a button, 3, 7 and 8 lists of texts, of people and roles, of
    channels.

    The braces in a custom id stand for what the test made: ids of people, messages and deliveries. `once` are those
    that do something; pressed a second time, they do nothing more.
    """

    custom_id: str
    for_whom: frozenset[str] | None
    values: tuple[str, ...] | None = None
    kind: int = 2
    form: str | None = None
    in_dm: bool = False
    once: bool = False


MEMBER = frozenset({"member"})
CONTROLS = (
    *(
        Control(f"spade:{name}:1:{to}", MANAGERS)
        for name in ("waiting", "unmet")
        for to in ("previous", "next", "again")
    ),
    *(Control(f"spade:setup:go:{page}", SETTERS) for page in ("when", "history", "who", "finish")),
    Control("spade:setup:set:managers", SETTERS, ("{manager}", "{mate}"), 7),
    Control("spade:setup:set:digest", SETTERS, ("{general}",), 8),
    Control("spade:setup:set:exclude", SETTERS, ("{quiet}",), 8),
    Control("spade:setup:set:weekday", SETTERS, ("3",), 3),
    Control("spade:setup:set:hour", SETTERS, ("17",), 3),
    Control("spade:setup:set:language", SETTERS, ("en",), 3),
    Control("spade:setup:set:history", SETTERS, ("0",), 3),
    Control("spade:setup:zone", SETTERS),
    Control("spade:setup:zone_form", SETTERS, form="UTC"),
    Control("spade:logged:{logged}:take_back", MANAGERS, once=True),
    Control("spade:digest:abc:about", ALL),
    *(
        Control(f"spade:privacy:{{member}}:{deed}", MEMBER)
        for deed in ("export", "ask_opt_out", "opt_out", "opt_in", "ask")
    ),
    Control("spade:privacy:{member}:erase", MEMBER, once=True),
    Control("spade:nudge:{nudge}:1:done", MANAGERS, in_dm=True, once=True),
    Control("spade:nudge:{nudge}:2:snooze", MANAGERS, in_dm=True, once=True),
    Control("spade:nudge:{nudge}:3:never", MANAGERS, in_dm=True, once=True),
    Control("spade:nudge:{nudge}:4:hand_over", MANAGERS, in_dm=True),
    Control("spade:nudge:{nudge}:4:colleague", MANAGERS, ("{mate}",), 3, in_dm=True, once=True),
    Control("spade:welcome:{welcome}:stop", MANAGERS, in_dm=True),
)
HERE = ("member", "owner", "admin", "manager")
"""Who is in the server; `stranger` manages another one."""


def patterns() -> list[str]:
    """The custom ids that cogs declare handlers for, one for each thing that can be pressed or sent."""
    found: list[str] = []
    for declared in declared_handlers():
        text = declared.pattern.pattern
        choice = re.search(r"\((?:\?P<\w+>|\?:)([a-z_]+(?:\|[a-z_]+)+)\)", text)
        each = choice[1].split("|") if choice else [""]
        found += [text.replace(choice[0], one) if choice else text for one in each]
    return found


def refusal_words() -> set[str]:
    return {
        refusals.not_a_manager(),
        refusals.not_a_manager_yet(),
        refusals.not_allowed(),
        refusals.only_in_server(),
        refusals.nothing_happened(),
        answers.nudge_sent(NoNudge.OFF),
    }


class Matrix:
    """The stage with everybody on it."""

    def __init__(self, on: Stage) -> None:
        world = on.sandbox.world
        self.on = on
        self.people: dict[str, User] = {
            name: world.users.add(name, display_name=f"{name.title()} Surname")
            for name in ("owner", "admin", "manager", "mate", "member", "stranger", "rafa", "helper", "ida", "jon")
        }
        self.guild = world.guilds.add("Gardeners", owner=self.people["owner"])
        self.other = world.guilds.add("Cooks", owner=self.people["stranger"])
        admins = world.roles.add(self.guild, "Admins", permissions=int(Permission.ADMINISTRATOR))
        self.general, self.quiet = (world.channels.add(self.guild, name) for name in ("general", "quiet"))
        self.kitchen = world.channels.add(self.other, "kitchen")
        world.members.add(self.guild, self.people["admin"], roles=[admins])
        for name in self.people.keys() - {"owner", "admin", "stranger"}:
            world.members.add(self.guild, self.people[name])

    async def run(self, who: str, channel: Channel, path: tuple[str, ...], options: dict[str, Any]) -> Response:
        people, world = self.on.sandbox.people, self.on.sandbox.world
        command = self.on.sandbox.commands.find(self.guild.id, path[0], 1)
        home = channel if channel.guild_id is not None else self.general
        resolved = Resolved(world.state, home)
        named = {key: self.people.get(str(value), value) for key, value in options.items()}
        named = {key: self.quiet if value == "quiet" else value for key, value in named.items()}
        chosen = command_options(command, named, path[1:], resolved)
        data = command_data(command, resolved) | ({"options": chosen} if chosen else {})
        return await people.sender.send(2, self.people[who], channel, data, name=" ".join(path)).wait()

    def options(self, path: tuple[str, ...]) -> list[dict[str, Any]]:
        """The options of a command, as Discord was told of them."""
        command = self.on.sandbox.commands.find(self.guild.id, path[0], 1)
        options: list[dict[str, Any]] = command.get("options", [])
        for name in path[1:]:
            options = next(one.get("options", []) for one in options if one["name"] == name)
        return options

    async def type_into(self, who: str, channel: Channel, path: tuple[str, ...], option: str) -> Response:
        """Begin to fill in an option that has suggestions."""
        people = self.on.sandbox.people
        command = self.on.sandbox.commands.find(self.guild.id, path[0], 1)
        resolved = Resolved(self.on.sandbox.world.state, self.general)
        options = focused_options(command, {}, path[1:], resolved, (option, ""))
        data = command_data(command, resolved) | {"options": options}
        return await people.sender.send(4, self.people[who], channel, data, name=" ".join(path)).wait()

    async def menu(self, who: str, channel: Channel, name: str, target: User | PostedMessage) -> Response:
        people, world = self.on.sandbox.people, self.on.sandbox.world
        command = self.on.sandbox.commands.find(self.guild.id, name, 3 if isinstance(target, PostedMessage) else 2)
        resolved = Resolved(world.state, channel)
        if isinstance(target, PostedMessage):
            resolved.add_message(target)
        else:
            resolved.add_user(target.id)
        data = command_data(command, resolved) | {"target_id": str(target.id)}
        answer = people.sender.send(2, self.people[who], channel, data, name=name)
        answer.message_type = MessageType.CONTEXT_MENU_COMMAND
        return await answer.wait()

    async def press(
        self,
        who: str,
        message: PostedMessage | None,
        custom_id: str,
        values: Iterable[str] | None = None,
        *,
        kind: int = 2,
        channel: Channel | None = None,
        form: str | None = None,
    ) -> Response:
        """A press (a choice with values, a form with a text), from the guild's channel or another place."""
        channel, people = channel or self.general, self.on.sandbox.people
        data: dict[str, Any] = {"custom_id": custom_id, "component_type": kind, "id": 1}
        if values is not None:
            resolved = Resolved(self.on.sandbox.world.state, self.general)
            data["values"] = list(values)
            named = [resolved.add(value) for value in data["values"] if len(value) > 9]
            data |= {"resolved": resolved.payload()} if named else {}
        if form is not None:
            entry = {"type": 4, "id": 2, "custom_id": ZONE_ENTRY, "value": form}
            data["components"] = [{"type": 18, "id": 1, "component": entry}]
        opened = 3 if form is None else 5
        return people.sender.send(opened, self.people[who], channel, data, source=message)

    def secrets(self) -> tuple[str, ...]:
        """What nobody elsewhere is to learn."""
        return str(self.people["manager"].id), str(self.general.id), "Manager Surname", "Gardeners"

    async def record(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything in the database about this server, once what goes on in the background has ended."""
        for job in self.on.app.reader.progress(self.guild.id):
            await self.on.app.reader.wait(job.job)
        async with asyncio.timeout(PATIENCE):
            while not await self._archives_searched():
                await asyncio.sleep(0.01)
        async with self.on.app.database.reading() as connection:
            return {
                table.name: sorted(
                    (tuple(row) for row in await connection.execute(table.select()) if self._is_here(row)), key=str
                )
                for table in tables.metadata.sorted_tables
                if table is not tables.fact_change  # counts what is written, also if the same is written again
            }

    async def _archives_searched(self) -> bool:
        async with self.on.app.database.reading() as connection:
            found = await connection.execute(select(tables.guild.c.guild_id, tables.guild.c.archives_from))
            return all(from_at is None for guild_id, from_at in found if guild_id == self.guild.id)

    def _is_here(self, row: Any) -> bool:
        return getattr(row, "guild_id", self.guild.id) == self.guild.id


def said(answer: Response) -> str:
    return " ".join(f"{message.content} {message.embeds}" for message in answer.messages).strip()


def there(options: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The same options in another server: its own channel in place of this one's."""
    return {key: channel for key, value in options.items() if value == "quiet"}


async def scene(on: Stage) -> tuple[Matrix, PostedMessage]:
    """A manager, somebody who waits for them, and nothing else."""
    here = Matrix(on)
    await on.sandbox.until(lambda: on.sandbox.commands.available(here.other.id))
    setup = {"manager": "manager", "digest_channel": here.general, "time_zone": "UTC"}
    assert "set up" in said(await here.run("owner", here.general, ("setup",), setup))
    question = on.sandbox.world.messages.post(
        here.general, here.people["rafa"], "Hello", mentions=[here.people["manager"]]
    )
    await on.heard(question.id)
    on.clock.set(BEGAN + timedelta(hours=6))
    return here, question


async def test_every_command_and_menu_is_for_those_it_is_documented_for(tmp_path: Path) -> None:
    """Everybody runs everything, in the server, in another one and in a DM."""
    async with stage(tmp_path / "spade.db", BEGAN) as on:
        here, question = await scene(on)
        world = on.sandbox.world
        offered = {
            (command["name"], *([] if sub is None else [sub]))
            for command in on.sandbox.commands.all()
            for sub in ([o["name"] for o in command.get("options", []) if o["type"] == 1] or [None])
            if command["type"] == 1
        }
        assert offered == COMMANDS.keys(), "a command was added or renamed: say here whom it is for"
        menus = {command["name"] for command in on.sandbox.commands.all() if command["type"] != 1}
        assert menus == MENUS.keys()
        allowed = refused = 0
        for path, (for_whom, options) in COMMANDS.items():
            for who in HERE:
                before = await here.record()
                answer = await here.run(who, here.general, path, options)
                assert answer.ephemeral, path
                if for_whom is None or who in for_whom:
                    assert said(answer).removesuffix(" []") not in refusal_words(), (path, who, said(answer))
                    assert "Something went wrong" not in said(answer), (path, who)
                    allowed += 1
                else:
                    assert said(answer).removesuffix(" []") in refusal_words(), (path, who, said(answer))
                    assert await here.record() == before, (path, who)
                    refused += 1
            before = await here.record()
            in_dm = await here.run("manager", on.sandbox.world.dms.channel_with(here.people["manager"]), path, options)
            assert said(in_dm).removesuffix(" []") == refusals.only_in_server(), path
            assert await here.record() == before
            refused += 1
            elsewhere = await here.run("stranger", here.kitchen, path, options | there(options, here.kitchen))
            assert not any(secret in said(elsewhere) for secret in here.secrets()), (path, said(elsewhere))
            assert await here.record() == before, (path, "elsewhere")
            if for_whom == MANAGERS:
                assert said(elsewhere).removesuffix(" []") in refusal_words(), path
            refused += 1
        for name, for_whom in MENUS.items():
            target: User | PostedMessage = question if name == "Mark answered" else here.people["rafa"]
            for who in HERE:
                before = await here.record()
                answer = await here.menu(who, here.general, name, target)
                if who in for_whom:
                    assert said(answer).removesuffix(" []") not in refusal_words(), (name, who)
                    allowed += 1
                else:
                    assert said(answer).removesuffix(" []") in refusal_words(), (name, who)
                    assert await here.record() == before, (name, who)
                    refused += 1
            before = await here.record()
            for who, place in (("manager", world.dms.channel_with(here.people["manager"])), ("stranger", here.kitchen)):
                answer = await here.menu(who, place, name, target)
                assert said(answer).removesuffix(" []") in refusal_words(), (name, place.name)
                assert await here.record() == before, (name, place.name)
                refused += 1
        assert allowed + refused == (len(COMMANDS) + len(MENUS)) * (len(HERE) + 2)
        print(f"commands and menus: {allowed} allowed, {refused} refused, 0 changed by a refused one")


async def test_suggestions_are_for_those_who_may_use_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage(tmp_path / "spade.db", BEGAN) as on:
        here, _ = await scene(on)
        asked = 0
        for path, (for_whom, _options) in COMMANDS.items():
            for option in here.options(path):
                if not option.get("autocomplete"):
                    continue
                for who in HERE:
                    suggested = (await here.type_into(who, here.general, path, option["name"])).choices
                    assert bool(suggested) == (for_whom is None or who in for_whom), (path, who)
                in_dm = await here.type_into(
                    "manager", on.sandbox.world.dms.channel_with(here.people["manager"]), path, option["name"]
                )
                assert not in_dm.choices, path
                asked += 1
        assert asked == 4

        async def fail(*_: object) -> bool:
            raise OSError("the disk is away")

        monkeypatch.setattr("bot.services.guild.access.Access.may_manage", fail)
        assert (await here.type_into("manager", here.general, ("nudges", "days"), "days")).choices == []
        assert "the disk is away" in caplog.text


async def test_ordinary_members_are_shown_what_is_for_them_and_nothing_else(tmp_path: Path) -> None:
    async with stage(tmp_path / "spade.db", BEGAN) as on:
        here, _ = await scene(on)

        def shown(who: str) -> set[str]:
            kinds = (1, 2, 3)
            people, place = on.sandbox.people, here.general
            return {one["name"] for kind in kinds for one in people.offered(here.people[who], place, kind)}

        commands = {path[0] for path in COMMANDS}
        setters = {path[0] for path, (for_whom, _) in COMMANDS.items() if for_whom == SETTERS}
        assert shown("member") == {path[0] for path, (for_whom, _) in COMMANDS.items() if for_whom is ALL}
        assert shown("manager") == shown("member"), "nobody has shown them to this manager yet"
        moderators(on.sandbox.world, here.guild, here.people["manager"])
        assert shown("manager") == (commands | MENUS.keys()) - setters
        assert shown("admin") == shown("owner") == commands | MENUS.keys()


async def test_a_manager_elsewhere_learns_nothing_of_this_server(tmp_path: Path) -> None:
    async with stage(tmp_path / "spade.db", BEGAN) as on:
        here, _ = await scene(on)
        world = on.sandbox.world
        world.members.add(here.other, here.people["rafa"])
        answer = await here.run("stranger", here.kitchen, ("setup",), {"manager": "stranger", "time_zone": "UTC"})
        assert "set up" in said(answer)
        here.people["helper"] = world.users.add("cook")
        for path, (for_whom, options) in COMMANDS.items():
            chosen = {key: value for key, value in options.items() if value not in {"quiet", "helper"}}
            if chosen != options:
                continue
            told = said(await here.run("stranger", here.kitchen, path, chosen))
            for secret in (here.people["manager"].id, here.general.id, "Manager Surname", "Gardeners"):
                assert str(secret) not in told, (path, for_whom, told)
        assert "Nobody waits" in said(await here.run("stranger", here.kitchen, ("waiting",), {}))
        known = said(await here.run("stranger", here.kitchen, ("member",), {"user": "rafa"}))
        assert "1 contact was logged" in known
        assert "They last wrote" not in known


def test_everything_that_can_be_pressed_has_a_row() -> None:
    made = {"member": 1, "logged": "1:2", "nudge": "0a", "welcome": "0b"}
    ids = [control.custom_id.format_map(made) for control in CONTROLS]
    assert len(patterns()) > 20
    for pattern in patterns():
        assert any(re.fullmatch(pattern, one) for one in ids), f"say for whom this is: {pattern}"
    for one in ids:
        assert sum(declared.pattern.fullmatch(one) is not None for declared in declared_handlers()) == 1, one


def component(kind: int, custom_id: str) -> dict[str, Any]:
    """A control as a message carries it."""
    if kind == 2:
        return {"type": kind, "id": 2, "custom_id": custom_id, "style": 2, "label": "Press"}
    options = {"options": [{"label": "One", "value": "1"}]} if kind == 3 else {}
    return {"type": kind, "id": 2, "custom_id": custom_id, "min_values": 0, "max_values": 25, **options}


async def test_a_control_that_is_not_on_the_message_does_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path / "spade.db", BEGAN) as on:
        here, _ = await scene(on)
        logged = (await here.run("manager", here.general, ("log",), {"user": "rafa"})).original
        assert logged is not None
        before = await here.record()
        member = here.people["member"]
        told = await (await here.press("member", logged, f"spade:privacy:{member.id}:erase")).wait()
        assert said(told).startswith(already_settled())
        assert await here.record() == before


async def test_every_control_is_for_whom_it_was_made_and_works_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cooldowns, "_now", count(1000.0, 11.0).__next__)  # nobody is as fast as a test
    async with stage(tmp_path / "spade.db", BEGAN) as on:
        here, _ = await scene(on)
        world, manager = on.sandbox.world, here.people["manager"]
        await here.run("owner", here.general, ("setup",), {"manager": "mate"})
        for name in ("helper", "ida", "jon"):
            await on.heard(world.messages.post(here.general, here.people[name], "Hello", mentions=[manager]).id)
        for who in ("manager", "mate"):
            await here.run(who, here.general, ("nudges", "on"), {})
        on.clock.set(BEGAN + timedelta(days=1, hours=5))
        await on.tick()
        welcome, nudge = on.sandbox.dms(manager)[0], on.sandbox.dms(manager)[-1]
        logged = (await here.run("manager", here.general, ("log",), {"user": "rafa"})).original
        assert logged is not None
        made: dict[str, object] = {name: user.id for name, user in here.people.items()}
        made |= {"general": here.general.id, "quiet": here.quiet.id}
        made |= {"logged": ":".join(logged.controls()[0]["custom_id"].split(":")[2:4])}
        made |= {"nudge": nudge.controls()[1]["custom_id"].split(":")[2]}
        made |= {"welcome": welcome.controls()[0]["custom_id"].split(":")[2]}
        refused_words = {*refusal_words(), not_your_nudge(), privacy.not_about_you()}
        allowed = refused = replays = 0
        asked: list[PostedMessage] = []

        async def press(control: Control, who: str, place: Channel | None) -> str:
            source = logged
            if control.in_dm:
                source = welcome if "welcome" in control.custom_id else nudge
            if control.custom_id.endswith("colleague"):
                source = asked[-1]
                source.content = ""
            custom_id = control.custom_id.format_map(made)
            # The message has the control at each press, as when two presses reach Discord before it is edited.
            source.components = [{"type": 1, "id": 1, "components": [component(control.kind, custom_id)]}]
            answer = await here.press(
                who,
                source,
                custom_id,
                None if control.values is None else [one.format_map(made) for one in control.values],
                kind=control.kind,
                channel=place,
                form=control.form,
            )
            await answer.until(lambda now: now.responded or now.error)
            if not (control.in_dm and who == "manager" and place is not None):
                await answer.wait()
            assert answer.error is None, (control, who)
            if control.custom_id.endswith("hand_over") and who == "manager" and place is not None:
                await answer.wait()
                asked.append(answer.messages[-1])
            if control.custom_id.endswith("colleague"):  # the list itself gives way to what became of it
                await on.sandbox.until(lambda: source.content or said(answer))
                return source.content or said(answer)
            return said(answer)

        for control in CONTROLS:
            home = world.dms.channel_with(manager) if control.in_dm else None
            outside = None if control.in_dm else world.dms.channel_with(manager)
            for who in HERE:
                if control.for_whom is None or who in control.for_whom:
                    continue
                before = await here.record()
                told = await press(control, who, None if home is None else world.dms.channel_with(here.people[who]))
                assert any(words in told for words in refused_words), (control, who, told)
                assert await here.record() == before, (control, who)
                refused += 1
            before = await here.record()
            for who, place in (("stranger", here.kitchen), ("manager", outside)):
                told = await press(control, who, place)
                assert not any(secret in told for secret in here.secrets()), (control, place, told)
                assert await here.record() == before, (control, place)
                if control.for_whom is not None and (
                    who == "manager" or not control.custom_id.startswith("spade:setup")
                ):
                    assert any(words in told for words in refused_words), (control, place, told)
                refused += 1
            for who in HERE:
                if control.for_whom is not None and who not in control.for_whom:
                    continue
                before = await here.record()
                told = await press(control, who, home)
                assert not any(words in told for words in refused_words), (control, who, told)
                if control.once:
                    async with asyncio.timeout(PATIENCE):
                        while await here.record() == before:
                            await asyncio.sleep(0.02)
                after = await here.record()
                allowed += 1
                await press(control, who, home)
                assert await here.record() == after, (control, who, "replayed")
                replays += 1
        assert allowed + refused == len(CONTROLS) * (len(HERE) + 2)
        print(f"controls: {allowed} allowed, {refused} refused, {replays} replays changed nothing")
