"""Commands, buttons, selects and modals between people in the sandbox and a stock discord.py client."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
import pytest
from discord import app_commands, ui

from bot.sandbox import MANAGER, Permission, Response
from tests.integration.test_sandbox_client import PLAIN, WITH_DMS, Client, connected, town
from tests.integration.test_sandbox_messages import send_raw

Click = discord.Interaction[Client]


class Note(ui.Modal, title="A note"):
    """A form in both styles discord.py knows."""

    subject: ui.TextInput[Any] = ui.TextInput(label="Subject", custom_id="subject", max_length=20)
    kind: ui.Label[Any] = ui.Label(
        text="Kind",
        component=ui.Select(
            custom_id="kind",
            options=[discord.SelectOption(label="Call", value="call"), discord.SelectOption(label="DM")],
        ),
    )

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        assert isinstance(self.kind.component, ui.Select)
        text = f"{self.subject.value} by {self.kind.component.values[0]}"
        await interaction.response.send_message(text, ephemeral=True)


class Panel(ui.View):
    """Buttons and a select that answer in every way there is."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @ui.button(label="Update", custom_id="update")
    async def update(self, interaction: Click, _button: Any) -> None:
        await interaction.response.edit_message(content="updated", view=None)

    @ui.button(label="Later", custom_id="later")
    async def later(self, interaction: Click, _button: Any) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="updated later")
        await interaction.followup.send("and a word", ephemeral=True)

    @ui.button(label="Ask", custom_id="ask")
    async def ask(self, interaction: Click, _button: Any) -> None:
        await interaction.response.send_modal(Note())

    @ui.button(label="Who", custom_id="who")
    async def who(self, interaction: Click, _button: Any) -> None:
        place = "a guild" if interaction.guild_id else "a DM"
        await interaction.response.send_message(f"{interaction.user.name} in {place}", ephemeral=True)

    @ui.select(cls=ui.UserSelect, custom_id="people", max_values=2)
    async def people(self, interaction: Click, chosen: ui.UserSelect[Any]) -> None:
        await interaction.response.send_message(" and ".join(user.name for user in chosen.values))

    @ui.select(
        custom_id="colour",
        options=[discord.SelectOption(label="Red", value="r"), discord.SelectOption(label="Blue", value="b")],
    )
    async def colour(self, interaction: Click, chosen: ui.Select[Any]) -> None:
        await interaction.response.edit_message(content=chosen.values[0])


def prepare(client: Client) -> None:
    """Register commands of every shape."""
    tree = client.tree
    client.add_view(Panel())

    @tree.command(description="Say hello")
    @app_commands.describe(who="Whom", times="How often")
    @app_commands.guild_only()
    async def hello(
        interaction: Click, who: discord.Member, times: app_commands.Range[int, 1, 3] = 1, loud: bool = False
    ) -> None:
        text = f"hello {who.display_name} {times} {loud} {who.roles[-1].name}"
        await interaction.response.send_message(text, ephemeral=True, view=Panel())

    @tree.command(description="Take your time")
    async def slow(interaction: Click, hidden: bool = True) -> None:
        await interaction.response.defer(ephemeral=hidden, thinking=True)
        await interaction.followup.send("first")
        await interaction.followup.send("second", ephemeral=hidden)
        await interaction.edit_original_response(content="first, edited")

    @tree.command(description="Find a thing")
    async def find(interaction: Click, thing: str) -> None:
        await interaction.response.send_message(f"found {thing}")

    @find.autocomplete("thing")
    async def things(_interaction: Click, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=n, value=n) for n in ("spade", "spoon", "rake") if typed in n]

    @tree.command(description="Only for managers")
    @app_commands.default_permissions(manage_guild=True)
    async def setup(interaction: Click, channel: discord.TextChannel, role: discord.Role) -> None:
        await interaction.response.send_message(f"{channel.name} {role.name} {interaction.permissions.manage_guild}")

    @tree.command(description="Never answers")
    async def mute(_interaction: Click) -> None:
        return

    group = app_commands.Group(name="nudges", description="Nudges")

    @group.command(description="Turn on")
    async def on(interaction: Click, hour: int) -> None:
        await interaction.response.send_message(f"on at {hour}")

    tree.add_command(group)

    @tree.context_menu(name="Relationship")
    async def relationship(interaction: Click, member: discord.Member) -> None:
        await interaction.response.send_message(f"you and {member.name}", ephemeral=True)

    @tree.context_menu(name="Mark answered")
    async def answered(interaction: Click, message: discord.Message) -> None:
        await interaction.response.send_message(f"marked {message.content}", ephemeral=True)


