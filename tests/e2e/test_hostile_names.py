"""Names that people give themselves, through every output: nothing pings, breaks the layout or is refused."""

import csv
import io
import re
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from bot.discord_io.interactions import cooldowns
from bot.sandbox import PostedMessage
from tests.support.town import BEGAN, Town, card, town

NAMES = (
    "**bold** _under_ ~~gone~~ `code` ||hidden||",
    "```py\nraise SystemExit\n```",
    "@everyone @here",
    "<@123456789012345678> <@&123456789012345678> <#123456789012345678>",
    "<t:0:R> </setup:123456789012345678> <a:x:123456789012345678>",
    "https://evil.example/login http://evil.example",
    "discord.gg/evil www.evil.example",
    "[click me](https://evil.example)",
    "# Heading\n> quote\n- list",
    "\u202eesrever \u2066isolate\u2069 \u200bzero\u200d",
    "Z" + "\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309" * 10,
    "👩‍👩‍👧‍👦🏳️‍🌈🇩🇪👍🏽" * 4,
    "x" * 100,
    "﷽" * 25,
    '=HYPERLINK("http://evil.example","x")',
    "+1+1",
    "-2+3",
    "@SUM(1,2)",
    "\t=1",
    "{name} {0} %s {count}",
    "\u3164\u2800",
    '"; DROP TABLE touch; --',
)
ACTING = (
    re.compile(r"[\u202a-\u202e\u2066-\u2069\u200b]"),
    re.compile(r"@(everyone|here)"),
    re.compile(r"<@&?\d"),
    re.compile(r"<t:0"),
    re.compile(r"</setup:"),
    re.compile(r"https?://evil"),
    re.compile(r"\]\(https?://(?!discord\.com/)"),
    re.compile(r"\u0302\u0303\u0304\u0305"),
)


def texts(message: PostedMessage) -> list[str]:
    found = [message.content]
    for embed in message.embeds:
        found += [str(embed.get(key, "")) for key in ("title", "description")]
        found += [
            str(embed.get(key, {}).get("text") or embed.get(key, {}).get("name") or "") for key in ("footer", "author")
        ]
        found += [str(value) for one in embed.get("fields", ()) for value in (one["name"], one["value"])]
    found += [str(item.get("label") or item.get("placeholder") or "") for item in message.controls()]
    return found


def check(message: PostedMessage, where: str) -> None:
    assert not message.pings, where
    assert "Something went wrong" not in message.content, where
    for text in texts(message):
        for pattern in ACTING:
            assert not pattern.search(text), (where, pattern.pattern, text)


async def each_answer(here: Town, shown: list[tuple[str, PostedMessage]]) -> None:
    """Every command a manager or the owner can ask for, and its pages."""
    asked = [
        *(
            (here.mia, path)
            for path in (("waiting",), ("unmet",), ("coverage",), ("digest",), ("status",), ("export",))
        ),
        (here.mia, ("nudges", "preview")),
        (here.mia, ("nudges", "status")),
        (here.mia, ("privacy", "show")),
        (here.owner, ("settings", "show")),
        (here.owner, ("setup",)),
    ]
    for who, path in asked:
        answer = await here.ask(who, *path)
        assert answer.original is not None
        shown.append((" ".join(path), answer.original))
        while any(item.get("label") == "Next" and not item.get("disabled") for item in answer.original.controls()):
            if path == ("setup",):
                break
            before = card(answer)
            answer = await (await here.on.sandbox.people.press(who, answer.original, "Next")).wait()
            assert answer.original is not None
            assert card(answer) != before
            shown.append((" ".join(path), answer.original))


async def test_no_name_acts_breaks_or_is_refused_in_any_output(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cooldowns, "_now", count(1000.0, 11.0).__next__)  # nobody is as fast as a test
    async with town(tmp_path) as here:
        world, clock = here.on.sandbox.world, here.on.clock
        shown: list[tuple[str, PostedMessage]] = []
        members = [world.users.add(f"member{number}", display_name=name) for number, name in enumerate(NAMES)]
        for member in members:
            world.members.add(here.guild, member)
        strange = world.roles.add(here.guild, NAMES[7])
        odd = world.channels.add(here.guild, NAMES[7])
        here.mia.display_name, here.noor.display_name = NAMES[3], NAMES[9]
        world.guilds.rename(here.guild, NAMES[2] + NAMES[5])
        await here.ask(here.mia, "nudges", "on")
        await here.ask(here.owner, "settings", "digest", channel=here.general)
        world.messages.post(odd, members[0], "Hello", mentions=[here.mia])
        for member in members:
            newest = world.messages.post(here.general, member, "Hello", mentions=[here.mia]).id
        await here.on.heard(newest)
        clock.set(BEGAN + timedelta(hours=30))
        await here.on.tick()
        await each_answer(here, shown)
        shown += [
            (name, (await here.menu(here.mia, name, member)).messages[0])
            for member in members
            for name in ("Relationship", "Log 1:1")
        ]
        shown += [("member", (await here.ask(here.noor, "member", user=member)).messages[0]) for member in members]
        await here.ask(here.owner, "settings", "ignore", person=members[3], role=strange)
        shown.append(("ignored", (await here.ask(here.owner, "settings", "show")).messages[0]))
        shown.append(("ignored", (await here.ask(here.mia, "member", user=members[3])).messages[0]))
        clock.set(BEGAN + timedelta(days=8))
        await here.on.tick()
        shown += [
            ("digest", message) for message in here.on.sandbox.read(here.general) if message.author is world.state.bot
        ]
        shown += [("dm", message) for message in here.on.sandbox.dms(here.mia)]
        await each_answer(here, shown)
        guide = await here.ask(here.owner, "setup")
        for step in ("Next", "spade:setup:go:history", "Finish"):
            end = await (await here.on.sandbox.people.press(here.owner, guide.original, step)).wait()
            shown.append(("guide", end.messages[0] if end.messages else guide.original))
        for where, message in shown:
            check(message, where)
        exported = await here.ask(here.mia, "export")
        (relationships,) = [one for one in exported.original.attachments if one["filename"] == "relationships.csv"]
        table = list(csv.reader(io.StringIO(here.on.sandbox.file(relationships).decode("utf-8-sig"))))
        assert len(table) > len(NAMES) - 2
        assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in table for cell in row)
        assert {len(row) for row in table} == {len(table[0])}
        assert here.on.sandbox.failures == []
        assert not [name for name in NAMES if name in caplog.text]
        print(f"{len(NAMES)} names through {len(shown)} messages of {len({where for where, _ in shown})} kinds")
