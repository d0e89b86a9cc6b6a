"""Nudges from enrolment to the last button, against a Discord on this machine."""

import copy
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.discord_io.delivery import members
from bot.sandbox import PostedMessage
from bot.sandbox.gateway.gateway import Gateway
from tests.support.team import Team, labels, restarted, team, text_of, told
from tests.support.town import card


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def states(on: Team, kind: str = "nudge") -> list[str]:
    return [
        row[0] for row in rows(on.database, f"SELECT state FROM delivery WHERE kind = '{kind}' ORDER BY claimed_at")
    ]


async def asked(on: Team) -> PostedMessage:
    """Max asks Ann something on Sunday night, and on Monday at nine she gets a nudge."""
    await on.says(on.max, mentions=[on.ann])
    await on.on(0, hour=10)
    (nudge,) = on.nudges(on.ann)
    return nudge


async def test_enrolling_says_hello_at_once_and_the_nudge_comes_in_the_morning(tmp_path: Path) -> None:
    async with team(tmp_path, on=()) as on:
        answer = await on.run(on.ann, "nudges", "on")
        assert "Nudges are on: Monday to Friday at 09:00 (UTC)." in answer.text
        assert answer.ephemeral
        (hello,) = on.dms(on.ann)
        assert hello.embeds[0]["title"] == "Hello, this is Spade"
        await on.says(on.max, mentions=[on.ann])
        await on.on(0, hour=8, minute=59)
        assert on.nudges(on.ann) == []
        await on.on(0)
        (nudge,) = on.nudges(on.ann)
        assert "One person worth a word from you" in text_of(nudge)
        assert "Has waited 4 h for an answer from you." in text_of(nudge)
        assert labels(nudge) == ["Open the message", "Done", "Hand over", "Snooze 7 days", "Not this person"]
        for _ in range(3):
            await on.later(hours=1)
        assert on.nudges(on.ann) == [nudge]
        assert on.dms(on.bea) == []  # she is on the list and never turned hers on


async def test_enrolling_after_the_hour_brings_nothing_before_the_next_day(tmp_path: Path) -> None:
    async with team(tmp_path, on=()) as on:
        await on.says(on.max, mentions=[on.ann])
        await on.on(0, hour=15)
        await on.run(on.ann, "nudges", "on")
        await on.tick()
        assert on.nudges(on.ann) == []
        await on.on(1)
        assert len(on.nudges(on.ann)) == 1


@pytest.mark.parametrize(
    ("label", "words", "left"),
    [
        ("Done", "Done.", "waiting.closed_at"),
        ("Snooze 7 days", "Snoozed until Monday 9 March.", "snooze"),
        ("Not this person", "`/nudges again` in the server takes it back.", "snooze"),
    ],
)
async def test_a_button_settles_a_person_once_in_place_and_after_a_restart(
    tmp_path: Path, label: str, words: str, left: str
) -> None:
    async with team(tmp_path) as before:
        nudge = await asked(before)
        untouched = copy.deepcopy(nudge)
        async with restarted(before) as on:
            await on.press(on.ann, nudge, label)
            await on.changed(nudge, words)
            assert "~~Max~~" in text_of(nudge)
            assert "All settled. Thank you." in text_of(nudge)
            assert labels(nudge) == ["Open the message"]
            assert len(on.nudges(on.ann)) == 1  # changed in place
            with pytest.raises(LookupError, match="disabled"):
                await on.press(on.ann, nudge, nudge.controls()[-1]["custom_id"])
            # What a client would not offer any more, or sends twice:
            for again in (label, "Done", "Not this person"):
                replayed = await told(await on.press(on.ann, untouched, again))
                assert replayed == "That one is settled already; nothing more was done."
            assert words in text_of(nudge)
            table, _, column = left.partition(".")
            kept = f"WHERE {column} IS NOT NULL" if column else ""
            assert rows(on.database, f"SELECT count(*) FROM {table} {kept}") == [(1,)]
            await on.says(on.max, mentions=[on.ann])  # and again
            await on.on(3)
            assert len(on.nudges(on.ann)) == (2 if label == "Done" else 1)
            taken_back = (await on.run(on.ann, "nudges", "again", person=on.max)).text
            assert taken_back.startswith("Max can be in" if left == "snooze" else "You had not set Max aside")
            await on.run(on.ann, "nudges", "now")
            assert len(on.nudges(on.ann)) == 2
            assert "You had not set Max aside" in (await on.run(on.ann, "nudges", "again", person=on.max)).text