async def test_commands_are_registered_and_keep_their_ids() -> None:
    async with town() as t, connected(t.sandbox, prepare=prepare) as client:
        names = {command["name"] for command in t.sandbox.commands.all()}
        assert names == {"hello", "slow", "find", "setup", "mute", "nudges", "Relationship", "Mark answered"}
        before = {command.name: command.id for command in await client.tree.fetch_commands()}
        assert {command.name: command.id for command in await client.tree.sync()} == before
        guild = discord.Object(t.guild.id)
        client.tree.copy_global_to(guild=guild)
        assert len(await client.tree.sync(guild=guild)) == len(names)
        client.tree.clear_commands(guild=guild)
        assert await client.tree.sync(guild=guild) == []
        fetched = await client.tree.fetch_command(before["hello"])
        await fetched.delete()
        assert "hello" not in {command["name"] for command in t.sandbox.commands.all()}


async def test_a_slash_command_with_options() -> None:
    async with town() as t, connected(t.sandbox, prepare=prepare):
        crew = t.world.roles.add(t.guild, "crew")
        t.world.roles.give(crew, t.ben)
        people = t.sandbox.people
        answer = await people.run_command(t.ann, t.square, "hello", {"who": t.ben, "times": 2, "loud": True})
        assert (await answer.message()).content == "hello ben 2 True crew"
        assert answer.ephemeral
        assert not answer.deferred
        assert t.square.messages == [], "ephemeral answers do not stand in the channel"
        answer = await people.run_command(t.ann, t.square, "nudges", {"hour": 9}, subcommands=["on"])
        assert (await answer.message()).content == "on at 9"
        assert [message.content for message in t.square.messages] == ["on at 9"]


async def test_what_a_client_would_not_offer_never_reaches_the_bot() -> None:
    async with town() as t, connected(t.sandbox, prepare=prepare):
        people = t.sandbox.people
        for name, more in (("hullo", {}), ("hello", {"whom": t.ben}), ("setup", {}), ("nudges", {})):
            with pytest.raises(LookupError):
                await people.run_command(t.ann, t.square, name, {"who": t.ben} | more)
        incomplete: list[dict[str, object]] = [{}, {"who": t.ben, "times": 4}]
        for options in incomplete:
            with pytest.raises(ValueError, match=r"hello needs|times"):
                await people.run_command(t.ann, t.square, "hello", options)
        with pytest.raises(LookupError):
            await people.run_command(t.ann, t.world.dms.channel_with(t.ann), "hello", {"who": t.ben})
        chief = t.world.roles.add(t.guild, "chief", permissions=MANAGER)
        t.world.roles.give(chief, t.ann)
        answer = await people.run_command(t.ann, t.square, "setup", {"channel": t.square, "role": chief.id})
        assert (await answer.message()).content == "square chief True"


async def test_the_first_follow_up_after_a_defer_fills_the_placeholder() -> None:
    async with town() as t, connected(t.sandbox, prepare=prepare):
        answer = await t.sandbox.people.run_command(t.ann, t.square, "slow")
        await answer.until(lambda a: a.edits)
        assert answer.deferred
        assert answer.ephemeral
        assert [message.content for message in answer.messages] == ["first, edited", "second"]
        assert not answer.messages[0].loading
        shown = await t.sandbox.people.run_command(t.ann, t.square, "slow", {"hidden": False})
        await shown.until(lambda a: a.edits)
        assert [message.content for message in t.square.messages] == ["first, edited", "second"]


async def test_autocomplete() -> None:
    async with town() as t, connected(t.sandbox, prepare=prepare):
        answer = await t.sandbox.people.autocomplete(t.ann, t.square, "find", "thing", "sp")
        await answer.wait()
        assert answer.choices is not None
        assert [choice["value"] for choice in answer.choices] == ["spade", "spoon"]


async def test_context_menus() -> None:
    async with town() as t, connected(t.sandbox, prepare=prepare):
        message = t.world.messages.post(t.square, t.ben, "a question")
        on_user = await t.sandbox.people.run_context_menu(t.ann, t.square, "Relationship", t.ben)
        on_message = await t.sandbox.people.run_context_menu(t.ann, t.square, "Mark answered", message)
        assert (await on_user.message()).content == "you and ben"
        assert (await on_message.message()).content == "marked a question"


