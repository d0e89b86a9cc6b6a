"""What comes of an answer to an interaction's response that cannot be read."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from bot.discord_io.connection.timeout import MalformedAnswerError
from bot.discord_io.interactions.answering import answering


def interaction(*, done: bool) -> Any:
    return SimpleNamespace(response=SimpleNamespace(is_done=lambda: done))


async def test_an_answer_to_the_first_response_that_is_no_json_is_an_outage() -> None:
    with pytest.raises(MalformedAnswerError, match="no JSON"):
        async with answering(interaction(done=False)):
            json.loads('{"half')


async def test_a_mistake_before_the_first_response_is_raised_as_it_is() -> None:
    with pytest.raises(TypeError, match="a mistake"):
        async with answering(interaction(done=False)):
            raise TypeError("a mistake")


async def test_an_answer_to_a_response_that_was_taken_is_not_needed() -> None:
    async with answering(interaction(done=True)):
        json.loads('{"half')
