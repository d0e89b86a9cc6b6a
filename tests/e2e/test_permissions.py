"""Who may do what: every command, menu and button, by everybody, whatever a client offers them.

The interactions are sent past the sandbox's own checks, as a changed client could send them.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox import Answer, Channel, Message, Permission, User
from bot.sandbox.entities import MessageType
from bot.sandbox.options import Resolved, command_options
from bot.store import tables
from bot.views import answers, privacy
from bot.views.nudge import not_your_nudge
from tests.support.moderators import moderators
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
    ("nudges", "zone"): (MANAGERS, {"zone": "UTC"}),
    ("nudges", "off"): (MANAGERS, {}),
    ("privacy", "show"): (ALL, {}),
    ("privacy", "export"): (ALL, {}),
    ("privacy", "opt-out"): (ALL, {}),
    ("privacy", "opt-in"): (ALL, {}),
    ("privacy", "erase"): (ALL, {}),
}
MENUS = {"Relationship": MANAGERS, "Log 1:1": MANAGERS, "Mark answered": MANAGERS}
CASTE = ("owner", "admin", "manager", "member", "stranger")


def refusals() -> set[str]:
    return {
        answers.not_a_manager(),
        answers.not_a_manager_yet(),
        answers.not_allowed(),
        answers.only_in_server(),
        answers.nothing_happened(),
        answers.nudge_sent(None),
    }


class Matrix:
    """The stage with everybody on it."""

    def __init__(self, on: Stage) -> None:
        world = on.sandbox.world
        self.on = on
        self.people: dict[str, User] = {
            name: world.add_user(name, display_name=f"{name.title()} Surname")
            for name in ("owner", "admin", "manager", "member", "stranger", "rafa", "helper")
        }
        self.guild = world.add_guild("Gardeners", owner=self.people["owner"])
        self.other = world.add_guild("Cooks", owner=self.people["stranger"])
        admins = world.add_role(self.guild, "Admins", permissions=int(Permission.ADMINISTRATOR))
        self.general, self.quiet = (world.add_channel(self.guild, name) for name in ("general", "quiet"))
        self.kitchen = world.add_channel(self.other, "kitchen")
        world.add_member(self.guild, self.people["admin"], roles=[admins])
        for name in ("manager", "member", "rafa", "helper"):
            world.add_member(self.guild, self.people[name])

    async def run(self, who: str, channel: Channel, path: tuple[str, ...], options: dict[str, Any]) -> Answer:
        people, world = self.on.sandbox.people, self.on.sandbox.world
        command = people._commands.find(self.guild.id, path[0], 1)
        home = channel if channel.guild_id is not None else self.general
        resolved = Resolved(world, home)
        named = {key: self.people.get(str(value), value) for key, value in options.items()}
        named = {key: self.quiet if value == "quiet" else value for key, value in named.items()}
        chosen = command_options(command, named, path[1:], resolved)
        data = people._command_data(command, resolved) | ({"options": chosen} if chosen else {})
        return await people._open(2, self.people[who], channel, data, name=" ".join(path)).wait()

    async def menu(self, who: str, channel: Channel, name: str, target: User | Message) -> Answer:
        people, world = self.on.sandbox.people, self.on.sandbox.world
        command = people._commands.find(self.guild.id, name, 3 if isinstance(target, Message) else 2)
        resolved = Resolved(world, channel)
        if isinstance(target, Message):
            resolved.add_message(target)
        else:
            resolved.add_user(target.id)
        data = people._command_data(command, resolved) | {"target_id": str(target.id)}
        answer = people._open(2, self.people[who], channel, data, name=name)
        answer.message_type = MessageType.CONTEXT_MENU_COMMAND
        return await answer.wait()

    async def press(self, who: str, message: Message, custom_id: str, values: Iterable[str] | None = None) -> Answer:
        """A press from the guild's channel, whoever the message was for."""
        data: dict[str, Any] = {"custom_id": custom_id, "component_type": 2 if values is None else 3, "id": 1}
        if values is not None:
            data["values"] = list(values)
        people = self.on.sandbox.people
        return await people._open(3, self.people[who], self.general, data, source=message, name=None).wait()

    async def record(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything in the database, once what goes on in the background has ended."""
        for job in self.on.app.reader.progress(self.guild.id):
            await self.on.app.reader.wait(job.job)
        async with self.on.app.database.reading() as connection:
            return {
                table.name: sorted((tuple(row) for row in await connection.execute(table.select())), key=str)
                for table in tables.metadata.sorted_tables
            }


def said(answer: Answer) -> str:
    return " ".join(f"{message.content} {message.embeds}" for message in answer.messages).strip()


async def scene(on: Stage) -> tuple[Matrix, Message]:
    """A manager, somebody who waits for them, and nothing else."""
    here = Matrix(on)
    await on.sandbox.until(lambda: on.sandbox.commands.available(here.other.id), 20)
    setup = {"manager": "manager", "digest_channel": here.general, "time_zone": "UTC"}
    assert "set up" in said(await here.run("owner", here.general, ("setup",), setup))
    question = on.sandbox.world.post(here.general, here.people["rafa"], "Hello", mentions=[here.people["manager"]])
    await on.heard(question.id)
    on.clock.set(BEGAN + timedelta(hours=6))
    return here, question


async def test_every_command_and_menu_is_for_those_it_is_documented_for(tmp_path: Path) -> None:
    """Everybody runs everything, in the server, in another one and in a DM."""
    async with stage(tmp_path / "spade.db", BEGAN) as on:
        here, question = await scene(on)
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
            for who in ("member", "owner", "admin", "manager"):
                before = await here.record()
                answer = await here.run(who, here.general, path, options)
                assert answer.ephemeral, path
                if for_whom is None or who in for_whom:
                    assert said(answer).removesuffix(" []") not in refusals(), (path, who, said(answer))
                    assert "Something went wrong" not in said(answer), (path, who)
                    allowed += 1
                else:
                    assert said(answer).removesuffix(" []") in refusals(), (path, who, said(answer))
                    assert await here.record() == before, (path, who)
                    refused += 1
            before = await here.record()
            in_dm = await here.run("manager", on.sandbox.world.dm_with(here.people["manager"]), path, options)
            assert said(in_dm).removesuffix(" []") == answers.only_in_server(), path
            assert await here.record() == before
            refused += 1
            if for_whom == MANAGERS and "user" not in options and "member" not in options:
                elsewhere = await here.run("stranger", here.kitchen, path, options)
                assert said(elsewhere).removesuffix(" []") in refusals(), path
                refused += 1
        for name, for_whom in MENUS.items():
            target: User | Message = question if name == "Mark answered" else here.people["rafa"]
            for who in ("member", "owner", "admin", "manager"):
                before = await here.record()
                answer = await here.menu(who, here.general, name, target)
                if who in for_whom:
                    assert said(answer).removesuffix(" []") not in refusals(), (name, who)
                    allowed += 1
                else:
                    assert said(answer).removesuffix(" []") in refusals(), (name, who)
                    assert await here.record() == before, (name, who)
                    refused += 1
        print(f"commands and menus: {allowed} allowed, {refused} refused, 0 changed by a refused one")


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
        world.add_member(here.other, here.people["rafa"])
        answer = await here.run("stranger", here.kitchen, ("setup",), {"manager": "stranger", "time_zone": "UTC"})
        assert "set up" in said(answer)
        here.people["helper"] = world.add_user("cook")
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


async def test_every_button_is_for_whom_it_was_made_and_works_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.client.UNANSWERED_SECONDS", 0.2)
    async with stage(tmp_path / "spade.db", BEGAN) as on:
        here, question = await scene(on)
        world = on.sandbox.world
        await here.run("manager", here.general, ("nudges", "on"), {})
        on.clock.set(BEGAN + timedelta(days=1, hours=5))
        await on.tick()
        manager = here.people["manager"]
        welcome, nudge = on.sandbox.dms(manager)[0], on.sandbox.dms(manager)[-1]
        lists = {name: (await here.run("manager", here.general, (name,), {})).original for name in ("waiting", "unmet")}
        logged = (await here.run("manager", here.general, ("log",), {"user": "rafa"})).original
        guide = (await here.run("owner", here.general, ("setup",), {})).original
        own = (await here.run("member", here.general, ("privacy", "show"), {})).original
        assert logged is not None
        assert guide is not None
        assert own is not None
        member_id = here.people["member"].id
        refused_words = {*refusals(), not_your_nudge(), privacy.not_about_you()}
        allowed = refused = 0

        async def expect(
            custom_id: str, message: Message, whose: frozenset[str], values: list[str] | None = None
        ) -> None:
            nonlocal allowed, refused
            for who in ("member", "owner", "admin", "manager"):
                if who in whose:
                    continue
                before = await here.record()
                told = said(await here.press(who, message, custom_id, values)).removesuffix(" []")
                assert any(words in told for words in refused_words), (custom_id, who, told)
                assert await here.record() == before, (custom_id, who)
                refused += 1
            for who in sorted(whose):
                answer = await here.press(who, message, custom_id, values)
                told = said(answer)
                assert not any(words in told for words in refused_words), (custom_id, who, told)
                assert answer.error is None
                allowed += 1

        for name, shown in lists.items():
            assert shown is not None
            for button in ("previous", "next", "again"):
                await expect(f"spade:{name}:1:{button}", shown, MANAGERS)
        for page in ("when", "history", "who"):
            await expect(f"spade:setup:go:{page}", guide, SETTERS)
        await expect("spade:setup:set:weekday", guide, SETTERS, ["3"])
        await expect("spade:setup:set:digest", guide, SETTERS, [str(here.general.id)])
        await expect("spade:setup:set:exclude", guide, SETTERS, [])
        await expect("spade:setup:set:history", guide, SETTERS, ["0"])
        take_back = logged.controls()[0]["custom_id"]
        stolen = await here.press("owner", logged, take_back)
        assert answers.not_a_manager_yet() in said(stolen)
        assert "Taken back" in said(await here.press("manager", logged, take_back))
        before = await here.record()
        assert "nothing of yours" in said(await here.press("manager", logged, take_back)), "replayed"
        assert await here.record() == before
        for deed in ("export", "opt_out", "opt_in", "ask"):
            await expect(f"spade:privacy:{member_id}:{deed}", own, frozenset({"member"}))
        await expect(f"spade:privacy:{member_id}:erase", own, frozenset({"member"}))
        before = await here.record()
        assert "Nothing was stored" in said(await here.press("member", own, f"spade:privacy:{member_id}:erase"))
        assert await here.record() == before, "replayed"
        done = next(item["custom_id"] for item in nudge.controls() if item.get("label") == "Done")
        for who in ("member", "owner", "admin"):
            before = await here.record()
            assert not_your_nudge() in said(await here.press(who, nudge, done))
            assert await here.record() == before
        stop = next(item["custom_id"] for item in welcome.controls() if item.get("custom_id"))
        for who in ("member", "owner", "admin"):
            before = await here.record()
            await here.press(who, welcome, stop)
            assert await here.record() == before
        pressed = await on.sandbox.people.press(manager, nudge, done)
        await on.sandbox.until(lambda: pressed.responded)
        await on.app.follower.settle()
        before = await here.record()
        again = on.sandbox.people._open(
            3,
            manager,
            world.dm_with(manager),
            {"custom_id": done, "component_type": 2, "id": 1},
            source=nudge,
            name=None,
        )
        await again.wait()
        assert await here.record() == before, "replayed"
        assert question.id
        print(f"buttons: {allowed} allowed, {refused + 7} refused, 3 replays changed nothing")