async def test_pressing_choosing_and_filling_in() -> None:
    async with town() as t, connected(t.sandbox, prepare=prepare):
        answer = await t.sandbox.people.run_command(t.ann, t.square, "hello", {"who": t.ben})
        later = await answer.press("Later")
        await later.until(lambda a: len(a.messages) == 1)
        assert later.deferred
        assert answer.text == "updated later"
        assert later.messages[0].content == "and a word"
        people = await answer.select([t.ann, t.ben], custom_id="people")
        assert (await people.message()).content == "ann and ben"
        colour = await answer.select(["Blue"], custom_id="colour")
        assert (await colour.message()).content == "b"
        form = await (await answer.press("Ask")).wait()
        assert form.modal is not None
        assert [item["label"] for item in form.inputs()] == ["Subject", "Kind"]
        with pytest.raises(ValueError, match="length"):
            await form.submit({"Subject": "x" * 21, "Kind": "Call"})
        sent = await form.submit({"Subject": "Lunch", "kind": "Call"})
        assert (await sent.message()).content == "Lunch by call"
        done = await answer.press("update")
        assert (await done.message()) is answer.original
        assert answer.text == "updated"
        with pytest.raises(LookupError):
            await answer.press("update")
        with pytest.raises(LookupError):
            await t.sandbox.people.press(t.ben, await sent.message(), "update")


async def test_pressing_in_a_dm_brings_a_user_and_no_guild() -> None:
    async with town() as t, connected(t.sandbox, WITH_DMS, prepare) as client:
        user = await client.fetch_user(t.ann.id)
        await user.send("panel", view=Panel())
        panel = t.sandbox.dms(t.ann)[0]
        answer = await t.sandbox.people.press(t.ann, panel, "Who")
        assert (await answer.message()).content == "ann in a DM"
        payload = client.last("interaction")[0]
        assert payload.guild_id is None
        assert isinstance(payload.user, discord.User)
        update = await t.sandbox.people.press(t.ann, panel, "Update")
        await update.wait()
        assert panel.content == "updated"
        assert panel.components == []
        with pytest.raises(LookupError):
            await t.sandbox.people.press(t.ben, panel, "Who")


async def test_a_second_answer_and_a_late_one_are_refused() -> None:
    errors: list[discord.HTTPException] = []
    held: list[Click] = []

    def register(client: Client) -> None:
        @client.tree.command(description="Twice")
        async def twice(interaction: Click) -> None:
            await interaction.response.send_message("once")
            interaction.response._response_type = None
            try:
                await interaction.response.send_message("twice")
            except discord.HTTPException as error:
                errors.append(error)

        @client.tree.command(description="Late")
        async def late(interaction: Click) -> None:
            held.append(interaction)

    async with town() as t, connected(t.sandbox, PLAIN, register):
        people = t.sandbox.people
        await (await people.run_command(t.ann, t.square, "twice")).wait()
        await t.sandbox.until(lambda: errors)
        assert errors[0].code == 40060
        answer = await people.run_command(t.ann, t.square, "late")
        await t.sandbox.until(lambda: held)
        t.sandbox.interactions.age(answer, 3.1)
        with pytest.raises(AssertionError, match="did not respond"):
            await answer.wait()
        with pytest.raises(discord.NotFound) as refused:
            await held[0].response.send_message("too late")
        assert refused.value.code == 10062
        answer = await people.run_command(t.ann, t.square, "late")
        await t.sandbox.until(lambda: len(held) == 2)
        with pytest.raises(discord.NotFound) as early:
            await held[1].followup.send("too early")
        assert early.value.code == 10015
        await held[1].response.send_message("in time")
        t.sandbox.interactions.age(answer, 901)
        with pytest.raises(discord.HTTPException) as over:
            await held[1].followup.send("much later")
        assert over.value.code == 50027
        assert answer.text == "in time"


async def test_nobody_answers() -> None:
    async with town() as t, connected(t.sandbox, prepare=prepare):
        t.sandbox.interactions.answer_seconds = 0.05
        answer = await t.sandbox.people.run_command(t.ann, t.square, "mute")
        await asyncio.sleep(0.1)
        assert answer.error == "The application did not respond"
        t.sandbox.interactions.answer_seconds = 3.0
    assert isinstance(answer, Response)


