"""The nudge in words, buttons and states."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.nudge import Action, Nudge, NudgeDraft, Offer, OfferContext, Press, Reason
from bot.domain.nudge_time import NudgeSchedule
from bot.views.kit.letter import Choice
from bot.views.nudge.direct_message import BUTTON_PATTERN, nudge_letter, nudge_preview
from bot.views.nudge.offer import offer_sentence
from bot.views.nudge.presses import (
    COLLEAGUE_PATTERN,
    already_settled,
    hand_over_letter,
    not_your_nudge,
)
from bot.views.words.text import length

from .test_views_names import ADDRESS, NAMES

NOW = datetime(2026, 3, 27, 8, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def hours(count):
    return NOW - timedelta(hours=count)


WAITING = Offer(11, Reason.WAITING, hours(31), 111, 222)
WROTE_BACK = Offer(12, Reason.WAITING, hours(5), 112, 222, wrote_back=True)
NEWCOMER = Offer(13, Reason.NEWCOMER, hours(80), 113, 222)
UNMET = Offer(14, Reason.UNMET, hours(500), active_days=5)
COOLING = Offer(15, Reason.COOLING, hours(24 * 44), 115, 222, conversations=4)
OFFERS = (WAITING, WROTE_BACK, NEWCOMER, UNMET, COOLING)


SCHEDULE = NudgeSchedule(GuildSettings(99, ZoneInfo("UTC")), ManagerSettings(99, 1, zone=BERLIN))
PEOPLE = {11: "Ada", 12: "Bob", 13: "مريم", 14: "D_D", 15: "Eve", 16: "G_G"}


def nudge_of(*offers, nudge=None, guild_name="Mesh", presses=(), **context):
    return NudgeDraft(
        "00ff",
        nudge or Nudge(1, offers),
        SCHEDULE,
        guild_name,
        OfferContext(**{"now": NOW, "zone": BERLIN, "names": PEOPLE, "usual_reply_minutes": 380.0, **context}),
        tuple(presses),
    )


def sentence_of(offer, **context):
    return offer_sentence(offer, nudge_of(offer, **context).context)


@pytest.mark.parametrize(
    ("offer", "sentence"),
    [
        (WAITING, "Has waited 31 h for an answer from you; you usually answer in 6 h."),
        (replace(WAITING, for_team=True), "Has waited 31 h for an answer from anybody on the team."),
        (replace(WAITING, since=hours(5)), "Has waited 5 h for an answer from you."),
        (WROTE_BACK, "Wrote back to you 5 h ago."),
        (NEWCOMER, "First wrote on Tuesday, and nobody on the team has said hello yet."),
        (replace(NEWCOMER, since=hours(8)), "First wrote today, and nobody on the team has said hello yet."),
        (replace(NEWCOMER, since=hours(14)), "First wrote yesterday, and nobody on the team has said hello yet."),
        (
            replace(NEWCOMER, since=hours(24 * 9)),
            "First wrote 9 days ago, and nobody on the team has said hello yet.",
        ),
        (UNMET, "Active on 5 of the last 30 days, and nobody on the team has met them yet."),
        (replace(UNMET, active_days=None), "Active lately, and nobody on the team has met them yet."),
        (COOLING, "You last talked 6 weeks ago, after 4 conversations; they still write here."),
        (replace(COOLING, conversations=None), "You last talked 6 weeks ago; they still write here."),
        (
            replace(COOLING, conversations=None, from_manager_id=12, handed=True),
            "Last talked with Bob 6 weeks ago; they still write here. Bob handed them over to you.",
        ),
        (
            replace(WAITING, from_manager_id=12, handed=True),
            "Has waited 31 h for an answer. Bob handed them over to you.",
        ),
        (replace(WAITING, from_manager_id=12), "Has waited 31 h for an answer from Bob, who is away."),
        (replace(WAITING, from_manager_id=77), "Has waited 31 h for an answer from a colleague, who is away."),
    ],
)
def test_every_reason_is_told_in_plain_facts(offer, sentence):
    assert sentence_of(offer) == sentence


def test_when_a_newcomer_joined_is_told_if_it_was_before_their_first_day():
    assert sentence_of(NEWCOMER, joined={13: hours(24 * 9)}) == (
        "Joined 9 days ago, first wrote on Tuesday, and nobody on the team has said hello yet."
    )
    assert sentence_of(NEWCOMER, joined={13: hours(81)}).startswith("First wrote on Tuesday")


def test_a_young_record_says_how_far_back_it_reaches():
    assert sentence_of(UNMET, days_on_record=6) == (
        "Active on 5 of the 6 days on record, and nobody on the team has written to them in that time."
    )
    assert "the last 30 days" in sentence_of(UNMET, days_on_record=30)


def test_nobody_is_told_a_pace_that_is_not_known():
    assert sentence_of(WAITING, usual_reply_minutes=None).endswith("from you.")


def test_today_is_the_day_on_the_managers_wall():
    newcomer = replace(NEWCOMER, since=datetime(2026, 3, 26, 23, 30, tzinfo=UTC))
    assert "today" in sentence_of(newcomer)
    assert "yesterday" in sentence_of(newcomer, zone=ZoneInfo("UTC"))


def test_five_people_five_rows_that_say_whose_they_are():
    letter = nudge_letter(nudge_of(*OFFERS))
    assert letter.content is None
    assert letter.cards[0].title == "5 people worth a word from you"
    assert [field.name for field in letter.cards[0].fields] == [
        "1 · Ada",
        "2 · Bob",
        "3 · مريم",
        r"4 · D\_D",
        "5 · Eve",
    ]
    assert [row[0].label for row in letter.rows] == ["1 · Ada", "2 · Bob", "3 · مريم", "4 · D_D: Done", "5 · Eve"]
    assert "A name below opens the message." in (letter.cards[0].footer or "")
    assert letter.rows[0][0].url == "https://discord.com/channels/99/222/111"
    assert [button.label for button in letter.rows[0][1:]] == ["Done", "Hand over", "Snooze 7 days", "Not this person"]
    assert [button.custom_id for button in letter.rows[3]] == [
        f"spade:nudge:00ff:4:{action}" for action in ("done", "hand_over", "snooze", "never")
    ]
    assert "https://" not in letter.cards[0].fields[0].value  # the button leads there


def test_a_name_on_a_button_leaves_room_for_the_buttons_beside_it():
    named = nudge_of(WAITING, WROTE_BACK, names={11: "Wolfeschlegelsteinhausen", 12: "Bob"})
    assert nudge_letter(named).rows[0][0].label == "1 · Wolfeschlegelst…"


def test_a_preview_has_links_in_its_lines_and_no_buttons():
    letter = nudge_preview(nudge_of(WAITING, UNMET))
    assert letter.rows == ()
    first, second = letter.cards[0].fields
    assert first.value.endswith(" [Open the message](https://discord.com/channels/99/222/111)")
    assert "Open" not in second.value


def test_one_person_needs_no_number():
    letter = nudge_letter(nudge_of(WAITING))
    assert letter.cards[0].title == "One person worth a word from you"
    assert letter.cards[0].fields[0].name == "Ada"
    assert letter.rows[0][0].label == "Open the message"


def test_buttons_carry_what_the_cogs_look_for():
    letter = nudge_letter(nudge_of(*OFFERS))
    for position, row in enumerate(letter.rows, start=1):
        for button in row:
            if button.custom_id:
                found = re.fullmatch(BUTTON_PATTERN, button.custom_id)
                assert found
                assert found["delivery_id"] == "00ff"
                assert int(found["position"]) == position
                Action(found["action"])


@pytest.mark.parametrize(
    ("press", "sentence", "label"),
    [
        (Press(2, Action.DONE, NOW), "Done.", "Done"),
        (
            Press(2, Action.HAND_OVER, NOW, 16),
            r"Handed over to G\_G, who will find them in their next nudge.",
            "Handed over",
        ),
        (
            Press(2, Action.HAND_OVER, NOW),
            "Handed over to a colleague, who will find them in their next nudge.",
            "Handed over",
        ),
        (Press(2, Action.SNOOZE, NOW), "Snoozed until Friday 3 April.", "Snoozed"),
        (
            Press(2, Action.NEVER, NOW),
            "Noted: you will not be nudged about them. `/nudges again` in the server takes it back.",
            "Not this person",
        ),
        (Press(2, Action.MOOT, NOW), "No longer needed.", None),
    ],
)
def test_a_settled_person_is_struck_with_the_outcome_and_cannot_be_pressed_again(press, sentence, label):
    letter = nudge_letter(nudge_of(WAITING, WROTE_BACK, presses=[press]))
    field = letter.cards[0].fields[1]
    assert field.name == "✓ 2 · ~~Bob~~"
    assert field.value == sentence
    assert len(letter.rows) == 2
    assert [(button.label, button.disabled) for button in letter.rows[1]] == [
        ("2 · Bob", False),
        *([(label, True)] if label else []),
    ]
    assert not any(button.disabled for button in letter.rows[0])


def test_all_settled_is_thanked_for_and_still_carries_its_id():
    letter = nudge_letter(nudge_of(UNMET, presses=[Press(1, Action.DONE, NOW)]))
    assert letter.cards[0].description == "All settled. Thank you."
    assert letter.cards[0].fields[0].name == r"✓ ~~D\_D~~"
    assert [(button.label, button.disabled, button.custom_id) for button in letter.rows[0]] == [
        ("Done", True, "spade:nudge:00ff:1:done")
    ]


def test_writing_half_as_often_is_said_once_and_kindly():
    draft = nudge_of(WAITING, nudge=Nudge(1, (WAITING,), half_as_often=True))
    description = nudge_letter(draft).cards[0].description
    assert description is not None
    assert "My last 3 messages brought no reaction, so I will write half as often." in description
    assert "the usual days are back" in description
    assert nudge_letter(nudge_of(WAITING)).cards[0].description is None


@pytest.mark.parametrize("delivery_id", ["", "XYZ", "a" * 33, "ab:cd"])
def test_an_id_that_is_not_opaque_is_refused(delivery_id):
    with pytest.raises(ValueError, match="opaque"):
        nudge_letter(replace(nudge_of(WAITING), delivery_id=delivery_id))


async def test_discord_py_keeps_no_view_in_memory_for_a_sent_message():
    view = nudge_letter(nudge_of(*OFFERS)).view()
    assert isinstance(view, discord.ui.View)
    assert view.is_finished()
    assert view.timeout is None


def test_handing_over_asks_to_whom():
    letter = hand_over_letter(
        {number: f"C{number}" for number in range(40)}, delivery_id="00ff", position=2, member_name="B*b"
    )
    choice = letter.rows[0]
    assert isinstance(choice, Choice)
    assert re.fullmatch(COLLEAGUE_PATTERN, choice.custom_id)
    assert len(choice.options) == 25
    assert r"B\*b" in (letter.content or "")
    assert letter.payload()["components"][0]["components"][0]["type"] == 3
    alone = hand_over_letter({}, delivery_id="00ff", position=2, member_name="Bob")
    assert alone.view() is None
    assert alone.content
    assert not_your_nudge() != already_settled()


OFFER = st.builds(
    Offer,
    member_id=st.integers(1, 6),
    reason=st.sampled_from(Reason),
    since=st.timedeltas(timedelta(days=-1), timedelta(days=4000)).map(lambda age: NOW - age),
    message_id=st.none() | st.integers(0, 2**63),
    channel_id=st.none() | st.integers(0, 2**63),
    wrote_back=st.booleans(),
    for_team=st.booleans(),
    active_days=st.none() | st.integers(0, 10**9),
    conversations=st.none() | st.integers(0, 10**9),
)
PRESS = st.builds(Press, st.integers(1, 6), st.sampled_from(Action), st.just(NOW), st.none() | st.integers(1, 6))


@given(
    st.lists(OFFER, min_size=1, max_size=5),
    st.dictionaries(st.integers(1, 6), NAMES),
    NAMES,
    st.lists(PRESS, max_size=6),
    st.booleans(),
    st.none() | st.floats(0, 1e7),
)
def test_no_nudge_breaks_a_limit_or_lets_a_name_act(offers, names, guild_name, presses, half, usual):
    draft = nudge_of(
        nudge=Nudge(1, tuple(offers), half_as_often=half),
        guild_name=guild_name,
        presses=presses,
        names=names,
        usual_reply_minutes=usual,
    )
    letter = nudge_letter(replace(draft, delivery_id="f" * 32))
    keeps_discords_limits(letter)
    text = str([(field.name, re.sub(r"\[Open the message\]\(https://discord\.com/[\d/channels]*\)", "", field.value))
                for field in letter.cards[0].fields]) + str(letter.cards[0].author)  # fmt: skip
    assert "@" not in text
    assert "<" not in text
    assert not ADDRESS.search(text)


def keeps_discords_limits(letter):
    """Hold a letter to what Discord takes, counting in the larger of the two ways."""
    payload = letter.payload()
    assert payload["allowed_mentions"]["parse"] == []
    assert length(payload["content"] or "") <= 2000
    for embed in payload["embeds"]:
        fields = embed.get("fields", [])
        assert len(fields) <= 25
        assert length(embed.get("title", "")) <= 256
        assert length(embed.get("description", "")) <= 4096
        assert length(embed.get("author", {}).get("name", "")) <= 256
        assert length(embed.get("footer", {}).get("text", "")) <= 2048
        for field in fields:
            assert 1 <= length(field["name"]) <= 256
            assert 1 <= length(field["value"]) <= 1024
        total = [embed.get("title", ""), embed.get("description", ""), embed.get("author", {}).get("name", "")]
        total += [embed.get("footer", {}).get("text", "")]
        total += [field["name"] + field["value"] for field in fields]
        assert sum(map(length, total)) <= 6000
    assert len(payload["components"]) <= 5
    ids = []
    for row in payload["components"]:
        assert 1 <= len(row["components"]) <= 5
        for component in row["components"]:
            assert 1 <= length(component.get("label", "x")) <= 80
            ids += [component["custom_id"]] if "custom_id" in component else []
    assert len(ids) == len(set(ids))
    assert all(len(custom_id) <= 100 for custom_id in ids)
