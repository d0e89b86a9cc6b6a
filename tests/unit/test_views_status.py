"""`/status` is headed "Everything is in order" only if everything is, and names every trouble."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.domain.delivery import EXPIRED, UNNEEDED, UNSETTLEABLE, Delivery, DeliveryKind, DeliveryState
from bot.domain.due_work import Cause, FailedWork, Piece, Work
from bot.domain.guild import LANGUAGES, GuildSettings
from bot.domain.history_job import HistoryJob, JobKind, LeftOut
from bot.services.guild.status import StatusFacts, Undelivered
from bot.services.record.job_progress import JobProgress
from bot.views.guild.backfill import backfill_progress
from bot.views.guild.status import ConnectionState, status_letter
from bot.views.words.sentence import speaking

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 9, 9, tzinfo=UTC)
CONNECTION = ConnectionState("1.0", NOW, {})
FACTS = StatusFacts(GuildSettings(1, ZoneInfo("UTC"), 5), NOW, NOW, 3, 0, (), {}, None, None, None, ())


def delivery(kind: DeliveryKind, state: DeliveryState, problem: str | None = None) -> Delivery:
    manager_id = None if kind is DeliveryKind.DIGEST else 7
    return Delivery("ab12", 1, kind, manager_id, date(2026, 3, 2), state, "spade-ab12", NOW, NOW, problem=problem)


def said(facts: StatusFacts) -> tuple[str, str]:
    (card,) = status_letter(facts, CONNECTION).cards
    return str(card.title), str(card.description or "")


def test_without_trouble_everything_is_in_order() -> None:
    assert said(FACTS) == ("Everything is in order", "")


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (
            Undelivered(delivery(DeliveryKind.DIGEST, DeliveryState.PENDING, "Missing Access."), None, NOW),
            "Digest of 2–8 March 2026: Discord refused it (Missing Access). It is tried again <t:1773046800:R>.",  # noqa: RUF001
        ),
        (
            Undelivered(delivery(DeliveryKind.NUDGE, DeliveryState.PENDING, "a [link]"), "*Jo*"),
            r"Nudge to \*Jo\*, Monday 2 March: Discord refused it (a \[link\]). It is tried again soon.",
        ),
        (
            Undelivered(delivery(DeliveryKind.WELCOME, DeliveryState.PENDING), "Jo"),
            "First message to Jo: Discord refused it (it gave no reason). It is tried again soon.",
        ),
        (
            Undelivered(delivery(DeliveryKind.DIGEST, DeliveryState.REFUSED, "Unknown Channel")),
            "Discord refused it (Unknown Channel). Another channel can be chosen with `/settings digest`.",
        ),
        (
            Undelivered(delivery(DeliveryKind.PERSONAL_DIGEST, DeliveryState.REFUSED, EXPIRED), "Jo"),
            "Digest to Jo, 2–8 March 2026: it was not sent (Discord did not take it while it was due).",  # noqa: RUF001
        ),
        (
            Undelivered(delivery(DeliveryKind.DIGEST, DeliveryState.REFUSED, UNSETTLEABLE)),
            "March 2026: whether it arrived could not be found out, so it is not sent again.",
        ),
        (
            Undelivered(delivery(DeliveryKind.NUDGE, DeliveryState.UNKNOWN, "hung"), "Jo"),
            "Nudge to Jo, Monday 2 March: Discord has not confirmed it.",
        ),
    ],
)
def test_what_was_not_sent_is_named_with_discords_reason(one: Undelivered, words: str) -> None:
    title, text = said(replace(FACTS, undelivered=(one,)))
    assert title == "Spade works, with something to look at"
    assert words in text


@pytest.mark.parametrize(
    ("work", "cause", "words"),
    [
        (Work.RECORDING, Cause.DATABASE, "Recording, which comes before the nudges: has not succeeded since <t:"),
        (Work.DIGEST, Cause.FAULT, "(a fault in Spade; its log says more). It is tried again <t:"),
        (Work.PERSONAL_DIGEST, Cause.DEADLINE, "Digest to Jo: has not succeeded since"),
        (Work.NUDGE, Cause.DISCORD, "(Missing Access, 50001)"),
        (Work.NUDGE, Cause.UNANSWERED, "(Discord does not answer what Spade asks)"),
        (Work.RETENTION, Cause.DATABASE, "Deleting what is older than this server keeps: has not succeeded"),
        ("gaps", Cause.FAULT, "Fetching messages that are missing from the record: has not succeeded"),
        ("something new", Cause.FAULT, "Some of Spade's own upkeep: has not succeeded"),
    ],
)
def test_other_work_that_fails_is_named_with_since_when_and_when_it_is_tried_again(
    work: str, cause: Cause, words: str
) -> None:
    reason = "Discord answered 403 (50001) to POST /channels/5/messages: Missing Access"
    failed = FailedWork(Piece(work, 1, 7), cause, NOW, 3, NOW + timedelta(minutes=4), reason)
    title, text = said(replace(FACTS, failing=((failed, "Jo"),)))
    assert title == "Spade works, with something to look at"
    assert words in text


def test_all_work_on_the_schedule_is_named_in_words() -> None:
    sources = [path.read_text(encoding="utf-8") for room in ("bot", "cogs") for path in (ROOT / room).rglob("*.py")]
    names = {name for source in sources for name in re.findall(r"schedule\.add\(\s*\"(\w+)\"", source)}
    assert {"gaps", "nudges"} <= names
    for name in names:
        failed = FailedWork(Piece(name), Cause.FAULT, NOW, 3, NOW + timedelta(minutes=4))
        _, text = said(replace(FACTS, failing=((failed, None),)))
        assert "has not succeeded" in text
        assert "Some of Spade's own upkeep" not in text


def test_messages_that_cannot_be_written_are_counted() -> None:
    title, text = said(replace(FACTS, unwritten={8: 2, 9: 1}))
    assert title == "Spade works, with something to look at"
    assert "3 messages in <#8> and <#9> are not on record yet" in text


@pytest.mark.parametrize(
    ("language", "reason", "words"),
    [
        ("en", LeftOut.FORBIDDEN, "There is history to read in <#8> and <#9>, and I may not read it there. It is read"),
        ("en", LeftOut.UNANSWERED, "There is history to read in <#8> and <#9>, and that failed. It is tried again wi"),
        ("en", LeftOut.UNREADABLE, "and some of what Discord sends of it cannot be read. It is tried again, later and"),
        ("de", LeftOut.FORBIDDEN, "In <#8> und <#9> ist noch Verlauf zu lesen, und ich darf ihn dort nicht lesen."),
        ("de", LeftOut.UNANSWERED, "In <#8> und <#9> ist noch Verlauf zu lesen, und das ist misslungen. Es wird inne"),
        ("de", LeftOut.UNREADABLE, "einiges von dem, was Discord davon sendet, kann nicht gelesen werden. Es wird im"),
    ],
)
def test_history_that_could_not_be_read_is_named_with_the_reason(language: str, reason: LeftOut, words: str) -> None:
    """By `/status`, and by `/backfill`, which says how much was read."""
    job = HistoryJob(1, 1, JobKind.BACKFILL, NOW, None, NOW)
    progress = JobProgress(job, 5, 3, 70, running=False, left_out={reason: (8, 9)})
    exclude = {"en": "`/settings exclude`", "de": "`/einstellungen ausschließen`"}
    so_far = {
        "en": "So far: 70 messages read in 3 of 5 channels and threads.",
        "de": "Bisher: 70 Nachrichten gelesen in 3 von 5 Kanälen und Threads.",
    }
    with speaking(language):
        title, text = said(replace(FACTS, left_out={reason: (8, 9)}))
        told = backfill_progress(progress)
    assert title != "Everything is in order"
    assert words in text
    assert words in told
    assert told.startswith(so_far[language])
    assert (exclude[language] in told) is (reason is LeftOut.FORBIDDEN)


@pytest.mark.parametrize(
    ("channels", "done", "running", "finished", "words"),
    [
        (0, 0, True, False, "Looking for channels and threads …"),
        (5, 3, True, False, "Reading history: 3 of 5 channels and threads, 70 messages read."),
        (5, 5, False, True, "Done: 70 messages read in 5 channels and threads."),
        (5, 5, False, False, "Done: 70 messages read in 5 channels and threads."),  # another is excluded by now
        (0, 0, False, True, "Done: 70 messages read in 0 channels and threads."),
        (5, 3, False, False, "Stopped, with 70 messages read."),
    ],
)
def test_a_backfill_is_done_when_it_has_read_everything(
    channels: int, done: int, running: bool, finished: bool, words: str
) -> None:
    job = HistoryJob(1, 1, JobKind.BACKFILL, NOW, None, NOW)
    told = backfill_progress(JobProgress(job, channels, done, 70, running=running, finished=finished))
    assert told.startswith(words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_much_trouble_stays_within_discords_limits_and_is_counted(language: str) -> None:
    refused = delivery(DeliveryKind.NUDGE, DeliveryState.PENDING, "W" * 400)
    failed = FailedWork(Piece("nudge", 1, 7), Cause.DISCORD, NOW, 3, NOW, "W" * 400)
    facts = replace(
        FACTS,
        undelivered=(Undelivered(refused, "W" * 40, NOW),) * 6,
        failing=((failed, "W" * 40),) * 6,
        closed=tuple(["W" * 40] * 8),
        unwritten=dict.fromkeys(range(10**18, 10**18 + 9), 1),
    )
    with speaking(language):
        _, text = said(facts)
    assert not text.endswith("…")
    assert "8" in text


@pytest.mark.parametrize(
    ("one", "troubled"),
    [
        (delivery(DeliveryKind.NUDGE, DeliveryState.SENT), False),
        (delivery(DeliveryKind.NUDGE, DeliveryState.NOTHING), False),
        (delivery(DeliveryKind.NUDGE, DeliveryState.PENDING, "no"), True),
        (delivery(DeliveryKind.NUDGE, DeliveryState.UNKNOWN, "hung"), True),
        (delivery(DeliveryKind.NUDGE, DeliveryState.REFUSED, "no"), True),
        (delivery(DeliveryKind.NUDGE, DeliveryState.REFUSED, UNNEEDED), False),
        (replace(delivery(DeliveryKind.NUDGE, DeliveryState.CLAIMED), tried_at=NOW - timedelta(seconds=30)), False),
        (replace(delivery(DeliveryKind.NUDGE, DeliveryState.CLAIMED), tried_at=NOW - timedelta(seconds=31)), True),
    ],
)
def test_a_delivery_is_in_trouble_unless_it_was_sent_or_is_just_on_its_way(one: Delivery, troubled: bool) -> None:
    assert one.in_trouble(NOW) is troubled
