"""The digest's picture: where its words stand, and what the renderer makes of it."""

import io
import struct
from dataclasses import replace
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.domain.figures import Verdict
from bot.domain.guild import LANGUAGES
from bot.domain.report import PastWeek
from bot.drawing import rasterised
from bot.views.digest.canvas import PICTURE_HEIGHT, PICTURE_WIDTH, digest_shapes, draw_digest, drawable
from bot.views.digest.chart import digest_picture
from bot.views.digest.shapes import Anchor, Box, Dot, Words, fitted, svg
from bot.views.digest.typeface import BOLD, REGULAR, Typeface, typeface
from bot.views.words.dates import short_day
from bot.views.words.sentence import speaking

from .test_views_digest import ANY_DRAFT, FIGURES, HISTORY, LANGUAGE, MONDAY, WEEK, draft_of

CROWD = tuple(max(1, 400 // rank) for rank in range(1, 5001))
ZIGZAG = [
    PastWeek(MONDAY - WEEK * back, replace(FIGURES, coverage=back * 37 % 11 / 10, spread=back * 53 % 11 / 10))
    for back in range(1, 12)
]
NAMES = ("Mesh", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk " * 3, "مجتمع المطورين العرب", "W" * 100)


def picture_of(draft, language="en"):
    with speaking(language):
        picture = digest_picture(draft)
    assert picture is not None
    return picture


def drawn(words):
    """What the renderer draws of some words: how opaque each pixel is."""
    return Image.open(io.BytesIO(rasterised(svg([words], 1200, 160)))).getchannel("A")


def inked(words):
    """The box of what the renderer draws of some words."""
    found = drawn(words).getbbox()
    assert found is not None, words
    return Box(*found)


def laid_out_well(picture):
    """No word leaves the card or lies over another one or over a value in a gap; the font has every letter."""
    shapes = list(digest_shapes(picture))
    texts = [shape for shape in shapes if isinstance(shape, Words) and shape.text]
    rings = [shape for shape in shapes if isinstance(shape, Dot) and shape.edge]
    for text in texts:
        box = text.box
        assert box.left > 30, text
        assert box.right < PICTURE_WIDTH - 30, text
        assert box.top > 30, text
        assert box.bottom < PICTURE_HEIGHT - 30, text
        assert text.size >= 24
        assert all(map(typeface(bold=text.bold).has, text.text)), text
    for (one, its), (other, another) in combinations([(text, text.box) for text in texts], 2):
        assert not its.overlaps(another), (one, other)
    for ring in rings:
        assert not [text for text in texts if text.upright and text.box.overlaps(ring.box)]
    return texts


@settings(max_examples=40, deadline=None)
@given(ANY_DRAFT.filter(lambda draft: not draft.quiet), LANGUAGE)
def test_no_label_of_any_picture_overlaps_or_leaves_it(draft, language):
    laid_out_well(picture_of(draft, language))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from((None, 0.0, 0.24, 0.5, 0.8, 1.0)), st.booleans()), max_size=11), LANGUAGE)
