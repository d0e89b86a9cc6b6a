"""The real entry point as a process of its own, against the sandbox."""

import asyncio
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.sandbox import Channel, Guild, Sandbox
from bot.sandbox.gateway.gateway import HandshakeMoment
from bot.services.guild.restoration import restore
from tests import openapi
from tests.support.days import DAYS
from tests.support.moderators import moderators
from tests.support.patience import PATIENCE

SPADE = [str(Path(sys.executable).parent / "spade")]


@asynccontextmanager
async def spade(folder: Path, *arguments: str, token: str | None = None) -> AsyncIterator[asyncio.subprocess.Process]:
    """A spade process in a folder of its own; ended, by its id, when the test leaves."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SPADE_")}
    if token is not None:
        environment["SPADE_TOKEN"] = token
    process = await asyncio.create_subprocess_exec(
        *SPADE,
        *arguments,
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ended(folder: Path, *arguments: str, token: str | None = None) -> tuple[int | None, str]:
    """Exit status and standard error of a command that ends by itself."""
    async with spade(folder, *arguments, token=token) as process:
        _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
        return process.returncode, errors.decode()


def town(sandbox: Sandbox) -> tuple[Guild, Channel]:
    world = sandbox.world
    guild = world.guilds.add("Gardeners", owner=world.users.add("olga"))
    return guild, world.channels.add(guild, "general")


async def test_the_bot_greets_nudges_and_stops_cleanly(tmp_path: Path) -> None:
    """A manager sets Spade up, a member waits, and the DM says so; then the process ends with status 0."""
    async with Sandbox(now=lambda: datetime.now(UTC)) as sandbox:
        openapi.watch(sandbox)
        world, people = sandbox.world, sandbox.people
        guild, general = town(sandbox)
        manager = world.users.add("mia", display_name="Mia")
        member = world.users.add("rafa", display_name="Rafa")
        for user in (manager, member):
            world.members.add(guild, user)
        moderators(world, guild, manager)
        async with spade(tmp_path, "run", "--discord-url", sandbox.url, token=sandbox.token) as process:
            await sandbox.connected()
            await sandbox.until(lambda: sandbox.commands.available(guild.id))
            setup = await people.run_command(
                guild.owner_id,
                general,
                "setup",
                {"manager": manager, "digest_channel": general, "time_zone": "Europe/Berlin"},
            )
            assert "Mia" in (await setup.wait()).text
            on = await people.run_command(manager, general, "nudges", subcommands=("on",))
            assert "first message" in (await on.wait()).text
            (welcome,) = sandbox.dms(manager)
            assert welcome.embeds[0]["title"] == "Hello, this is Spade"
            # A question of five hours ago, recorded now: ids carry the time.
            question = world.messages.post(
                general,
                member,
                "@Mia, how do I water a cactus?",
                mentions=[manager],
                message_id=world.state.ids.make(),
            )
            assert question.pings.users == {manager.id}
            preview = await people.run_command(manager, general, "nudges", subcommands=("preview",))
            assert "Nobody needs a word" in (await preview.wait()).text
            await asyncio.sleep(0.1)
            with closing(sqlite3.connect(tmp_path / "spade.db")) as database:
                assert database.execute("SELECT message_id FROM waiting").fetchall() == [(question.id,)]
            process.send_signal(signal.SIGTERM)
            _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
            assert process.returncode == 0, errors.decode()
            assert b"Traceback" not in errors
        assert not any(message.pings for message in sandbox.dms(manager))
        assert (tmp_path / "spade.db").stat().st_mode & 0o777 == 0o600


async def test_a_nudge_is_sent_by_the_process_and_its_button_works(tmp_path: Path) -> None:
    """Whoever has waited long enough by Discord's clock is in the DM, however wrong the machine's; *Done* settles them.

    To the machine, Discord's time is two days ahead.
    """
    time = {"now": datetime.now(UTC) + timedelta(days=2)}
    async with Sandbox(now=lambda: time["now"]) as sandbox:
        world, people = sandbox.world, sandbox.people
        guild, general = town(sandbox)
        manager = world.users.add("mia", display_name="Mia")
        member = world.users.add("rafa", display_name="Rafa")
        for user in (manager, member):
            world.members.add(guild, user)
        moderators(world, guild, manager)
        async with spade(tmp_path, "run", "--discord-url", sandbox.url, token=sandbox.token) as process:
            await sandbox.connected()
            await sandbox.until(lambda: sandbox.commands.available(guild.id))
            await (
                await people.run_command(guild.owner_id, general, "setup", {"manager": manager, "time_zone": "UTC"})
            ).wait()
            await (await people.run_command(manager, general, "nudges", subcommands=("on",))).wait()
            thread = world.threads.start(general, "cacti", member)
            world.messages.post(thread, member, "How do I water a cactus?")
            early = await people.run_command(manager, general, "nudges", subcommands=("now",))
            assert "Sent" not in (await early.wait()).text
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.communicate(), PATIENCE)
        time["now"] += timedelta(hours=6)  # in a running process that would be a date to be doubted
        async with spade(tmp_path, "run", "--discord-url", sandbox.url, token=sandbox.token):
            await sandbox.connected()
            answer = await people.run_command(manager, general, "nudges", subcommands=("now",))
            assert "Sent" in (await answer.wait()).text
            nudge = sandbox.dms(manager)[-1]
            assert "Rafa" in nudge.embeds[0]["fields"][0]["name"]
            await people.press(manager, nudge, "Done")
            await sandbox.until(lambda: "All settled" in str(sandbox.dms(manager)[-1].embeds))


async def test_a_wrong_token_is_one_sentence(tmp_path: Path) -> None:
    async with Sandbox(now=lambda: datetime.now(UTC)) as sandbox:
        status, errors = await ended(tmp_path, "run", "--discord-url", sandbox.url, token="wrong.token.here")
    assert status == 1
    assert [line for line in errors.splitlines() if line.startswith("spade: ")] == [
        (
            "spade: Discord does not accept the token in SPADE_TOKEN: copy it again from the page Bot of your "
            "application, or reset it there"
        )
    ]
    assert "Traceback" not in errors


async def test_a_refused_intent_is_one_sentence(tmp_path: Path) -> None:
    async with Sandbox(now=lambda: datetime.now(UTC), strict=False) as sandbox:
        town(sandbox)
        running = asyncio.create_task(ended(tmp_path, "run", "--discord-url", sandbox.url, token=sandbox.token))
        await sandbox.connected()
        sandbox.faults.gateway.close(4014, resume=False)
        status, errors = await running
    assert status == 1
    assert "an intent is not granted (4014)" in errors
    assert "Traceback" not in errors


async def test_without_a_network_it_says_so_and_waits_for_one(tmp_path: Path) -> None:
    """Nobody is there when it starts; when somebody is, it connects, and a closed terminal ends it cleanly."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    async with spade(tmp_path, "run", "--discord-url", f"http://127.0.0.1:{port}", token="a.b.c") as process:
        assert process.stderr is not None
        lines: list[bytes] = []
        while not lines or b"Trying again" not in lines[-1]:
            lines.append(await asyncio.wait_for(process.stderr.readline(), PATIENCE))
        assert b"Discord cannot be reached" in lines[-1]
        async with Sandbox(now=lambda: datetime.now(UTC), token="a.b.c", port=port) as sandbox:
            await sandbox.connected()
            process.send_signal(signal.SIGHUP)
            _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0
    assert b"Traceback" not in b"".join(lines) + errors


