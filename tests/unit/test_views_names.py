"""Names and text: whatever people call themselves, nothing acts, hides or overflows."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.views.words.names import NAME_LIMIT, name_of, plain_guild, plain_name, safe_guild, safe_name
from bot.views.words.text import clusters, cut, length

NASTY = [
    "@everyone",
    "@here",
    "<@123456789012345678>",
    "<@!1>",
    "<@&1>",
    "<#1>",
    "<t:1700000000:R>",
    "</cmd:1>",
    "<:smile:1>",
    "https://evil.example/x",
    "HTTP://EVIL.example",
    "[click](https://evil.example)",
    "www.evil.example",
    "discord.gg/abc",
    "discord.com/invite/abc",
    "javascript:alert(1)",
    "discord://-/settings",
    "<https://evil.example>",
    "<id:customize>",
    "mailto:me@evil.example",
    "**bold**",
    "__u__",
    "~~s~~",
    "||spoiler||",
    "```code```",
    "`",
    "\\",
    "\\*",
    "# head",
    "- list",
    "1. one",
    "1.",
    "> quote",
    ">>> quote",
    "-# small",
    "\n",
    "\r\n",
    "\t",
    "\u202e",
    "\u2066",
    "\u2069",
    "\u200b",
    "\u200d",
    "\ufeff",
    "\u00ad",
    "\u3164",
    "\u2028",
    "\x00",
    "\x1b[31m",
    "\ud800",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349\u035a\u032f\u031e\u0320\u034d",
    "👩‍👩‍👧",
    "🇩🇪🇫🇷",
    "👍🏽",
    "🏳️‍🌈",
    "مريم",
    "שלום",
    "東京",
    "{name}",
    "{0}",
    "%s",
    "$x$",
    "[bold]",
    "[/]",
]
NAMES = st.one_of(
    st.text(max_size=80),
    st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=6)), max_size=12).map("".join),
)
ADDRESS = re.compile(r"\w+://|www\.\w|discord\.gg/|discord\.com/", re.IGNORECASE)


def is_harmless(text):
    """Nothing that Discord would turn into a mention, a time or a link, and nothing invisible."""
    return (
        "@" not in text
        and "<" not in text
        and not ADDRESS.search(text)
        and all(unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for character in text)
    )


@given(NAMES, st.integers(1, 100))
def test_a_plain_name_is_harmless_visible_and_short_enough(name, limit):
    shown = plain_name(name, limit)
    assert is_harmless(shown)
    assert shown.strip() == shown
    assert shown
    assert length(shown) <= limit or shown == "a member"
    assert not re.search(r"\s\s", shown)


@given(NAMES)
def test_no_more_than_three_accents_on_a_letter(name):
    run = 0
    for character in plain_name(name):
        run = run + 1 if unicodedata.category(character)[0] == "M" else 0
        assert run <= 3


@given(NAMES)
def test_a_safe_name_reads_as_the_plain_one_once_discord_removed_the_escapes(name):
    shown = safe_name(name)
    assert is_harmless(shown)
    assert length(shown) <= 2 * NAME_LIMIT
    assert re.sub(r"\\([^0-9A-Za-z\s])", r"\1", shown) == plain_name(name)
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_~`|\[\]]", shown)
    assert not re.match(r"[#+-]|\d+\.(?!\S)", shown)


@given(NAMES)
def test_a_name_made_safe_is_itself_plain(name):
    assert plain_name(plain_name(name)) == plain_name(name)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("  Ada \n\t Lovelace ", "Ada Lovelace"),
        ("Zoë", "Zoë"),
        ("Alex (she/her)", "Alex (she/her)"),
        ("j.smith", "j.smith"),
        ("東京 🎌", "東京 🎌"),
        ("\u200b\u3164", "a member"),
        ("", "a member"),
        ("a\u202eb", "ab"),
    ],
)
def test_ordinary_names_stay_what_they_are(name, shown):
    assert plain_name(name) == shown


def test_underscores_and_stars_are_escaped():
    assert safe_name("john_doe*") == r"john\_doe\*"
    assert safe_name("1. one") == r"1\. one"
    assert safe_name("0.") == r"0\."
    assert safe_name("v1.2") == "v1.2"
    assert safe_name("- Jean-Luc #1") == r"\- Jean-Luc #1"


def test_a_server_without_a_visible_name_is_this_server():
    assert plain_guild("\u200b") == safe_guild("") == "this server"
    assert safe_guild("Mesh_Community") == r"Mesh\_Community"


def test_a_person_whose_name_is_unknown_is_a_member():
    assert name_of(5, {}) == "a member"
    assert name_of(5, {5: "Ada"}) == "Ada"


@given(NAMES, st.integers(0, 60))
def test_cutting_keeps_what_belongs_together(text, limit):
    shown = cut(text, limit)
    assert length(shown) <= limit
    if shown != text and limit:
        assert shown.endswith("…")
        kept = shown[:-1]
        parts = list(clusters(text))
        assert kept in {"".join(parts[:count]).rstrip() for count in range(len(parts) + 1)}


@given(st.text(max_size=60))
def test_clusters_are_the_whole_text(text):
    assert "".join(clusters(text)) == text


def test_families_flags_and_accents_are_single_characters():
    assert clusters("a👩‍👩‍👧e\u0301🇩🇪🇫🇷👍🏽") == ["a", "👩‍👩‍👧", "e\u0301", "🇩🇪", "🇫🇷", "👍🏽"]


def test_keycaps_syllables_and_regional_flags_are_single_characters():
    scotland = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
    parts = ["1\ufe0f\u20e3", "\u1112\u1161\u11ab", "\u0928\u093f", scotland]
    assert clusters("".join(parts)) == parts
