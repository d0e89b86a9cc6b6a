"""What managers ask about people, through the sandbox: relationships, the unmet, coverage, logged contact."""

from datetime import timedelta
from pathlib import Path

from bot.sandbox import Response
from tests.support.town import BEGAN, town


def card(answer: Response) -> str:
    assert answer.original is not None
    return str(answer.original.embeds) + answer.original.content


async def test_a_relationship_shows_contact_months_colleagues_and_what_waits(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        world, clock = here.on.sandbox.world, here.on.clock
        nothing = await here.ask(here.mia, "member", user=here.rafa)
        assert "nothing on record" in nothing.text
        for month in range(3):
            clock.set(BEGAN + timedelta(days=31 * month))
            question = world.messages.post(here.general, here.rafa, "Hello")
            for manager in (here.mia, here.noor) if month else (here.mia,):
                answer = world.messages.post(here.general, manager, "Hi", reply_to=question)
        waiting = world.messages.post(here.general, here.rafa, "And now?", mentions=[here.noor])
        await here.on.heard(max(answer.id, waiting.id))
        shown = card(await here.ask(here.mia, "member", user=here.rafa))
        for words in (
            "5 conversations",
            "First contact",
            "Mar 2026",
            "May 2026",
            "**Mia**: 3",
            "**Noor**: 2",
            "What waits",
            "for Noor",
        ):
            assert words in shown, (words, shown)
        assert card(await here.menu(here.noor, "Relationship", here.rafa)) == shown
        assert "manager list" in (await here.menu(here.mia, "Relationship", here.noor)).text
        marked = await here.menu(here.mia, "Mark answered", waiting)
        assert "Marked as answered" in marked.text
        assert "Nothing waits there" in (await here.menu(here.mia, "Mark answered", waiting)).text
        assert "What waits" not in card(await here.ask(here.mia, "member", user=here.rafa))
        assert "Nobody waits" in card(await here.ask(here.noor, "waiting"))
        asked = await here.ask(here.rafa, "privacy", "opt-out")
        await (await asked.press("Delete it and do not record me")).wait()
        assert "asked not to be recorded" in (await here.ask(here.mia, "member", user=here.rafa)).text


async def test_a_logged_contact_counts_ends_waiting_and_can_be_taken_back(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        world, clock = here.on.sandbox.world, here.on.clock
        await here.on.heard(world.messages.post(here.general, here.rafa, "Hello", mentions=[here.mia]).id)
        clock.set(BEGAN + timedelta(days=2))
        await here.on.heard(world.messages.post(here.general, here.rafa, "Anybody?", mentions=[here.noor]).id)
        clock.set(BEGAN + timedelta(days=2, hours=1))
        past = await here.ask(here.mia, "log", user=here.rafa, when="2026-03-03")
        assert "1 message of theirs no longer waits" in past.text, past.text
        assert "One person waits" in card(await here.ask(here.noor, "waiting")), "written after the call"
        now = await here.menu(here.noor, "Log 1:1", here.rafa)
        assert "no longer waits" in now.text
        shown = card(await here.ask(here.mia, "member", user=here.rafa))
        assert "2 conversations" in shown
        assert "2 contacts were logged by hand" in shown
        # Where the command was used says nothing about the contact: leaving that channel out takes none of it.
        await here.ask(here.owner, "settings", "exclude", channel=here.general)
        assert "2 contacts were logged by hand" in card(await here.ask(here.mia, "member", user=here.rafa))
        await here.ask(here.owner, "settings", "include", channel=here.general)
        assert "Taken back" in (await (await now.press("Take it back")).wait()).text
        again = await (await here.on.sandbox.people.press(here.noor, now.original, "Take it back")).wait()
        assert "nothing of yours" in again.text
        assert "1 conversation with" in card(await here.ask(here.mia, "member", user=here.rafa))
        for when, words in (("soon", "cannot read"), ("2027-01-01", "not come yet"), ("2020-01-01", "too long ago")):
            assert words in (await here.ask(here.mia, "log", user=here.rafa, when=when)).text
        assert "That is you" in (await here.ask(here.mia, "log", user=here.mia)).text
        assert "manager list" in (await here.ask(here.mia, "log", user=here.noor)).text
        assert "bot" in (await here.ask(here.mia, "log", user=here.on.sandbox.world.state.bot)).text


async def test_the_unmet_are_paged_and_the_pages_work_after_a_restart_of_everything_but_the_message(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        world = here.on.sandbox.world
        assert "Nobody was active" in card(await here.ask(here.mia, "unmet"))
        for number in range(23):
            user = world.users.add(f"person{number:02}")
            world.members.add(here.guild, user)
            last = world.messages.post(here.general, user, "Hello")
        await here.on.heard(last.id)
        first = await here.ask(here.mia, "unmet")
        assert "23 active members" in card(first)
        assert "person00" in card(first)
        assert "Page 1 of 3" in card(first)
        second = await (await first.press("Next")).wait()
        assert "person10" in card(second)
        third = await (await here.on.sandbox.people.press(here.mia, second.original, "Next")).wait()
        assert "person22" in card(third)
        back = await (await here.on.sandbox.people.press(here.mia, third.original, "Previous")).wait()
        assert "Page 2 of 3" in card(back)
        await here.on.heard(world.messages.post(here.general, here.noor, "Hi", mentions=[user]).id)
        again = await (await here.on.sandbox.people.press(here.mia, back.original, "Look again")).wait()
        assert "22 active members" in card(again)


async def test_coverage_tells_a_period_with_its_picture(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        world, clock = here.on.sandbox.world, here.on.clock
        empty = card(await here.ask(here.mia, "coverage"))
        assert "Nobody wrote" in empty
        for day in range(5):  # a quieter week has no picture
            clock.set(BEGAN + timedelta(days=day))
            question = world.messages.post(here.general, here.rafa, "Hello")
            await here.on.heard(world.messages.post(here.general, here.mia, "Hi", reply_to=question).id)
        clock.set(BEGAN + timedelta(days=7))
        answer = await here.ask(here.mia, "coverage")
        assert "100%" in card(answer)
        assert "5 conversations with 1 member" in card(answer)
        assert here.on.sandbox.picture(answer.original).startswith(b"\x89PNG")
        for period in ("this_week", "four_weeks", "twelve_weeks"):
            assert card(await here.ask(here.noor, "coverage", period=period))
