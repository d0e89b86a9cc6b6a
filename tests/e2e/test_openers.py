"""Whom a message in a thread, or a reply, speaks to, where Discord puts another name on what it says itself."""

from pathlib import Path

from bot.sandbox import Channel, PostedMessage, User
from bot.store import tables
from tests.support.rows import rows
from tests.support.town import Town, town


def talk(here: Town, thread: Channel, *people: User) -> PostedMessage:
    *_, last = [here.on.sandbox.world.messages.post(thread, person, "words") for person in people]
    return last


async def test_a_thread_is_its_messages_authors_whoever_started_it_and_whatever_name_type_21_bears(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        world = here.on.sandbox.world
        wanted = []
        for names_starter in (False, True):
            world.threads.names_starter = names_starter
            question = world.messages.post(here.general, here.rafa, "How?")
            thread = world.threads.start(here.general, "By a manager", here.mia, message=question)
            wanted.append(("thread", talk(here, thread, here.mia, here.rafa, here.mia).id, here.rafa.id))
            news = world.messages.post(here.general, here.noor, "News")
            thread = world.threads.start(here.general, "On a manager's message", here.rafa, message=news)
            last = talk(here, thread, here.rafa, here.mia)
        await here.on.heard(last.id)
        found = await rows(here.on.app.database, tables.touch, tables.waiting)
        assert [(row[5], row[0], row[1]) for row in found["touch"]] == wanted
        assert found["waiting"] == []


async def test_staff_who_discuss_an_alert_speak_to_nobody_whose_message_it_blocked(tmp_path: Path) -> None:
    """By a reply that pings or not, in a thread started on it; a greeting under a join notice is a touch."""
    async with town(tmp_path) as here:
        world = here.on.sandbox.world
        for kind in (24, 36, 39):
            alert = world.messages.post(here.general, here.rafa, type=kind)
            for ping in (True, False):
                world.messages.post(here.general, here.mia, "Again?", reply_to=alert, ping_reply=ping)
            world.messages.post(here.general, here.mia, "Again?", reply_to=alert, hides_reference=True)
            world.messages.post(here.general, here.noor, "Hm.")
            thread = world.threads.start(here.general, "About it", here.mia, message=alert)
            talk(here, thread, here.mia, here.rafa, here.noor, here.mia)
        joined = world.messages.post(here.general, here.rafa, type=7)
        greeting = world.messages.post(here.general, here.mia, "Welcome", reply_to=joined)
        await here.on.heard(greeting.id)
        found = await rows(here.on.app.database, tables.touch, tables.waiting)
        assert [(row[5], row[0], row[1]) for row in found["touch"]] == [("reply", greeting.id, here.rafa.id)]
        assert found["waiting"] == []
