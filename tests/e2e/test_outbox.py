"""What is sent once, whatever happens to the request: drops, hangs, errors, limits, a token taken back."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import aiohttp
import discord
import pytest
from sqlalchemy import insert

from bot.app import open_app
from bot.clock import DrivenClock, SystemClock
from bot.config import Settings
from bot.discord_io.connection import invalid_requests
from bot.discord_io.connection.invalid_requests import InvalidRequests
from bot.discord_io.delivery import messenger
from bot.domain.history_job import JobKind
from bot.sandbox import Permission, Sandbox
from bot.store import history_jobs, tables
from tests.support.stage import PATIENCE, connected
from tests.support.team import MONDAY, Team, labels, restarted, team, text_of

SEND = "/channels/{channel_id}/messages"


def deliveries(on: Team, kind: str = "nudge") -> list[tuple[str, str | None]]:
    with closing(sqlite3.connect(on.database)) as connection:
        return connection.execute(
            f"SELECT state, problem FROM delivery WHERE kind = '{kind}' ORDER BY claimed_at"
        ).fetchall()


async def due(on: Team) -> None:
    """Max waits for Ann, and it is time for her nudge; the bot has not looked yet."""
    await on.says(on.max, mentions=[on.ann])
    on.clock.set(MONDAY.replace(hour=10))


async def test_a_reply_that_is_lost_is_settled_by_reading_the_dm(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as before:
        await due(before)
        before.sandbox.faults.requests.lose_reply(method="POST", route=SEND)
        await before.tick()
        assert [state for state, _ in deliveries(before)] == ["unknown"]
        async with restarted(before) as on:
            await on.later(seconds=29)
            assert [state for state, _ in deliveries(on)] == ["unknown"]
            await on.later(seconds=2)
            assert deliveries(on) == [("sent", None)]
            (nudge,) = on.nudges(on.ann)
            await on.press(on.ann, nudge, "Done")
            await on.changed(nudge, "Thank you")


async def test_a_press_on_a_nudge_whose_outcome_is_open_settles_it(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        await due(on)
        on.sandbox.faults.requests.lose_reply(method="POST", route=SEND)
        await on.tick()
        (nudge,) = on.nudges(on.ann)
        await on.press(on.ann, nudge, "Snooze 7 days")
        await on.changed(nudge, "Snoozed")
        assert deliveries(on) == [("sent", None)]


@pytest.mark.parametrize("fault", ["cut", "hang", "503"])
async def test_what_never_arrived_is_sent_again_with_the_same_nonce(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nonces = []
    async with team(tmp_path, on=["ann"]) as on:
        on.sandbox.observe(
            lambda one: nonces.append(one.request["nonce"]) if (one.method, one.template) == ("POST", SEND) else None
        )
        await due(on)
        faults = on.sandbox.faults
        if fault == "cut":
            faults.requests.lose_request(method="POST", route=SEND)
        elif fault == "hang":
            monkeypatch.setattr(messenger, "REQUEST_SECONDS", 0.3)
            faults.requests.hang(method="POST", route=SEND)
        else:
            faults.requests.server_error(503, method="POST", route=SEND)
        await on.tick()
        monkeypatch.undo()
        ((state, problem),) = deliveries(on)
        assert state == "unknown"
        assert problem
        await on.later(seconds=10)
        assert on.nudges(on.ann) == []
        await on.later(seconds=21)
        (nudge,) = on.nudges(on.ann)
        assert deliveries(on) == [("sent", None)]
        with closing(sqlite3.connect(on.database)) as connection:
            assert connection.execute("SELECT nonce FROM delivery WHERE kind = 'nudge'").fetchall() == [(nonces[0],)]
        assert len(nonces[0]) <= 25
        assert labels(nudge)[1] == "Done"


@pytest.mark.parametrize("whole", [True, False])
async def test_a_reply_that_cannot_be_read_is_settled_by_reading_the_dm(tmp_path: Path, whole: bool) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        await due(on)
        faults = on.sandbox.faults.requests
        if whole:
            faults.alter(lambda sent: sent | {"author": None}, method="POST", route=SEND)
        else:
            faults.garble("<html>", method="POST", route=SEND)
        await on.tick()
        assert [state for state, _ in deliveries(on)] == ["unknown"]
        odd = faults.alter(lambda page: [one | {"components": None} for one in page], method="GET", route=SEND, times=2)
        await on.later(seconds=31)
        assert (odd.hits, [state for state, _ in deliveries(on)]) == (1, ["unknown"])  # it may be there
        faults.alter(lambda page: [one | {"embeds": 7, "mentions": None} for one in page], method="GET", route=SEND)
        odd.lift()
        await on.later(seconds=31)
        assert deliveries(on) == [("sent", None)]
        assert len(on.nudges(on.ann)) == 1


async def test_server_errors_and_limits_are_waited_out(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        await due(on)
        on.sandbox.faults.requests.server_error(502, method="POST", route=SEND)
        on.sandbox.faults.requests.rate_limit(0.05, method="POST", route=SEND, everywhere=True)
        await on.tick()
        assert len(on.nudges(on.ann)) == 1
        assert deliveries(on) == [("sent", None)]
        assert on.app.bot.invalid_requests.count == 1


async def test_who_was_answered_meanwhile_is_not_in_what_is_sent_again(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        asks = await on.says(on.ned, mentions=[on.ann])
        await due(on)
        on.sandbox.faults.requests.lose_request(method="POST", route=SEND)
        await on.tick()
        await on.says(on.bea, reply_to=asks)
        await on.later(seconds=40)
        (nudge,) = on.nudges(on.ann)
        assert "✓ 1 · ~~Ned~~\nNo longer needed." in text_of(nudge)
        assert "2 · Max\nHas waited" in text_of(nudge)
        assert "Done" in labels(nudge)
        await on.press(on.ann, nudge, "Done")
        await on.changed(nudge, "~~Max~~")


async def test_a_nudge_that_nobody_needs_any_more_is_not_sent_again(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        asks = await on.says(on.ned, mentions=[on.ann])
        on.clock.set(MONDAY.replace(hour=10))
        on.sandbox.faults.requests.lose_request(method="POST", route=SEND)
        await on.tick()
        await on.says(on.bea, reply_to=asks)
        await on.later(seconds=40)
        assert on.nudges(on.ann) == []
        ((state, problem),) = deliveries(on)
        assert (state, bool(problem)) == ("refused", True)


async def test_a_nudge_whose_day_is_over_is_not_sent_any_more(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        await due(on)
        on.sandbox.faults.requests.lose_request(method="POST", route=SEND)
        await on.tick()
        await on.on(1, hour=1)
        assert [state for state, _ in deliveries(on)] == ["refused"]
        await on.on(1)
        assert len(on.nudges(on.ann)) == 1  # nobody was offered in what never went out


async def test_a_digest_is_found_behind_many_messages_and_an_empty_page_is_not_believed(tmp_path: Path) -> None:
    """Without Read Message History Discord answers with an empty page, which does not say that nothing was posted."""
    async with team(tmp_path, on=()) as on:
        world = on.sandbox.world
        await on.run(world.state.user(on.guild.owner_id), "settings", "digest", channel=on.room)
        on.sandbox.faults.requests.lose_reply(method="POST", route=SEND)
        await on.on(7)
        assert [state for state, _ in deliveries(on, "digest")] == ["unknown"]
        repeated: list[object] = []
        on.sandbox.observe(lambda one: repeated.append(one) if (one.method, one.template) == ("POST", SEND) else None)
        world.channels.deny_bot(on.room, Permission.READ_MESSAGE_HISTORY)
        for _ in range(150):
            world.messages.post(on.room, on.max, "words")
        await on.later(seconds=31)
        assert [state for state, _ in deliveries(on, "digest")] == ["unknown"]
        world.channels.allow_bot(on.room, Permission.READ_MESSAGE_HISTORY)
        await on.later(seconds=31)
        assert deliveries(on, "digest") == [("sent", None)]
        assert repeated == []  # it was found, not sent again and recognised by its nonce


async def test_a_post_that_arrived_and_was_then_refused_is_not_sent_again(tmp_path: Path) -> None:
    """discord.py repeats a request after a 502 by itself; the refusal of the repetition says nothing of the first."""
    async with team(tmp_path, on=()) as on:
        world = on.sandbox.world
        await on.run(world.state.user(on.guild.owner_id), "settings", "digest", channel=on.room)
        on.sandbox.faults.requests.garble("upstream", status=502, method="POST", route=SEND)
        on.sandbox.faults.requests.forbid(method="POST", route=SEND, times=1, skip=1)
        await on.on(7)
        assert [state for state, _ in deliveries(on, "digest")] == ["unknown"]
        await on.later(minutes=30)  # the nonce is forgotten
        assert deliveries(on, "digest") == [("sent", None)]
        assert len([message for message in on.room.messages if message.embeds]) == 1


async def test_the_first_hello_is_settled_like_everything_else(tmp_path: Path) -> None:
    async with team(tmp_path, on=()) as on:
        on.sandbox.faults.requests.lose_reply(method="POST", route=SEND)
        assert "has not confirmed" in (await on.run(on.ann, "nudges", "on")).text
        await on.later(seconds=31)
        assert deliveries(on, "welcome") == [("sent", None)]
        assert len(on.dms(on.ann)) == 1
        assert "Your nudges are on" in (await on.run(on.ann, "nudges", "on")).text
        assert len(on.dms(on.ann)) == 1


async def test_a_token_that_is_taken_back_stops_the_bot_at_once(tmp_path: Path) -> None:
    async with (
        Sandbox(now=lambda: MONDAY) as sandbox,
        connected(sandbox, DrivenClock(MONDAY), tmp_path / "spade.db") as app,
    ):
        running = next(task for task in asyncio.all_tasks() if "SpadeBot.start" in repr(task.get_coro()))
        sandbox.token = "another"
        with pytest.raises(discord.HTTPException):
            await app.bot.fetch_user(1)
        with pytest.raises(discord.LoginFailure):
            await asyncio.wait_for(asyncio.shield(running), PATIENCE)
        requests = len(sandbox.requests)
        await app.schedule.tick()
        assert len(sandbox.requests) == requests


async def test_invalid_requests_are_held_far_below_discords_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invalid_requests, "WINDOW_SECONDS", 0.5)
    assert invalid_requests.LIMIT <= 10_000 // 10
    refused: list[object] = []
    async with Sandbox(now=lambda: MONDAY) as sandbox:
        watched = InvalidRequests(lambda: refused.append(1), limit=3)
        async with aiohttp.ClientSession(trace_configs=[watched.trace()]) as session:
            started = asyncio.get_running_loop().time()
            for _ in range(4):
                async with session.get(f"{sandbox.api_url}/users/@me") as response:
                    assert response.status == 401
            assert asyncio.get_running_loop().time() - started >= 0.5
            assert watched.count <= 3
    assert len(refused) == 4


def test_the_bot_is_built_to_count_them(tmp_path: Path) -> None:
    async def built() -> None:
        async with open_app(Settings(database=f"sqlite:///{tmp_path / 'spade.db'}"), SystemClock()) as app:
            trace = app.bot.http.http_trace
            assert trace is not None
            assert any("InvalidRequests" in repr(callback) for callback in trace.on_request_end)

    asyncio.run(built())


class WatchedClock(SystemClock):
    """Says what befell it."""

    def __init__(self) -> None:
        super().__init__()
        self.befell: list[str] = []

    def hear(self, moment: datetime, counted_at: datetime | None = None) -> None:
        super().hear(moment, counted_at)
        self.befell.append("heard")

    def doubt(self) -> None:
        super().doubt()
        self.befell.append("doubted")


async def test_after_a_broken_connection_nothing_is_done_before_discord_said_the_time(tmp_path: Path) -> None:
    clock = WatchedClock()
    async with Sandbox(now=clock.now) as sandbox, connected(sandbox, clock, tmp_path / "spade.db") as app:
        assert clock.sure
        turns: list[bool] = []

        async def work() -> None:
            turns.append(clock.sure)

        app.schedule.add("work", work)
        clock.befell.clear()
        sandbox.faults.gateway.drop()
        await sandbox.until(lambda: clock.befell == ["doubted", "heard"])
        clock.doubt()
        sandbox.faults.requests.lose_request(times=None, method="GET", route="/users/@me")
        await app.schedule.tick()
        assert turns == []
        sandbox.faults.calm()
        await app.schedule.tick()
        assert turns == [True]


async def test_a_wrong_date_of_discords_is_no_time_to_act_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("bot.clock", "bot.client"):
        caplog.set_level(logging.WARNING, name)
    ahead, clock = timedelta(), SystemClock()
    async with (
        Sandbox(now=lambda: datetime.now(UTC) + ahead) as sandbox,
        connected(sandbox, clock, tmp_path / "spade.db") as app,
    ):
        turns: list[timedelta] = []

        async def work() -> None:
            turns.append(abs(clock.now() - datetime.now(UTC)))

        app.schedule.add("work", work)
        await app.schedule.tick()
        assert len(turns) == 1
        # All of Discord is wrong, for some ticks.
        ahead = timedelta(days=5 * 365)
        await app.bot.http.request(discord.http.Route("GET", "/gateway"))
        for _ in range(3):
            await app.schedule.tick()
        assert len(turns) == 1
        assert caplog.text.count("before it is certain") == 1
        assert caplog.text.count("does not say what time it is") == 1
        ahead = timedelta()
        await app.schedule.tick()
        assert len(turns) == 2
        # Only the date is wrong: the times of the rate limits refute it at once.
        monkeypatch.setattr(
            "bot.sandbox.rest.dispatch.format_datetime",
            lambda at, **how: format_datetime(at + timedelta(days=40), **how),
        )
        await app.bot.http.request(discord.http.Route("GET", "/gateway"))
        await app.schedule.tick()
        assert len(turns) == 3
    assert max(turns) < timedelta(minutes=1)


async def test_a_machine_whose_clock_is_decades_behind_starts_all_the_same(tmp_path: Path) -> None:
    clock = SystemClock(lambda: datetime.now(UTC) - timedelta(days=20_000))
    async with (
        Sandbox(now=lambda: datetime.now(UTC)) as sandbox,
        connected(sandbox, clock, tmp_path / "spade.db"),
    ):
        assert clock.sure
        assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)


async def status_of(on: Team) -> tuple[str, str]:
    """What `/status` is headed, and all it says."""
    (card,) = (await on.run(on.ann, "status")).messages[-1].embeds
    return card["title"], str(card)


async def test_a_nudge_that_discord_refuses_for_now_is_tried_again_on_its_day_and_shown(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        refusals = on.sandbox.faults.requests.forbid(on.dms(on.ann)[0].channel_id, method="POST", route=SEND)
        await due(on)
        await on.tick()
        ((state, problem),) = deliveries(on)
        assert state == "pending"
        assert problem is not None
        assert "Missing Access" in problem
        title, words = await status_of(on)
        assert title == "Spade works, with something to look at"
        assert "Nudge to Ann, Monday 2 March: Discord refused it (Missing Access, 50001)." in words
        assert "It is tried again <t:" in words
        for command in (("nudges", "status"), ("nudges", "now")):
            assert "Missing Access" in (await on.run(on.ann, *command)).text
        hits = refusals.hits
        await on.later(seconds=30)
        assert refusals.hits == hits  # not before a minute is over
        refusals.lift()
        await on.later(minutes=2)
        assert len(on.nudges(on.ann)) == 1
        assert deliveries(on) == [("sent", None)]
        assert (await status_of(on))[0] == "Everything is in order"
        assert "refused" not in (await on.run(on.ann, "nudges", "status")).text
        await on.later(hours=2)
        assert len(on.nudges(on.ann)) == 1


async def test_a_nudge_that_is_refused_all_day_is_over_with_its_day(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        refusals = on.sandbox.faults.requests.forbid(on.dms(on.ann)[0].channel_id, method="POST", route=SEND)
        await due(on)
        await on.tick()
        await on.on(1, hour=1)
        ((state, problem),) = deliveries(on)
        assert (state, "Missing Access" in str(problem)) == ("refused", True)
        assert "Nudge to Ann, Monday 2 March: it was not sent" in (await status_of(on))[1]
        refusals.lift()
        await on.on(1)
        assert len(on.nudges(on.ann)) == 1  # nobody was offered in what never went out


async def test_turning_nudges_on_asks_discord_again_after_a_refusal_and_agrees_with_the_status(tmp_path: Path) -> None:
    """The first message is refused, though DMs are open; each `/nudges on` is a real try, with Discord's own reason."""
    async with team(tmp_path, on=()) as on:
        refusals = on.sandbox.faults.requests.forbid(method="POST", route=SEND)
        for tries in (1, 2):
            answer = (await on.run(on.ann, "nudges", "on")).text
            assert "Missing Access" in answer
            assert "Allow direct messages" not in answer
            assert refusals.hits == tries
        status = (await on.run(on.ann, "nudges", "status")).text
        assert "Your nudges are on" in status
        assert "Missing Access" in status
        assert "First message to Ann: Discord refused it" in (await status_of(on))[1]
        refusals.lift()
        assert "I have just sent you a first message" in (await on.run(on.ann, "nudges", "on")).text
        assert "Missing Access" not in (await on.run(on.ann, "nudges", "status")).text
        assert len(on.dms(on.ann)) == 1
        assert (await status_of(on))[0] == "Everything is in order"


