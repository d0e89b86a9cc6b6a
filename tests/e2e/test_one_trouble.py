"""One channel whose messages cannot be written does not silence the commands of its server."""

from pathlib import Path

import pytest

from bot.domain.stretch import Stretch
from bot.services.record.recorder import ContextSource, Recorded, Recorder
from tests.support.team import team


async def test_commands_answer_from_the_record_and_say_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with team(tmp_path, on=()) as on:
        good = on.sandbox.world.channels.add(on.guild, "good", kind="text")
        record, bad_id = Recorder.record, on.room.id

        async def fails(recorder: Recorder, stretch: Stretch, context: ContextSource) -> Recorded:
            if stretch.place.channel_id == bad_id:
                raise ValueError("this one never succeeds")
            return await record(recorder, stretch, context)

        await on.sandbox.until(lambda: on.app.follower.knows(good.id))
        monkeypatch.setattr(Recorder, "record", fails)
        asks = on.sandbox.world.messages.post(good, on.max, "words", mentions=[on.ann])
        lost = on.sandbox.world.messages.post(on.room, on.ned, "words", mentions=[on.ann])
        assert asks.id < lost.id
        await on.sandbox.until(lambda: on.app.follower.newest_received_id >= lost.id)
        for command in (("waiting",), ("unmet",), ("digest",), ("nudges", "preview"), ("nudges", "status")):
            answer = await on.run(on.ann, *command)
            await answer.until(lambda one: len(one.messages) == 2)
            told, note = answer.messages
            assert f"1 message in <#{bad_id}> is not on record yet" in note.content
            assert note.ephemeral
            assert "went wrong" not in told.content
        (card,) = (await on.run(on.ann, "status")).messages[0].embeds
        assert card["title"] == "Spade works, with something to look at"
        assert f"1 message in <#{bad_id}> is not on record yet" in card["description"]
        monkeypatch.undo()
        answer = await on.run(on.ann, "waiting")
        assert len(answer.messages) == 1
        assert all(name in str(answer.messages[0].embeds) for name in ("Max", "Ned"))