async def test_handing_over_lets_the_colleague_find_them_in_their_next_nudge(tmp_path: Path) -> None:
    async with team(tmp_path) as on:
        nudge = await asked(on)
        choice = await on.press(on.ann, nudge, "Hand over")
        assert "Who should look after Max?" in (await choice.wait()).text
        chosen = await choice.select(["Bea"])
        await chosen.until(lambda answer: answer.edits)
        assert choice.text == "Handed over to Bea, who will find them in their next nudge."
        await on.changed(nudge, "Handed over to Bea")
        await on.on(1)
        (bea,) = on.nudges(on.bea)
        assert "Has waited 28 h for an answer. Ann handed them over to you." in text_of(bea)
        assert len(on.nudges(on.ann)) == 1
        await on.on(2)
        assert len(on.nudges(on.bea)) == 1


async def test_a_colleague_who_gets_no_nudges_is_not_offered(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        nudge = await asked(on)
        choice = await on.press(on.ann, nudge, "Hand over")
        assert "No other manager of this server gets nudges about them right now" in (await choice.wait()).text
        await on.run(on.bea, "nudges", "on")
        choice = await on.press(on.ann, nudge, "Hand over")
        await choice.wait()
        await on.run(on.bea, "nudges", "off")
        chosen = await choice.select(["Bea"])
        await chosen.until(lambda answer: answer.edits)
        assert choice.text.startswith("They get no nudges about this person")
        assert labels(nudge)[1:] == ["Done", "Hand over", "Snooze 7 days", "Not this person"]


async def test_nobody_is_handed_over_to_a_colleague_who_never_wants_to_hear_of_them(tmp_path: Path) -> None:
    async with team(tmp_path) as on:
        nudge = await asked(on)
        await on.says(on.max, mentions=[on.bea])
        await on.on(1)
        (beas,) = on.nudges(on.bea)
        await on.press(on.bea, beas, "Not this person")
        await on.changed(beas, "Noted")
        choice = await on.press(on.ann, nudge, "Hand over")
        assert "gets nudges about them right now" in (await choice.wait()).text


async def test_who_was_there_before_spade_is_no_newcomer_and_a_young_record_says_so(tmp_path: Path) -> None:
    """Max and Ned joined weeks before Spade; New came on its first day."""
    async with team(tmp_path, on=["ann"]) as on:
        new = on.sandbox.world.users.add("new", display_name="New")
        on.sandbox.world.members.add(on.guild, new)
        await on.says(on.max)
        await on.says(new)
        await on.on(1)
        (nudge,) = on.nudges(on.ann)
        assert "First wrote yesterday, and nobody on the team has said hello yet." in text_of(nudge)
        assert "Max" not in text_of(nudge)
        why = (await on.run(on.ann, "nudges", "preview", why_not=on.max)).text
        assert "were here before the record began" in why
        for day in (1, 2):
            await on.on(day, hour=20)
            await on.says(on.max)
        await on.on(3)
        assert "Active on 3 of the 3 days on record" in text_of(on.nudges(on.ann)[-1])


async def test_nobody_else_can_press(tmp_path: Path) -> None:
    async with team(tmp_path) as on:
        nudge = await asked(on)
        with pytest.raises(LookupError, match="does not see this DM"):
            await on.press(on.bea, nudge, "Done")
        # The same buttons in a channel: made up, by a stranger and by Ann herself.
        for user in (on.bea, on.max, on.ann):
            forged = on.sandbox.world.messages.post(on.room, on.sandbox.world.state.bot)
            forged.components = copy.deepcopy(nudge.components)
            assert await told(await on.press(user, forged, "Done")) == "This message belongs to somebody else."
        # In Bea's own DM, with Ann's ids.
        (hello,) = on.dms(on.bea)
        hello.components = copy.deepcopy(nudge.components)
        for label in ("Done", "Hand over"):
            assert "somebody else" in await told(await on.press(on.bea, hello, label))
        # Ann's own DM, on another message than the nudge.
        other = on.dms(on.ann)[0]
        other.components = copy.deepcopy(nudge.components)
        assert "somebody else" in await told(await on.press(on.ann, other, "Done"))
        assert rows(on.database, "SELECT count(*) FROM nudge_member WHERE action IS NOT NULL") == [(0,)]


async def test_a_manager_no_more_is_told_so(tmp_path: Path) -> None:
    async with team(tmp_path) as on:
        nudge = await asked(on)
        await on.run(on.sandbox.world.state.user(on.guild.owner_id), "setup", remove_manager=on.ann)
        assert "not on that server's manager list any more" in await told(await on.press(on.ann, nudge, "Done"))
        # What waited for her alone waits for the team now.
        await on.on(1)
        (bea,) = on.nudges(on.bea)
        assert "Has waited 28 h for an answer from anybody on the team." in text_of(bea)


async def test_a_manager_who_pauses_leaves_who_waits_to_a_colleague(tmp_path: Path) -> None:
    async with team(tmp_path) as on:
        await asked(on)
        assert "Paused" in (await on.run(on.ann, "nudges", "pause", until="2026-03-20")).text
        await on.later(hours=2)
        assert on.nudges(on.bea) == []  # not two managers on a day
        await on.on(1)
        (bea,) = on.nudges(on.bea)
        assert "Has waited 28 h for an answer from Ann, who is away." in text_of(bea)
        assert len(on.nudges(on.ann)) == 1


async def test_closed_dms_show_at_once_and_nothing_is_tried_until_the_manager_acts(tmp_path: Path) -> None:
    async with team(tmp_path, on=["bea"]) as on:
        on.sandbox.world.dms.close(on.ann)
        assert "did not let me send you a direct message" in (await on.run(on.ann, "nudges", "on")).text
        await on.says(on.max, mentions=[on.ann])
        sent = on.sandbox.requests.count("POST", "/channels/{channel_id}/messages")
        await on.on(0)
        assert on.sandbox.requests.count("POST", "/channels/{channel_id}/messages", 403) == 1
        assert on.sandbox.requests.count("POST", "/channels/{channel_id}/messages") == sent + 1  # Bea's
        assert "from Ann, who is away" in text_of(on.nudges(on.bea)[0])
        assert "does not let me write to you" in (await on.run(on.ann, "nudges", "status")).text
        on.sandbox.world.dms.open(on.ann)
        assert "Nudges are on" in (await on.run(on.ann, "nudges", "on")).text
        assert [message.embeds[0]["title"] for message in on.dms(on.ann)] == ["Hello, this is Spade"]
        assert states(on, "welcome") == ["sent", "sent"]


async def test_dms_that_close_later_are_marked_and_tried_again_on_request(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        await on.says(on.max, mentions=[on.ann])
        on.sandbox.world.dms.close(on.ann)
        await on.on(0)
        await on.later(hours=1)
        assert on.sandbox.requests.count("POST", "/channels/{channel_id}/messages", 403) == 1
        assert states(on) == ["refused"]
        on.sandbox.world.dms.open(on.ann)
        assert "Sent." in (await on.run(on.ann, "nudges", "now")).text
        assert len(on.nudges(on.ann)) == 1
        assert states(on) == ["sent"]
        again, never = [(await on.run(user, "nudges", "now")).text for user in (on.ann, on.bea)]
        assert again.startswith("You have had today's nudge already")
        assert never.startswith("Your nudges are off")
        with closing(sqlite3.connect(on.database)) as connection, connection:
            connection.execute("UPDATE delivery SET state = 'unknown' WHERE kind = 'nudge'")
        assert "has not confirmed it yet" in (await on.run(on.ann, "nudges", "now")).text


async def test_everything_is_checked_again_at_the_moment_of_sending(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        world = on.sandbox.world
        gone = await on.says(on.max, mentions=[on.ann])
        await on.says(on.ned, mentions=[on.ann])
        late = world.users.add("late", display_name="Late")
        world.members.add(on.guild, late)
        answered = await on.says(late, mentions=[on.ann])
        on.room.log.remove(gone.id)  # deleted, and no event said so
        world.members.remove(on.guild, on.ned)  # nor did one tell of this
        on.clock.set(on.clock.now() + timedelta(hours=4))

        def answer() -> None:
            on.clock.set(on.clock.now() + timedelta(seconds=1))
            world.messages.post(on.room, on.bea, "hello", reply_to=answered)
            on.clock.set(on.clock.now() + timedelta(seconds=1))

        fault = on.sandbox.faults.requests.meanwhile(answer, route="/members/{user_id}")
        await on.tick()
        assert fault.hits == 1
        assert on.dms(on.ann)[1:] == []
        assert states(on) == ["nothing"]


async def test_ignored_roles_are_looked_at_when_sending(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        role = on.sandbox.world.roles.add(on.guild, "Helpers")
        await on.says(on.max, mentions=[on.ann])
        await on.says(on.ned, mentions=[on.ann])
        on.sandbox.world.roles.give(role, on.max)
        with closing(sqlite3.connect(on.database)) as connection, connection:
            connection.execute("INSERT INTO ignored VALUES (?, ?, 1, NULL)", (on.guild.id, role.id))
        await on.on(0)
        (nudge,) = on.nudges(on.ann)
        assert "Ned" in text_of(nudge)
        assert "Max" not in text_of(nudge)


async def test_an_outage_of_the_server_removes_nobody_and_the_nudge_comes_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Gateway, "_list_members", lambda *_: None)  # so that members are asked for one by one
    monkeypatch.setattr(members, "REQUEST_SECONDS", 0.5)
    async with team(tmp_path, on=["ann"]) as on:
        await on.says(on.max, mentions=[on.ann])
        on.clock.set(on.clock.now() + timedelta(hours=4))
        on.sandbox.faults.requests.server_error(503, times=1, route="/members/{user_id}")
        await on.tick()
        assert on.nudges(on.ann) == []
        assert states(on) == []
        await on.later(minutes=1)
        assert len(on.nudges(on.ann)) == 1
        assert rows(on.database, "SELECT count(*) FROM member WHERE left_at IS NOT NULL") == [(0,)]


async def test_hours_days_zones_and_pauses(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        assert "at 18:00 (UTC)" in (await on.run(on.ann, "nudges", "hour", hour=18)).text
        assert "Tuesday and Thursday" in (await on.run(on.ann, "nudges", "days", days="tue, Thursday")).text
        assert "I cannot read" in (await on.run(on.ann, "nudges", "days", days="someday")).text
        assert "(Asia/Tokyo)" in (await on.run(on.ann, "nudges", "zone", zone="Asia/Tokyo")).text
        assert "I know no time zone" in (await on.run(on.ann, "nudges", "zone", zone="Mars/Base")).text
        suggested = await on.sandbox.people.autocomplete(
            on.ann, on.room, "nudges", "zone", "tokyo", subcommands=("zone",)
        )
        assert [choice["value"] for choice in (await suggested.wait()).choices or []] == ["Asia/Tokyo"]
        for wrong, words in (
            ("2026-03-02", "does not lie ahead"),
            ("2020-01-01", "does not lie ahead"),
            ("2126-03-02", "more than a year away"),
            ("9999-12-31", "more than a year away"),
            ("next week", "I cannot read"),
            ("2026-02-30", "I cannot read"),
        ):
            assert words in (await on.run(on.ann, "nudges", "pause", until=wrong)).text, wrong
        assert "Thursday 5 March" in (await on.run(on.ann, "nudges", "pause", until="2026-03-05")).text
        status = (await on.run(on.ann, "nudges", "status")).text
        assert "Tuesday and Thursday at 18:00 (Asia/Tokyo)" in status
        assert "Paused until Thursday 5 March" in status
        await on.says(on.max, mentions=[on.ann])
        await on.on(1, hour=10)  # Tuesday 19:00 in Tokyo, paused
        assert on.nudges(on.ann) == []
        await on.on(3, hour=8, minute=59)
        assert on.nudges(on.ann) == []
        await on.on(3, hour=9)  # Thursday 18:00 in Tokyo
        assert len(on.nudges(on.ann)) == 1
        assert "(UTC)" in (await on.run(on.ann, "nudges", "zone")).text
        assert "Nudges are off" in (await on.run(on.ann, "nudges", "off")).text
        await on.on(8, hour=20)
        assert len(on.nudges(on.ann)) == 1


async def test_the_button_below_the_hello_turns_nudges_off(tmp_path: Path) -> None:
    async with team(tmp_path) as on:
        (hello,) = on.dms(on.ann)
        answer = await (await on.press(on.ann, hello, "Turn nudges off")).wait()
        assert "Your nudges are off." in answer.text
        assert "Your nudges are off." in (await on.run(on.ann, "nudges", "status")).text


async def test_a_preview_says_why_somebody_is_not_in_it(tmp_path: Path) -> None:
    async with team(tmp_path) as on:
        await on.says(on.max, mentions=[on.ann])
        await on.later(hours=1)
        sent = len(on.dms(on.ann))

        async def why(user: object) -> str:
            return (await on.run(on.ann, "nudges", "preview", why_not=user)).text

        assert "has waited 60 min; it becomes a reason after 4 h" in await why(on.max)
        assert "There is nothing on record about Ned" in await why(on.ned)
        assert "manager list" in await why(on.bea)
        assert (await on.run(on.ann, "nudges", "preview")).text.startswith("Nobody needs a word from you")
        await on.later(hours=4)
        assert len(on.dms(on.ann)) == sent + 1
        assert "in a nudge to you in the last 7 days (2 if a new message waits)" in await why(on.max)
        await on.press(on.ann, on.nudges(on.ann)[0], "Snooze 7 days")
        await on.changed(on.nudges(on.ann)[0], "Snoozed")
        assert "You snoozed Max" in await why(on.max)
        on.sandbox.world.members.remove(on.guild, on.ned)
        assert "nothing on record" in await why(on.ned)
        await on.says(on.ann, mentions=[on.max])
        await on.later(minutes=1)
        text = await why(on.max)
        assert "was answered" in text
        assert "so they are met" in text
        assert on.dms(on.ann)[sent + 1 :] == []


async def test_three_without_a_reaction_come_half_as_often_until_there_is_one(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        for number in range(8):
            newcomer = on.sandbox.world.users.add(f"new{number}", display_name=f"New {number}")
            on.sandbox.world.members.add(on.guild, newcomer)
            await on.says(newcomer, mentions=[on.ann])
            await on.on(number, hour=14 if number == 0 else 9)
            if number == 4:  # Monday will be left out again
                for command in (("nudges", "status"), ("status",)):
                    assert "Tuesday 10 March" in card(await on.run(on.ann, *command))
        # Monday to Wednesday; Thursday is left out, Friday says so; the weekend is no chosen day.
        assert [message.created_at.day for message in on.nudges(on.ann)] == [2, 3, 4, 6]
        assert "so I will write half as often" in text_of(on.nudges(on.ann)[-1])
        assert not any("half as often" in text_of(message) for message in on.nudges(on.ann)[:-1])
        assert "half as often" in (await on.run(on.ann, "nudges", "status")).text
        await on.on(8)
        assert [message.created_at.day for message in on.nudges(on.ann)] == [2, 3, 4, 6, 10]
        first = on.nudges(on.ann)[0]
        await on.press(on.ann, first, "Done")  # on an old one
        await on.changed(first, "Thank you")
        late = on.sandbox.world.users.add("late")
        on.sandbox.world.members.add(on.guild, late)
        await on.says(late, mentions=[on.ann])
        await on.on(9)
        assert on.nudges(on.ann)[-1].created_at.day == 11
        assert "half as often" not in text_of(on.nudges(on.ann)[-1])


async def test_what_came_of_them_is_shown(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        await on.says(on.ned, mentions=[on.ann])
        await asked(on)
        assert "left waiting: 2 whose time is not over" in (await on.run(on.ann, "nudges", "status")).text
        await on.says(on.ann, mentions=[on.max])
        await on.later(hours=73)
        status = (await on.run(on.ann, "nudges", "status")).text
        assert "within 72 hours to:\n- left waiting: 1 of 2" in status
        # What the message says stays as it was, however late it is pressed: Max has his answer by now.
        (nudge,) = on.nudges(on.ann)
        await on.press(on.ann, nudge, nudge.components[0]["components"][1]["custom_id"])
        await on.changed(nudge, "~~Ned~~")
        assert "Has waited 5 h for an answer from you." in text_of(nudge)


async def test_a_usual_pace_is_named(tmp_path: Path) -> None:
    async with team(tmp_path, on=["ann"]) as on:
        for _ in range(5):
            message = await on.says(on.ned)
            on.clock.set(on.clock.now() + timedelta(minutes=120))
            await on.says(on.ann, reply_to=message)
        await on.says(on.max, mentions=[on.ann])
        await on.on(1)
        assert "for an answer from you; you usually answer in 2 h." in text_of(on.nudges(on.ann)[0])
