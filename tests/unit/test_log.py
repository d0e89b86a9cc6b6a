"""The log, and what it must never show."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.log import start_log
from bot.redaction import has_token_shape, redact

# Made up: the ids are 123456789012345678 and 1234567890123456789, the rest is no signature of anything.
TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GaBcDe.abcdefghijklmnopqrstuvwxyz0123456789_-"
LONG_TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.GaBcDe.ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("token", [TOKEN, LONG_TOKEN])
@pytest.mark.parametrize("frame", ["{}", "Bot {}", "'{}',", "token={}&x=1", '{{"token": "{}"}}', "({})"])
def test_tokens_are_taken_out(token: str, frame: str) -> None:
    assert redact(frame.format(token)) == frame.format("***")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://spade:s3cret@db:5432/spade", "postgresql://spade:***@db:5432/spade"),
        ("postgresql+asyncpg://spade:a/b@c?d#e@db/spade", "postgresql+asyncpg://spade:***@db/spade"),
        ("postgres://:s3cret@db/spade", "postgres://:***@db/spade"),
        ("https://user:p@ss@example.org/x", "https://user:***@example.org/x"),
        ("'postgresql://u:p@h/d' and 'amqp://v:q@i'", "'postgresql://u:***@h/d' and 'amqp://v:***@i'"),
        ("postgresql://db/spade?password=s3cret&sslmode=require", "postgresql://db/spade?password=***&sslmode=require"),
        ("dbname=spade password=s3cret host=db", "dbname=spade password=*** host=db"),
        (
            "POST https://discord.com/api/v10/interactions/123/aW50ZXJhY3Rpb246MTIzNDU2/callback",
            "POST https://discord.com/api/v10/interactions/123/***/callback",
        ),
        (
            "https://discord.com/api/v10/webhooks/123/aW50ZXJhY3Rpb246MTIzNDU2/messages/@original",
            "https://discord.com/api/v10/webhooks/123/***/messages/@original",
        ),
    ],
)
def test_secrets_of_urls_are_taken_out(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8000/api/v10/users/@me",
        "https://discord.com/channels/1338715593307199691/1/2",
        "sqlite:///spade.db",
        "postgresql://spade@db:5432/spade",
        "/interactions/123/callback",
        "bot.services.recording: 3 stretches of channel 1329767395471659287",
        "MyLongestModuleNameOfThemAll.method.another_quite_long_attribute_name",
    ],
)
def test_all_else_is_left_alone(text: str) -> None:
    assert redact(text) == text


@given(st.text())
@settings(deadline=None)  # other work on the machine is no failure
def test_redaction_takes_any_text_and_settles(text: str) -> None:
    assert redact(redact(text)) == redact(text)


def test_token_shape() -> None:
    assert has_token_shape(TOKEN)
    assert has_token_shape(LONG_TOKEN)
    assert not has_token_shape(f"Bot {TOKEN}")
    assert not has_token_shape("1329767395471659287")
    assert not has_token_shape("")


def fail_with(secret: str) -> None:
    raise RuntimeError(f"no login with {secret}")


def log_everywhere() -> None:
    """One record with a secret in its message, its arguments, its exception, that one's cause and its stack."""
    logger = logging.getLogger("spade.test")
    try:
        try:
            fail_with(TOKEN)
        except RuntimeError as error:
            raise ValueError("postgresql://spade:s3cret@db/spade") from error
    except ValueError:
        logger.exception("login as %s, %s", TOKEN, {"url": "https://u:s3cret@h/"}, stack_info=True)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_secret_shows_nowhere_in_a_record(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    start_log(form=form)
    log_everywhere()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert TOKEN not in shown.err
    assert "s3cret" not in shown.err
    for part in ("login as ***", "RuntimeError: no login with ***", "spade:***@db", "u:***@h", "Stack (most recent"):
        assert part in shown.err


def test_text_lines(capsys: pytest.CaptureFixture[str]) -> None:
    start_log()
    record = logging.makeLogRecord(
        {"name": "bot.app", "levelno": logging.WARNING, "levelname": "WARNING", "msg": "late by %d s", "args": (3,)}
    )
    record.created = 1772442000.25
    logging.getLogger("bot.app").handle(record)
    assert capsys.readouterr().err == "2026-03-02 09:00:00Z WARNING  bot.app: late by 3 s\n"


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    start_log(form="json")
    record = logging.makeLogRecord(
        {
            "name": "bot.app",
            "levelno": logging.WARNING,
            "levelname": "WARNING",
            "msg": 'late by %d s "é"\n',
            "args": (3,),
        }
    )
    record.created = 1772442000.25
    logging.getLogger("bot.app").handle(record)
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line) == {
        "time": "2026-03-02T09:00:00.250+00:00",
        "level": "warning",
        "logger": "bot.app",
        "message": 'late by 3 s "é"\n',
    }


def test_a_json_record_with_an_exception_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    start_log(form="json")
    log_everywhere()
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert entry["level"] == "error"
    assert entry["exception"].startswith("Traceback (most recent call last):")


def test_levels(capsys: pytest.CaptureFixture[str]) -> None:
    start_log("warning")
    logging.getLogger("bot").info("quiet")
    logging.getLogger("bot").warning("heard")
    start_log("debug")
    logging.getLogger("bot").debug("heard, too")
    logging.getLogger("discord.gateway").debug("what somebody wrote")
    logging.getLogger("discord.gateway").info("Shard ID None has connected to Gateway")
    logging.getLogger("discord.client").info("logging in using static token")
    logging.getLogger("discord.http").debug("what somebody wrote")
    logging.getLogger("discord.webhook.async").debug("what somebody wrote")
    logging.getLogger("apscheduler.executors.default").info("ticked")
    logging.getLogger("apscheduler.scheduler").warning("a tick was skipped")
    lines = capsys.readouterr().err.splitlines()
    assert [line.rpartition(": ")[2] for line in lines] == ["heard", "heard, too"]


def test_starting_again_does_not_double_the_lines_nor_touch_other_handlers(capsys: pytest.CaptureFixture[str]) -> None:
    other = logging.NullHandler()
    logging.getLogger().addHandler(other)
    start_log()
    start_log()
    logging.getLogger("bot").info("once")
    assert capsys.readouterr().err.count("once") == 1
    assert other in logging.getLogger().handlers


def test_lines_follow_standard_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    start_log()
    monkeypatch.setattr(sys, "stderr", sys.stdout)
    logging.getLogger("bot").info("here")
    assert "here" in capsys.readouterr().out