async def test_another_machine_is_refused(tmp_path: Path) -> None:
    """A token never goes to an address that is not this machine."""
    status, errors = await ended(tmp_path, "run", "--discord-url", "http://192.0.2.1:80", token="a.b.c")
    assert status == 2
    assert "is no sandbox on this machine" in errors


async def test_missing_token_config_and_typos_are_one_sentence_each(tmp_path: Path) -> None:
    status, errors = await ended(tmp_path, "run")
    assert (status, "SPADE_TOKEN" in errors, errors.count("\n")) == (1, True, 1)
    status, errors = await ended(tmp_path, "run", "--config", "nowhere.yaml", token="a.b.c")
    assert (status, "nowhere.yaml" in errors, errors.count("\n")) == (1, True, 1)
    (tmp_path / "config.yaml").write_text("databse: sqlite:///x.db\n")
    status, errors = await ended(tmp_path, "run", token="a.b.c")
    assert (status, "databse" in errors, "line 1" in errors, "database" in errors) == (1, True, True, True)
    assert "Traceback" not in errors


async def test_broken_exports_are_named_and_the_rest_is_imported(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    good = (
        '{"guild": {"id": "1"}, "channel": {"id": "20", "type": "GuildTextChat"}, "messages": '
        '[{"id": "1473332032706332132", "type": "Default", "content": "", "author": {"id": "5"}, "mentions": []}]}'
    )
    (folder / "good.json").write_text(good)
    (folder / "cut.json").write_text(good[:-40])
    status, errors = await ended(tmp_path, "import", "exports", "nowhere", "--manager", "7", "--json")
    assert status == 1
    assert "cut.json" in errors
    assert "nowhere" in errors
    assert "Traceback" not in errors
    with closing(sqlite3.connect(tmp_path / "spade.db")) as database:
        assert database.execute(f"SELECT member_id, messages FROM ({DAYS})").fetchall() == [(5, 1)]


async def test_a_gateway_that_does_not_answer_at_first_is_waited_for_without_a_traceback(tmp_path: Path) -> None:
    async with Sandbox(now=lambda: datetime.now(UTC)) as sandbox:
        guild, _ = town(sandbox)
        sandbox.faults.gateway.fail_handshakes(HandshakeMoment.REQUEST, 503)
        async with spade(tmp_path, "run", "--discord-url", sandbox.url, token=sandbox.token) as process:
            await sandbox.until(lambda: sandbox.gateway.handshakes_failed >= 3)
            sandbox.faults.gateway.accept_handshakes()
            await sandbox.connected()
            await sandbox.until(lambda: sandbox.commands.available(guild.id))
            process.send_signal(signal.SIGTERM)
            _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0
        assert "Traceback" not in errors.decode()
        assert errors.decode().count("Not connected to Discord: the gateway answered 503") == 1


async def test_a_database_that_is_deleted_or_damaged_stops_the_bot_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "spade.db"
    async with Sandbox(now=lambda: datetime.now(UTC)) as sandbox:
        world = sandbox.world
        _, general = town(sandbox)
        member = world.users.add("rafa")
        run = ("run", "--discord-url", sandbox.url)

        async def talked(process: asyncio.subprocess.Process) -> None:
            """Wait until a message is on record."""
            await sandbox.connected()
            world.messages.post(general, member, "words")
            async with asyncio.timeout(PATIENCE):
                while process.returncode is None and not rows(path):
                    await asyncio.sleep(0.05)

        async with spade(tmp_path, *run, token=sandbox.token) as process:
            await talked(process)
            path.unlink()
            _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
            said = errors.decode()
            assert process.returncode == 1, said
            assert "Traceback" not in said
            assert "was deleted or moved while Spade was running: nothing was recorded since" in said
            (copy,) = tmp_path.glob("spade.db.backup-*")
            assert f"What it held was saved: `spade restore {copy.name}` puts it back." in said
            assert rows(copy) == 1
        status, said = await ended(tmp_path, *run, token=sandbox.token)
        assert status == 1
        assert f"restore the newest backup with `spade restore {copy.name}`" in said
        assert not path.exists()
        await restore(path, copy, datetime.now(UTC))
        with closing(sqlite3.connect(path)) as connection:
            query = "SELECT rootpage FROM sqlite_schema WHERE name IN ('activity', 'sqlite_autoindex_activity_1')"
            pages = [page for (page,) in connection.execute(query)]
        async with spade(tmp_path, *run, token=sandbox.token) as process:
            await sandbox.connected()
            with path.open("r+b") as file:
                for page in pages:
                    file.seek((page - 1) * 4096)
                    file.write(b"\xff" * 4096)
            world.messages.post(general, member, "more words")
            _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
            said = errors.decode()
            assert process.returncode == 1, said
            assert "Traceback" not in said
            assert "Recording waits" not in said
            assert said.count("is damaged (") == 1
            assert f"put the newest backup in its place with `spade restore {copy.name}`" in said


def rows(path: Path) -> int:
    """How many messages are on record."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return int(connection.execute(f"SELECT coalesce(sum(messages), 0) FROM ({DAYS})").fetchone()[0])
