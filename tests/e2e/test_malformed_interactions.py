"""Answers to responses, and what commands name, when they are not of the shape that Discord documents."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.town import card, town

CALLBACK, FOLLOW_UP, MEMBER = "/interactions", "/webhooks", "/members/{user_id}"
ANSWERS: tuple[object, ...] = ({}, {"interaction": None}, [], 7)
COMMANDS: tuple[dict[str, Any], ...] = (
    {"name": "Relationship", "type": 2, "target_id": "5"},
    {"name": "Relationship", "type": 2, "target_id": "5", "resolved": {"users": {"5": {"id": "5"}}}},
    {"name": "Relationship", "type": None, "target_id": "5"},
    {"name": "status", "type": 1, "resolved": {"users": {"words": {}}}},
    {"name": "status", "type": 1, "resolved": "words"},
    {"name": "status", "type": 1, "guild_id": "words"},
)


def _instead(odd: object, _body: object) -> object:
    return odd


def _read_in_vain(caplog: pytest.LogCaptureFixture, times: int) -> bool:
    return caplog.text.count("cannot be read") == times


async def test_what_discord_answers_to_a_response_may_be_of_any_shape(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with town(tmp_path) as here:
        requests = here.on.sandbox.faults.requests
        for number, odd in enumerate(ANSWERS, start=1):
            for route in (CALLBACK, FOLLOW_UP):
                requests.alter(partial(_instead, odd), times=None, method="POST", route=route)
            assert "stores about you" in card(await here.ask(here.mia, "privacy", "show"))
            assert card(await here.ask(here.mia, "nudges", "status"))
            await here.on.sandbox.until(partial(_read_in_vain, caplog, 4 * number))
            requests.calm()
        requests.garble("<html>", method="POST", route=CALLBACK)
        await here.on.sandbox.people.run_command(here.mia, here.general, "privacy", subcommands=["show"])
        await here.on.sandbox.until(lambda: "the command privacy show failed" in caplog.text)
        assert card(await here.ask(here.mia, "privacy", "show"))
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_name_that_is_no_text_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with town(tmp_path) as here:
        here.on.sandbox.world.messages.post(here.general, here.rafa, "words", mentions=[here.mia])
        await here.on.heard(here.general.messages[-1].id)
        odd = {"nick": ["words"]}
        here.on.sandbox.faults.requests.alter(lambda body: body | odd, times=None, method="GET", route=MEMBER)
        assert "One person waits" in card(await here.ask(here.mia, "waiting"))
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_command_that_cannot_be_read_is_one_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with town(tmp_path) as here:
        for number, odd in enumerate(COMMANDS, start=1):
            here.on.sandbox.people.sender.send(2, here.mia, here.general, {"id": "7"} | odd)
            await here.on.sandbox.until(partial(_read_in_vain, caplog, number))
        assert card(await here.ask(here.mia, "status"))
    assert not [record for record in caplog.records if record.exc_info]