async def test_a_first_message_that_was_refused_is_tried_again_by_itself(tmp_path: Path) -> None:
    async with team(tmp_path, on=()) as on:
        refusals = on.sandbox.faults.requests.forbid(method="POST", route=SEND)
        await on.run(on.ann, "nudges", "on")
        await on.tick()
        refusals.lift()
        await on.later(seconds=30)
        assert on.dms(on.ann) == []
        await on.later(minutes=1)
        assert len(on.dms(on.ann)) == 1
        assert deliveries(on, "welcome") == [("sent", None)]


async def test_a_locked_channel_keeps_the_digest_due_and_is_named(tmp_path: Path) -> None:
    async with team(tmp_path, on=()) as on:
        world = on.sandbox.world
        await on.run(world.state.user(on.guild.owner_id), "settings", "digest", channel=on.room)
        world.channels.deny_bot(on.room, Permission.SEND_MESSAGES)
        await on.on(7)
        assert [state for state, _ in deliveries(on, "digest")] == ["pending"]
        _, words = await status_of(on)
        assert "Digest of 2–8 March 2026: Discord refused it (Missing Permissions, 50013)." in words  # noqa: RUF001
        world.channels.allow_bot(on.room, Permission.SEND_MESSAGES)
        await on.on(9)
        assert deliveries(on, "digest") == [("sent", None)]
        (digest,) = [message for message in on.room.messages if message.embeds]
        assert "comes late" in text_of(digest)
        assert (await status_of(on))[0] == "Everything is in order"