async def test_the_callback_answers_with_what_was_made() -> None:
    async with town() as t, connected(t.sandbox, prepare=prepare):
        answers = []
        for kind in (4, 5):
            answer = await t.sandbox.people.run_command(t.ann, t.square, "mute")
            path = f"/interactions/{answer.id}/{answer.token}/callback"
            body = {"type": kind, "data": {"content": "hi"} if kind == 4 else {}}
            answers.append(await send_raw(t, "POST", path + "?with_response=1", json=body))
        (status, made), (_, deferred) = answers
        assert status == 200
        assert made["resource"]["message"]["content"] == "hi"
        assert made["interaction"]["response_message_id"] == made["resource"]["message"]["id"]
        assert deferred["interaction"]["response_message_loading"] is True
        answer = await t.sandbox.people.run_command(t.ann, t.square, "mute")
        path = f"/interactions/{answer.id}/{answer.token}/callback"
        status, error = await send_raw(t, "POST", path, json={"type": 7, "data": {}})
        assert (status, error["code"]) == (400, 50035)
        assert (await send_raw(t, "POST", path, json={"type": 5}))[0] == 204
        hook = f"/webhooks/{t.world.state.application_id}/{answer.token}/messages/@original"
        assert (await send_raw(t, "GET", hook))[1]["flags"] & 128
        assert (await send_raw(t, "DELETE", hook))[0] == 204
        assert answer.deleted
        assert (await send_raw(t, "GET", hook))[1]["code"] == 10008


async def test_pressing_what_one_cannot_see() -> None:
    async with town() as t, connected(t.sandbox, prepare=prepare) as client:
        await client.get_channel(t.square.id).send("panel", view=Panel())
        t.world.channels.set_overwrite(t.square, t.ben, deny=Permission.VIEW_CHANNEL)
        with pytest.raises(LookupError):
            await t.sandbox.people.press(t.ben, t.square.messages[0], "Who")
        answer = await t.sandbox.people.press(t.ann, t.square.messages[0], "Who")
        assert (await answer.message()).content == "ann in a guild"
        assert answer.ephemeral


async def test_follow_ups_are_read_edited_and_deleted() -> None:
    steps: list[str] = []

    def register(client: Client) -> None:
        @client.tree.command(description="Several messages")
        async def several(interaction: Click) -> None:
            await interaction.response.send_message("original")
            original = await interaction.original_response()
            steps.append(original.content)
            follow = await interaction.followup.send("follow", wait=True)
            await follow.edit(content="followed")
            hidden = await interaction.followup.send("hidden", ephemeral=True, wait=True)
            await hidden.edit(content="still hidden")
            steps.append((await interaction.followup.fetch_message(follow.id)).content)
            await follow.delete()
            await hidden.delete()
            await interaction.delete_original_response()
            steps.append("done")

    async with town() as t, connected(t.sandbox, PLAIN, register) as client:
        answer = await t.sandbox.people.run_command(t.ann, t.square, "several")
        await t.sandbox.until(lambda: len(steps) == 3)
        assert steps == ["original", "followed", "done"]
        assert answer.deleted
        assert answer.messages == []
        assert t.square.messages == []
        await t.sandbox.until(lambda: client.count("raw_message_delete") == 2)
        assert [m.content for m in client.heard] == ["original", "follow"], "ephemeral ones are not announced"
        assert client.heard[0].type is discord.MessageType.chat_input_command
        assert t.sandbox.interactions.responses_to(t.ann) == [answer]


async def test_options_of_every_kind() -> None:
    def register(client: Client) -> None:
        @client.tree.command(description="All kinds")
        @app_commands.choices(kind=[app_commands.Choice(name="Phone call", value="call")])
        async def every(
            interaction: Click,
            place: discord.TextChannel | discord.Thread,
            anyone: discord.Member | discord.Role,
            share: app_commands.Range[float, 0, 1],
            kind: str,
        ) -> None:
            text = f"{place.name} {anyone.name} {share} {kind}"
            await interaction.response.send_message(text, ephemeral=True)

    async with town() as t, connected(t.sandbox, PLAIN, register):
        run = t.sandbox.people.run_command
        crew = t.world.roles.add(t.guild, "crew")
        thread = t.world.threads.start(t.square, "side", t.ann)
        chosen = {"place": thread, "anyone": crew, "share": 0.5, "kind": "Phone call"}
        assert (await (await run(t.ann, t.square, "every", chosen)).message()).content == "side crew 0.5 call"
        chosen |= {"place": t.square.id, "anyone": str(t.ben.id)}
        assert (await (await run(t.ann, t.square, "every", chosen)).message()).content == "square ben 0.5 call"
        for wrong in ({"share": 2}, {"share": "many"}, {"kind": "letter"}):
            with pytest.raises(ValueError, match="option"):
                await run(t.ann, t.square, "every", chosen | wrong)
        with pytest.raises(LookupError):
            await run(t.ann, t.square, "every", chosen | {"anyone": 5})


async def test_without_a_bot_nobody_answers() -> None:
    async with town() as t:
        async with connected(t.sandbox, prepare=prepare):
            pass
        await t.sandbox.until(lambda: not t.sandbox.gateway.live)
        answer = await t.sandbox.people.run_command(t.ann, t.square, "mute")
        assert answer.error is not None
        assert "not connected" in answer.error
