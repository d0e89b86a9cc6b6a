"""Amounts, dates and short answers in words."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel.dates import get_day_names, get_month_names
from babel.numbers import format_decimal, format_percent
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.guild import LANGUAGES, GuildSettings, ManagerSettings
from bot.domain.nudge_time import NudgeSchedule
from bot.services.guild.status import StatusFacts
from bot.views.guild import setup_summary
from bot.views.guild.setup import Guide, SetupPage, finished, guide_letter, saved
from bot.views.guild.status import ConnectionState, status_letter
from bot.views.kit.letter import CONTENT_LIMIT
from bot.views.kit.links import message_link
from bot.views.nudge import answers
from bot.views.nudge.welcome import welcome_letter
from bot.views.words import refusals, regional
from bot.views.words.amounts import duration, minutes, people, percent
from bot.views.words.dates import day_label, discord_time, short_day, week_label, weekdays_label
from bot.views.words.sentence import listing, say, say_count, speaking
from bot.views.words.text import length

from .test_views_names import NAMES

NOW = datetime(2026, 3, 27, 8, tzinfo=UTC)
SCHEDULE = NudgeSchedule(GuildSettings(99, ZoneInfo("Europe/Berlin")), ManagerSettings(99, 1))


@pytest.mark.parametrize(
    ("elapsed", "words"),
    [
        (timedelta(seconds=-5), "under a minute"),
        (timedelta(seconds=59), "under a minute"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=25, seconds=59), "25 min"),
        (timedelta(minutes=119), "119 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=31, minutes=59), "31 h"),
        (timedelta(hours=48), "2 days"),
        (timedelta(days=9, hours=23), "9 days"),
        (timedelta(days=27), "27 days"),
        (timedelta(weeks=4), "4 weeks"),
        (timedelta(weeks=6, days=3), "6 weeks"),
        (timedelta(weeks=26), "5 months"),
        (timedelta(days=800), "2 years"),
    ],
)
def test_durations(elapsed, words):
    assert duration(elapsed) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(0.4, "under a minute"), (1.6, "2 min"), (119.6, "2 h"), (380, "6 h"), (395, "7 h"), (60 * 24 * 3.6, "4 days")],
)
def test_measured_minutes_are_rounded(count, words):
    assert minutes(count) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0, "0%"),
        (0.001, "under 1%"),
        (0.114, "11%"),
        (0.994, "over 99%"),
        (0.989, "99%"),
        (1, "100%"),
    ],
)
def test_percentages(share, words):
    assert percent(share) == words


def test_people_come_whole():
    assert people(0.2) == "1"
    assert people(1212.4) == "1,212"


def test_sentences():
    assert say("{name} {{x}}", name="{y}") == "{y} {x}"
    assert say_count("one", "{count} many", count=1) == "one"
    assert say_count("one", "{count} many", count=5000) == "5,000 many"
    assert [listing(items) for items in ([], ["A"], ["A", "B"], ["A", "B", "C"])] == ["", "A", "A and B", "A, B and C"]


def test_dates():
    assert week_label(date(2026, 3, 2)) == "2–8 March 2026"  # noqa: RUF001
    assert week_label(date(2026, 3, 30)) == "30 March to 5 April 2026"
    assert week_label(date(2025, 12, 29)) == "29 December 2025 to 4 January 2026"
    assert day_label(date(2026, 3, 9)) == "Monday 9 March"
    assert short_day(date(2026, 3, 9)) == "9 Mar"
    assert discord_time(datetime(2026, 3, 9, tzinfo=UTC)) == "<t:1773014400:R>"
    assert message_link(1, 2, 3) == "https://discord.com/channels/1/2/3"


@pytest.mark.parametrize(
    ("weekdays", "words"),
    [
        (range(7), "every day"),
        (range(5), "Monday to Friday"),
        ({3, 0}, "Monday and Thursday"),
        ([0, 1], "Monday and Tuesday"),
        ([6], "Sunday"),
        ([], "no day"),
    ],
)
def test_weekdays(weekdays, words):
    assert weekdays_label(weekdays) == words


def test_setup_says_what_is_missing():
    setup = setup_summary.Setup(
        ("Ada_L",), "Europe/Berlin", 5, digest_channel_writable=False, unreadable_channel_ids=(7, 8)
    )
    text = setup_summary.setup_saved(setup)
    assert r"Ada\_L" in text
    assert "cannot post" in text
    assert "<#5>" in text
    assert "<#7> and <#8>" in text
    assert "Time zone: Europe/Berlin." in text
    assert "nobody yet" in setup_summary.setup_saved(setup_summary.Setup((), "UTC"))
    writable = setup_summary.Setup(("A",), "UTC", 5, digest_weekday=2, digest_hour=7)
    assert "<#5>, Wednesday from 07:00" in setup_summary.setup_saved(writable)


@given(st.lists(NAMES, max_size=40), st.lists(st.integers(0, 2**63), max_size=60), NAMES, NAMES)
def test_no_answer_is_too_long_or_pings(names, channels, zone, reference):
    for text in (
        setup_summary.setup_saved(setup_summary.Setup(names, zone, 5, None, 0, 9, channels, channels)),
        answers.nudges_on(SCHEDULE),
        answers.nudges_closed(zone),
        refusals.unexpected_error(reference),
    ):
        assert length(text) <= CONTENT_LIMIT
        assert "@" not in text
    embed = welcome_letter(SCHEDULE, zone, delivery_id="ab12").embeds()[0]
    assert len(embed) <= 6000
    assert "@" not in str(embed.to_dict())


@pytest.mark.parametrize("language", LANGUAGES)
def test_many_channels_out_of_sight_and_long_names_leave_room_for_what_is_said_last(language):
    """A big server has dozens of private channels; Discord would refuse a longer text as a whole."""
    channels = range(10**18, 10**18 + 60)
    names = ["_" * 40] * 30
    missing = {5: ["view_channel", "send_messages", "embed_links", "attach_files"]}
    missing |= {channel: ["view_channel", "read_message_history"][channel % 2 :] for channel in channels}
    setup = setup_summary.Setup(
        names, "America/Argentina/ComodRivadavia", 5, False, 0, 9, channels, channels, missing[5], names
    )
    guide = Guide(GuildSettings(1, ZoneInfo("UTC")), setup, missing=missing)
    status = StatusFacts(
        guide.settings, NOW, NOW, 60, 3, (), dict.fromkeys(channels, 2), None, None, None, tuple(names[:3])
    )
    with speaking(language):
        end = str(finished(guide, None).letter.content)
        assert length(end) <= CONTENT_LIMIT
        assert "`/digest`" in end or language != "en"
        assert not end.endswith("…")
        assert length(saved(setup, all_shown_commands=False)) <= CONTENT_LIMIT
        for page in SetupPage:
            (card,) = guide_letter(guide, page).cards
            assert not str(card.description).endswith("…")
        (card,) = status_letter(status, ConnectionState("1.0", NOW, missing)).cards
        assert str(card.description).count("<#") == 1 + 8 + 8 + 8
        assert not str(card.description).endswith("…")


def test_only_channels_that_are_read_can_be_left_out_on_purpose():
    settings = GuildSettings(1, ZoneInfo("UTC"), digest_channel_id=5)
    status = StatusFacts(settings, NOW, NOW, 1, 0, (), {}, None, None, None, ())
    for missing, hinted in (({5: ["send_messages"]}, False), ({7: ["read_message_history"]}, True)):
        (card,) = status_letter(status, ConnectionState("1.0", NOW, missing)).cards
        assert ("`/settings exclude`" in str(card.description)) is hinted


def test_status_says_that_the_time_is_not_certain_if_that_lasts():
    status = StatusFacts(GuildSettings(1, ZoneInfo("UTC")), NOW, NOW, 1, 0, (), {}, None, None, None, ())
    for unsure in (False, True):
        (card,) = status_letter(status, ConnectionState("1.0", NOW, {}, time_unsure=unsure)).cards
        assert ("not certain what time it is" in str(card.description)) is unsure
        assert ("in order" in str(card.title)) is not unsure


def test_fixed_answers():
    assert "/nudges on" in answers.nudges_off(were_on=True)
    assert "already" in answers.nudges_off(were_on=False)
    assert "`a1b2`" in refusals.unexpected_error("a1b2")
    fixed = (
        refusals.not_a_manager,
        refusals.not_allowed,
        refusals.only_in_server,
        refusals.not_set_up,
        answers.nudges_unsettled,
    )
    for answer in fixed:
        assert answer().endswith(".")


def test_the_first_message_says_what_comes_and_how_to_stop():
    letter = welcome_letter(SCHEDULE, "Mesh", delivery_id="ab12")
    text = str(letter.payload())
    assert "Monday to Friday" in text
    assert "09:00" in text
    assert "/nudges off" in text
    assert "spade:welcome:ab12:stop" in text
    assert welcome_letter(SCHEDULE, "Mesh").view() is None
    with pytest.raises(ValueError, match="opaque"):
        welcome_letter(SCHEDULE, "Mesh", delivery_id="no!")


def test_english_does_without_babel_and_writes_as_babel_does() -> None:
    wide, short = (get_month_names(width, context="format", locale="en") for width in ("wide", "abbreviated"))
    months = range(1, 13)
    assert [regional.month_name(month, "en") for month in months] == [wide[month] for month in months]
    assert [regional.short_month(month, "en") for month in months] == [short[month] for month in months]
    days = get_day_names("wide", context="format", locale="en")
    assert [regional.day_name(day, "en") for day in range(7)] == [days[day] for day in range(7)]
    for count in (0, -1, 7, 999, 1000, -12_345, 10**9):
        assert regional.whole_number(count, "en") == format_decimal(count, locale="en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_percentage_is_written_as_babel_does(language: str) -> None:
    for hundredths in (-120, 0, 1, 7, 29, 57, 58, 99, 100, 1234, 250_000):
        assert regional.percentage(hundredths, language) == format_percent(hundredths / 100, locale=language)
