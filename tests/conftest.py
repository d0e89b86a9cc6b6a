"""What holds for all tests."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.compiled_statements import share_compiled_statements

# Two cores and much else to do: how long an example takes says nothing about the code.
settings.register_profile("spade", deadline=None)
settings.load_profile("spade")
share_compiled_statements()


@pytest.fixture(autouse=True)
def log_is_put_back() -> Iterator[None]:
    """A command that runs in a test sets the log's level, which must not quieten the tests after it."""
    loggers = [logging.getLogger(name) for name in (None, "discord.client", "discord.gateway", "apscheduler")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