async def test_what_is_open_is_shown_although_something_else_was_sent_since(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        await due(on)
        on.sandbox.faults.requests.forbid(on.dms(on.ann)[0].channel_id, method="POST", route=SEND)
        await on.tick()
        on.sandbox.faults.calm()
        async with on.app.database.writing() as connection:  # as if a digest had come through meanwhile
            await connection.execute(
                insert(tables.delivery).values(
                    delivery_id="d",
                    guild_id=on.guild.id,
                    kind="personal digest",
                    manager_id=on.ann.id,
                    nonce="d",
                    due_on=MONDAY.date(),
                    state="sent",
                    claimed_at=on.clock.now(),
                    tried_at=on.clock.now() + timedelta(seconds=1),
                )
            )
        title, words = await status_of(on)
        assert title == "Spade works, with something to look at"
        assert words.count("Nudge to Ann, Monday 2 March: Discord refused it") == 1
        await on.later(minutes=2)
        assert (await status_of(on))[0] == "Everything is in order"


async def test_a_server_that_discord_does_not_show_is_no_order(tmp_path: Path) -> None:
    async with team(tmp_path, on=()) as on:
        assert (await status_of(on))[0] == "Everything is in order"
        shown = on.app.bot.get_guild(on.guild.id)
        assert shown is not None
        shown.unavailable = True
        title, words = await status_of(on)
        assert title == "Spade works, with something to look at"
        assert "Discord does not show me all of this server just now" in words


async def test_history_that_was_not_read_to_its_end_is_no_order(tmp_path: Path) -> None:
    async with team(tmp_path, on=()) as on:
        async with on.app.database.writing() as connection:  # as it is left when Discord gives no answer for minutes
            await history_jobs.add(connection, on.guild.id, JobKind.BACKFILL, MONDAY, on.clock.now())
        title, words = await status_of(on)
        assert title == "Spade works, with something to look at"
        assert "Reading the history has stopped before its end" in words
        await on.app.reader.resume(on.guild.id)
        await on.sandbox.until(lambda: not any(one.running for one in on.app.reader.progress(on.guild.id)))
        assert (await status_of(on))[0] == "Everything is in order"
