"""Consent is a stretch of time: the bot on the sandbox, with people who leave the record and come back to it."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.sandbox import Permission, PostedMessage
from bot.store import tables
from tests.support.rows import days_written
from tests.support.town import Town, card, town


def later(here: Town, minutes: float = 1) -> None:
    here.on.clock.set(here.on.clock.now() + timedelta(minutes=minutes))


async def rows(here: Town, *columns: Any) -> list[tuple[Any, ...]]:
    async with here.on.app.database.reading() as connection:
        return [tuple(row) for row in await connection.execute(select(*columns).order_by(*columns))]


async def said(here: Town, message: PostedMessage) -> int:
    """Written down; the minute is over."""
    await here.on.heard(message.id)
    later(here)
    return message.id


async def test_erased_opted_in_and_appointed_brings_nothing_from_before_the_erasure_back(tmp_path: Path) -> None:
    """Of the manager who was erased as little as of the member; of the time since then everything."""
    touched = (tables.touch.c.message_id, tables.touch.c.manager_id, tables.touch.c.replied_to_id)
    waits = (tables.waiting_for.c.message_id, tables.waiting_for.c.manager_id)
    async with town(tmp_path) as here:
        messages, mia, noor, rafa = here.on.sandbox.world.messages, here.mia, here.noor, here.rafa
        asked = messages.post(here.general, rafa, "Who knows?", mentions=[noor])
        await said(here, asked)
        await said(here, messages.post(here.general, noor, "I do", reply_to=asked))
        await said(here, messages.post(here.general, mia, "Hi", reply_to=asked))
        assert len(await rows(here, *touched)) == 2
        for person in (noor, rafa):
            question = await here.ask(person, "privacy", "erase")
            await (await question.press("Erase everything about me")).wait()
            later(here)
        assert (await rows(here, *touched), await rows(here, *waits)) == ([], [])
        await said(here, messages.post(here.general, noor, "Hello again", reply_to=asked))
        for person in (noor, rafa):
            assert "nothing from before will be recorded" in (await here.ask(person, "privacy", "opt-in")).text
            later(here)
        await here.ask(here.owner, "setup", manager=noor)  # and for her all is read again
        later(here)
        while None in [row[0] for row in await rows(here, tables.history_job.c.finished_at)]:
            await asyncio.sleep(0.02)
        assert len(await rows(here, tables.history_job.c.job_id)) == 1
        assert (await rows(here, *touched), await rows(here, *waits)) == ([], [])

        asked_again = messages.post(here.general, rafa, "And who knows this?", mentions=[noor])
        await said(here, asked_again)
        late = await said(here, messages.post(here.general, noor, "To what you once asked", reply_to=asked))
        new = await said(here, messages.post(here.general, noor, "I do", reply_to=asked_again))
        assert await rows(here, *touched) == [(late, noor.id, None), (new, noor.id, asked_again.id)]
        assert await rows(here, *waits) == [(asked_again.id, noor.id)]


async def test_what_was_written_while_opted_out_and_out_of_sight_stays_off_the_record(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        world, rafa = here.on.sandbox.world, here.rafa
        lobby = world.channels.add(here.guild, "lobby")

        async def ask(*path: str) -> Any:
            answer = await here.on.sandbox.people.run_command(rafa, lobby, "privacy", {}, subcommands=path)
            return await answer.wait()

        question = await ask("opt-out")
        await (await question.press("Delete it and do not record me")).wait()
        world.channels.deny_bot(here.general, Permission.VIEW_CHANNEL)
        await here.on.sandbox.until(lambda: not here.on.app.follower.knows(here.general.id))
        for _ in range(4):
            later(here)
            world.messages.post(here.general, rafa, "unseen", mentions=[here.mia])
        later(here)
        await ask("opt-in")
        later(here)
        seen = world.messages.post(here.general, rafa, "unseen, too", mentions=[here.mia])
        world.channels.allow_bot(here.general, Permission.VIEW_CHANNEL)
        later(here)
        await said(here, world.messages.post(here.general, rafa, "seen"))
        async with here.on.app.database.reading() as connection:
            assert [(row[1], row[3]) for row in await days_written(connection)] == [(rafa.id, 2)]
        assert await rows(here, tables.waiting.c.message_id) == [(seen.id,)]

        # They are told since when they are recorded.
        returned = (await rows(here, tables.forgotten.c.until_at, tables.forgotten.c.is_lasting))[0]
        assert returned == (datetime.fromisoformat("2026-03-02T09:05:00Z"), False)
        assert f"Since when you are recorded again: <t:{int(returned[0].timestamp())}:f>" in card(await ask("show"))
        export = await ask("export")
        document = json.loads(here.on.sandbox.file(export.original.attachments[0]))
        assert (document["asked_to_be_forgotten"], document["recorded_since"]) == (False, "2026-03-02T09:05:00+00:00")

        # Nor can a manager note a contact of that time.
        refused = await here.ask(here.mia, "log", user=rafa, when="2026-03-02 09:05")
        assert refused.text.startswith("Contact of that time cannot be logged")
        assert await rows(here, tables.touch.c.kind) == []
        assert "Noted" in card(await here.ask(here.mia, "log", user=rafa, when="2026-03-02 09:06"))
        assert await rows(here, tables.touch.c.kind) == [("logged",)]