def test_no_label_overlaps_whatever_the_course_and_its_gaps(weeks, language):
    history = [
        PastWeek(MONDAY - WEEK * back, None if share is None else replace(FIGURES, coverage=share, spread=share), whole)
        for back, (share, whole) in enumerate(weeks, 1)
    ]
    laid_out_well(picture_of(draft_of(history=history, complete=len(weeks) % 2 == 0), language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_long_words_are_set_smaller_and_then_cut(language):
    for verdict, name in zip(Verdict, NAMES, strict=True):
        figures = replace(FIGURES, verdict=verdict, verdict_weeks=4, coverage=1.0, spread=1.0, active_members=10**6)
        for changes in ({}, {"corrected": replace(FIGURES, coverage=None)}, {"conversations": CROWD}):
            texts = laid_out_well(picture_of(draft_of(figures, guild_name=name, history=ZIGZAG, **changes), language))
            shown = [text for text in texts if text.text[:8] == name[:8]]
            assert len(shown) == 1
            assert len(name) < 60 or shown[0].text.endswith("…")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_week_of_the_year_is_named_below_the_courses(language):
    picture = picture_of(draft_of(), language)
    for newest in range(0, 53, 3):
        with speaking(language):
            labels = tuple(short_day(MONDAY + WEEK * (newest - back)) for back in reversed(range(12)))
        texts = [text.text for text in laid_out_well(replace(picture, week_labels=labels))]
        for words in (labels[0], picture.weeks, labels[-1]):
            assert texts.count(words) == 2


def test_a_gap_is_named_in_both_courses_where_there_is_room():
    history = [replace(week, figures=replace(FIGURES, coverage=0.1, spread=0.1)) for week in HISTORY]
    history[5] = PastWeek(history[5].week_on, None)
    texts = laid_out_well(picture_of(draft_of(history=history)))
    assert [text.upright for text in texts if text.text == "no record"] == [True, True]


def test_a_gap_across_a_label_is_named_in_one_course_at_least():
    history = [PastWeek(week.week_on, replace(FIGURES, coverage=0.5, spread=0.5), complete=False) for week in HISTORY]
    texts = laid_out_well(picture_of(draft_of(history=history)))
    assert "gap" in [text.text for text in texts]


def test_bars_end_at_whole_pixels_and_stand_side_by_side():
    for count in (1, 8, 50, 119, 120):
        shapes = digest_shapes(picture_of(draft_of(conversations=(4,) * count)))
        bars = [shape.box for shape in shapes if hasattr(shape, "box") and shape.box.bottom == 1102]
        assert len(bars) == count
        assert all(edge == int(edge) for box in bars for edge in (box.left, box.top, box.right))
        assert all(one.right < other.left for one, other in pairwise(bars))
        assert len({box.right - box.left for box in bars}) <= 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_figure_leaves_the_words_beside_it_whole(language):
    picture = picture_of(draft_of(replace(FIGURES, coverage=0.001, members_reached=1)), language)
    texts = [text.text for text in laid_out_well(picture)]
    assert picture.reach.title in texts
    assert picture.reach.note in texts


def test_counts_of_any_size_find_room_beside_the_bars():
    for highest in (1, 2, 9, 1000, 10**6):
        laid_out_well(picture_of(draft_of(conversations=(highest, 1))))


def test_a_figure_stands_above_each_bar_of_many_members():
    texts = laid_out_well(picture_of(draft_of(conversations=(10**6, *CROWD))))
    assert "64–1,000,000" in [text.text for text in texts]  # noqa: RUF001
    assert [text.text for text in texts if text.y < 1000 and text.anchor is Anchor.MIDDLE and "," in text.text]


@pytest.mark.parametrize(
    "text",
    [
        "Judged on this week.",
        "Kräftige Gespräche, ĝis «la revido»",
        "AVAVAVA To. fi ffi fl",
        "13 %\u202fde 1\u00a0234",
        "قهوة وشاي مجتمع المطورين",
        "קהילת הקוד (Dev) 2026",
        "Сообщество Κοινότητα",
        "ສະບາຍດີ",
        "e\u0301a\u0308 Đặng Việt",
        "fiffiflffl" * 4,
    ],
)
@pytest.mark.parametrize("bold", [False, True])
def test_words_are_as_wide_as_the_renderer_draws_them(text, bold):
    if not all(map(typeface(bold=bold).has, text)):
        pytest.skip("The bold font has fewer scripts, and only Spade's own words are set in it.")
    words = Words(300, 80, text, 39, "#fff", bold=bold)
    found = inked(words)
    assert found.left >= words.box.left - 4
    assert found.right <= words.box.right + 4
    assert found.right - found.left >= 0.75 * words.width
    right = inked(replace(words, x=1100, anchor=Anchor.END))
    assert 1094 <= right.right <= 1104


def test_upright_words_stand_where_their_box_says():
    words = Words(400, 80, "gap lÉ", 28, "#fff", anchor=Anchor.MIDDLE, upright=True)
    found, box = inked(words), words.box
    assert box.left - 6 <= found.left < found.right <= box.right + 2
    assert box.top - 2 <= found.top < found.bottom <= box.bottom + 2


def test_a_name_that_begins_from_right_to_left_is_read_so_as_a_whole():
    mixed = Words(800, 80, "גוף abc 12", 39, "#fff", anchor=Anchor.END)
    begins, other = (drawn(words).crop((765, 40, 800, 120)) for words in (mixed, replace(mixed, text="גוף")))
    assert max(abs(one - two) for one, two in zip(begins.tobytes(), other.tobytes(), strict=True)) < 20
    assert begins.getbbox() is not None


def test_fitted_words_keep_their_size_or_lose_as_little_as_they_must():
    words = Words(0, 0, "some words of a sentence", 40, "#fff")
    assert fitted(words, words.width, 28) == words
    smaller = fitted(words, 0.8 * words.width, 28)
    assert (smaller.text, round(smaller.size)) == (words.text, 32)
    cut = fitted(words, 0.5 * words.width, 28)
    assert cut.size == 28
    assert cut.text.endswith("…")
    assert cut.width <= 0.5 * words.width < replace(cut, text=words.text[: len(cut.text) + 2] + "…").width


def test_the_typeface_knows_its_letters():
    assert all(map(typeface(bold=False).has, "aé€Жא–…"))  # noqa: RUF001
    assert not any(map(typeface(bold=False).has, "東🎌\ud800\U0010ffff\n"))
    assert Typeface(REGULAR).width("ii", 1000) < Typeface(BOLD).width("ii", 1000) < Typeface(BOLD).width("WW", 1000)
    assert round(Typeface(REGULAR).width("W", 2048)) == 2025


def test_of_a_name_the_letters_are_shown_that_the_font_has():
    assert drawable("Tokyo 東京 Devs 🎌") == "Tokyo Devs"
    assert drawable("東京都 Go") == ""
    assert drawable("🎌🎌") == ""


@pytest.mark.parametrize(
    "name", ["مريم \u200fשלם", "東京", "🎌🎌", "<a&b> \"'", "x" * 5000, "\u202e\ud800", "a\x00\ufffe"]
)
def test_hard_guild_names_are_drawn(name):
    picture = replace(picture_of(draft_of(guild_name=name)), guild_name=name)
    ET.fromstring(draw_digest(picture))
    laid_out_well(picture)
    assert is_png_of_the_right_size(rasterised(draw_digest(picture)))


def is_png_of_the_right_size(png):
    return png[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", png[16:24]) == (1600, 1200)


def test_the_same_facts_give_the_same_bytes_and_the_png_names_its_maker():
    png = rasterised(draw_digest(picture_of(draft_of(conversations=CROWD))))
    assert png == rasterised(draw_digest(picture_of(draft_of(conversations=CROWD))))
    image = Image.open(io.BytesIO(png))
    image.verify()
    assert image.info["Software"] == "spade"


def test_the_corners_are_transparent_and_the_card_is_opaque():
    image = Image.open(io.BytesIO(rasterised(draw_digest(picture_of(draft_of()))))).convert("RGBA")
    assert image.getpixel((0, 0)) == (0, 0, 0, 0)
    assert image.getpixel((800, 60)) == (0x20, 0x25, 0x2F, 255)
