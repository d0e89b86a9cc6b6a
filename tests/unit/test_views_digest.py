"""The digest: words, limits, picture and terminal."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from bot.domain.digest_draft import DigestDraft, DigestWeek, PersonalDraft
from bot.domain.effect import Effect
from bot.domain.figures import Figures, ReplyMinutes, Verdict
from bot.domain.guild import LANGUAGES, GuildSettings
from bot.domain.load import Load
from bot.domain.nudge import Nudge, Offer, OfferContext, Reason
from bot.domain.report import PastWeek, WeekReport
from bot.domain.suggestion import Suggestion
from bot.domain.survival import Group, Stayers, Staying
from bot.domain.waiting import WaitingEntry
from bot.views.digest.about import about_letter
from bot.views.digest.chart import alt_text, digest_picture
from bot.views.digest.headline import headline
from bot.views.digest.html import digest_page
from bot.views.digest.notes import notes
from bot.views.digest.personal import personal_letter
from bot.views.digest.picture import RecordExtent
from bot.views.digest.post import digest_letter
from bot.views.digest.terminal import digest_report
from bot.views.kit.terminal import bar
from bot.views.nudge.terminal import nudge_report
from bot.views.words.sentence import speaking

from .test_views_names import ADDRESS, NAMES
from .test_views_nudge import OFFERS, keeps_discords_limits, nudge_of

MONDAY = date(2026, 3, 23)
WEEK = timedelta(weeks=1)
COUNTS = (5, 5, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1)
FIGURES = Figures(
    active_members=120,
    personal_replies=40,
    logged_share=0.0,
    conversations=26,
    members_reached=13,
    coverage=13 / 120,
    coverage_ever=0.26,
    first_time=5,
    effective_members=10.5,
    spread=0.404,
    top3_share=0.5,
    verdict=Verdict.BETWEEN,
    verdict_weeks=1,
    reply_minutes=ReplyMinutes(76.0, 840.0),
    waiting=4,
)
EMPTY = replace(
    FIGURES,
    personal_replies=0,
    logged_share=None,
    conversations=0,
    members_reached=0,
    coverage=0.0,
    first_time=0,
    effective_members=0,
    spread=None,
    top3_share=None,
    verdict=Verdict.QUIET,
    verdict_weeks=None,
    reply_minutes=ReplyMinutes(None, None),
)


FEW = {"conversations": 3, "members_reached": 2, "waiting": 3}


GUILD, MANAGER, UTC_ZONE = 2**62, 1, ZoneInfo("UTC")
HISTORY = [PastWeek(MONDAY - WEEK * back, replace(FIGURES, coverage=0.09, spread=0.6)) for back in range(1, 12)]


def draft_of(
    figures=FIGURES,
    *,
    guild_name="Mesh",
    history=HISTORY,
    conversations=COUNTS,
    complete=True,
    filled=False,
    running=False,
    record_from_on=MONDAY - WEEK * 52,
    show_verdict=True,
    own=False,
    corrected=None,
    first_contacts=(),
    met=0,
    **changes,
):
    """A digest, the team's or MANAGER's `own`. `corrected` figures or a `filled` gap mean that it was posted before.

    `first_contacts` are the names of those met first, `met` how many there are at least.
    """

    def report(found, *, whole):
        return WeekReport(GUILD, MONDAY, UTC_ZONE, whole, found, ((MANAGER, found),))

    posted = corrected is not None or filled
    week = DigestWeek(
        guild=GuildSettings(GUILD, UTC_ZONE, show_verdict=show_verdict),
        guild_name=guild_name,
        report=report(figures, whole=complete and not filled),
        today=report(corrected or figures, whole=complete or filled) if posted else None,
        record_from_on=record_from_on,
        running=running,
    )
    return DigestDraft(
        week=week,
        figures=figures,
        history=tuple(history),
        conversations=tuple(conversations),
        manager_id=MANAGER if own else None,
        first_contacts=tuple(range(max(met, len(first_contacts)))),
        names=dict(enumerate(first_contacts)),
        **changes,
    )


def letter_of(draft, *, delivery_id):
    return digest_letter(replace(draft, delivery_id=delivery_id))


def own_letter(draft, *, delivery_id):
    return personal_letter(replace(draft, digest=replace(draft.digest, delivery_id=delivery_id)))


def text_of(letter):
    return str(letter.payload())


def test_the_post_says_the_verdict_the_figures_and_the_week_before():
    letter = letter_of(draft_of(), delivery_id="00ff")
    card = letter.cards[0]
    assert card.author == "Mesh · 23–29 March 2026"  # noqa: RUF001
    assert card.title == "In between"
    assert "Judged on this week." in (card.description or "")
    assert "13 people heard from the team personally. Thank you." in (card.description or "")
    values = {field.name: field.value for field in card.fields}
    assert values["Reached"] == "**11%** (week before: 9%; usually 9%)\n13 of 120 active members"
    assert values["Spread"] == "**40%** (week before: 60%; usually 60%)\nas if 10 people were addressed evenly"
    assert values["Replies"].endswith("half of the replies came sooner, nine in ten within 14 h")
    assert "Good to know" not in values
    assert letter.attachment is not None
    assert letter.attachment.alt_text == alt_text(draft_of())
    assert letter.embeds()[0].image.url == "attachment://digest.png"
    assert "spade:digest:00ff:about" in text_of(letter)


@pytest.mark.parametrize(
    ("verdict", "weeks", "title", "words"),
    [
        (Verdict.SOCIAL, 1, "Social media", "spread over the community, rather than staying with a few"),
        (Verdict.BETWEEN, 4, "In between", "Judged on the last 4 weeks, because this week alone held fewer than 20"),
        (Verdict.INFLUENCE, 1, "Influence media", "Most of the team's attention went to a handful of people."),
        (Verdict.QUIET, None, "Too quiet to call", "Not judged: fewer than 20 conversations in 4 weeks."),
    ],
)
def test_every_verdict_is_explained(verdict, weeks, title, words):
    card = letter_of(draft_of(replace(FIGURES, verdict=verdict, verdict_weeks=weeks)), delivery_id="1").cards[0]
    assert card.title == title
    assert words in (card.description or "")


def test_without_a_picture_the_post_names_none():
    letter = letter_of(draft_of(), delivery_id="1").without_picture()
    assert letter.attachment is None
    assert letter.embeds()[0].image.url is None


def test_the_verdict_can_be_hidden():
    draft = draft_of(replace(FIGURES, verdict=Verdict.INFLUENCE), show_verdict=False)
    assert "nfluence" not in text_of(letter_of(draft, delivery_id="1")).replace("attention", "")
    picture = digest_picture(draft)
    assert picture is not None
    assert picture.bands == ()
    assert picture.headline == headline(draft) == "This week's attention"


def test_what_the_figures_cannot_say_is_said():
    small = replace(FIGURES, conversations=6, active_members=8, spread=None, top3_share=None, logged_share=0.25)
    said = "\n".join(notes(draft_of(small, complete=False, late=True, record_from_on=MONDAY, running=True, history=())))
    for words in (
        "comes late",
        "not over yet",
        "record is missing",
        "first week on record",
        "6 conversations are a small sample",
        "each of them is 12% of the reach",
        "25% of the personal contacts were logged",
    ):
        assert words in said
    letter = letter_of(draft_of(small, record_from_on=MONDAY, history=()), delivery_id="1")
    assert "week before" not in text_of(letter)
    assert "Met at some time" not in text_of(letter)
    assert "**unknown**" in text_of(letter)
    keeps_discords_limits(letter)


def test_a_week_before_the_record_is_not_said_to_have_been_empty() -> None:
    nothing = replace(EMPTY, waiting=0, active_members=0, coverage=None)
    draft = draft_of(nothing, history=(), conversations=())
    assert "Nobody wrote" in text_of(letter_of(draft, delivery_id=None))
    before = draft_of(nothing, history=(), conversations=(), record_from_on=MONDAY + WEEK)
    letter = letter_of(before, delivery_id=None)
    assert letter.cards[0].title == "Not on record"
    assert "Nothing of this week is on record." in text_of(letter)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"waiting": 2}, "2 messages are waiting"),
        ({"waiting": 0}, "120 people wrote something"),
        ({"waiting": 0, "active_members": 0, "coverage": None}, "Nobody wrote anything"),
        (FEW, "2 people heard from the team personally. Thank you. 3 messages are waiting: answering one"),
        (FEW | {"waiting": 0}, "2 people heard from the team personally. Thank you. A hello to somebody new"),
        (FEW | {"conversations": 1, "members_reached": 1, "waiting": 1}, "One person heard from the team personally."),
    ],
)
def test_a_quiet_week_is_one_friendly_line_without_a_picture(changes, words):
    draft = draft_of(replace(EMPTY, **changes), conversations=(2, 1))
    letter = letter_of(draft, delivery_id="1")
    assert words in (letter.cards[0].description or "")
    assert letter.cards[0].fields == ()
    assert "\n" not in (letter.cards[0].description or "")
    assert letter.attachment is None
    assert digest_picture(draft) is None
    assert words in " ".join(printed(digest_report(draft)).replace("│", " ").split())
    assert "Reached" not in printed(digest_report(draft))
    page = digest_page(draft, None)
    assert words in page
    assert "Reached" not in Page.text_of(page)


def test_a_managers_own_week_has_its_figures_however_few():
    one = draft_of(replace(EMPTY, conversations=1, members_reached=1, waiting=0), conversations=(1,), own=True)
    assert "Conversations" in text_of(own_letter(personal_of(one), delivery_id=None))


@pytest.mark.parametrize("own", [False, True])
def test_a_quiet_week_that_was_corrected_shows_what_it_is_now(own):
    nothing = replace(EMPTY, waiting=0)
    changes = {"conversations": (), "corrected": FIGURES, "complete": False, "filled": True}
    draft = draft_of(nothing, own=own, **changes)
    letter = own_letter(personal_of(draft), delivery_id=None) if own else letter_of(draft, delivery_id=None)
    assert letter.cards[0].title == "A quiet week"
    assert letter.attachment is None
    values = {field.name: field.value for field in letter.cards[0].fields}
    assert values["Conversations"].startswith("**0**, now 26")
    assert values["Spread"].startswith("**unknown**, now 40%")
    assert values["Replies"].startswith("**unknown**, now 76 min")
    said = text_of(letter)
    for words in ("Corrected:", "the verdict is: In between.", "It is complete now."):
        assert words in said
        assert own or words in " ".join(printed(digest_report(draft)).replace("│", " ").split())
        assert own or words in digest_page(draft, None)
    assert "record is missing, so" not in said
    hidden = draft_of(nothing, own=own, show_verdict=False, **changes)
    assert "In between" not in text_of(letter_of(hidden, delivery_id=None))


def test_a_figure_that_is_unknown_by_now_says_so_and_the_picture_is_marked():
    draft = draft_of(corrected=replace(EMPTY, verdict=FIGURES.verdict))
    values = {field.name: field.value for field in letter_of(draft, delivery_id=None).cards[0].fields}
    assert values["Spread"].startswith("**40%**, now unknown")
    assert values["Replies"].startswith("**76 min**, now unknown")
    assert "the verdict is" not in "".join(notes(draft))
    picture = digest_picture(draft)
    assert picture is not None
    assert picture.week == "23–29 March 2026 · corrected since"  # noqa: RUF001


def test_gaps_are_only_spoken_of_where_they_are_marked():
    history = [PastWeek(MONDAY - WEEK * 2, FIGURES, complete=False)]
    words = "Of weeks marked as a gap, part of the record is missing."
    assert words in notes(draft_of(history=history))
    assert words not in notes(draft_of(history=history, own=True))
    assert words not in notes(draft_of(replace(EMPTY), history=history))
    assert words in notes(draft_of(history=[PastWeek(MONDAY - WEEK, FIGURES, complete=False)], own=True))


def test_the_first_week_says_since_when_there_is_a_record_and_a_week_before_it_does_not():
    first = draft_of(history=(), record_from_on=MONDAY + timedelta(days=2))
    assert "The record begins on 25 March 2026; what was before is not counted." in notes(first)
    monday = notes(draft_of(history=(), record_from_on=MONDAY))
    assert any("first week on record" in note for note in monday)
    assert not any("begins" in note for note in monday)
    assert notes(draft_of(EMPTY, history=(), record_from_on=MONDAY + WEEK)) == ()


def test_a_digest_that_is_only_looked_at_has_no_button():
    assert letter_of(draft_of(), delivery_id=None).view() is None
    with pytest.raises(ValueError, match="opaque"):
        letter_of(draft_of(), delivery_id="G")


def test_how_it_is_counted_fits():
    keeps_discords_limits(about_letter())
    assert "at least 50%" in text_of(about_letter())


def test_weeks_without_a_record_stay_gaps_and_the_time_before_the_record_is_no_gap():
    history = [
        PastWeek(MONDAY - WEEK * 2, None),
        PastWeek(MONDAY - WEEK * 3, FIGURES, complete=False),
        PastWeek(MONDAY - WEEK * 4, FIGURES),
        PastWeek(MONDAY - WEEK * 9, None),
        PastWeek(MONDAY, None),
    ]
    picture = digest_picture(draft_of(history=history))
    assert picture is not None
    assert picture.extents == (
        RecordExtent.WHOLE,
        RecordExtent.GAP,
        RecordExtent.NONE,
        RecordExtent.NONE,
        RecordExtent.WHOLE,
    )
    assert picture.week_labels == ("23 Feb", "2 Mar", "9 Mar", "16 Mar", "23 Mar")
    assert picture.reach.values[2:4] == (None, None)
    longer = [PastWeek(MONDAY - WEEK * back, FIGURES) for back in range(30)]
    full = digest_picture(draft_of(history=longer))
    assert full is not None
    assert len(full.week_labels) == 12


SHARE = st.none() | st.floats(0, 1)
COUNT = st.integers(0, 10**12)
ANY_FIGURES = st.builds(
    Figures,
    active_members=COUNT,
    personal_replies=COUNT,
    logged_share=SHARE,
    conversations=COUNT,
    members_reached=COUNT,
    coverage=SHARE,
    coverage_ever=SHARE,
    first_time=COUNT,
    effective_members=st.floats(0, 1e12),
    spread=SHARE,
    top3_share=SHARE,
    verdict=st.sampled_from(Verdict),
    verdict_weeks=st.none() | st.sampled_from([1, 4]),
    reply_minutes=st.builds(ReplyMinutes, st.none() | st.floats(0, 1e9), st.none() | st.floats(0, 1e9)),
    waiting=COUNT,
)
ANY_STAYING = st.builds(Staying, st.just(30), st.floats(0, 1), st.none() | st.floats(0, 1), st.floats(0, 1))
ANY_GROUP = st.builds(Group, COUNT, st.just(()) | st.tuples(ANY_STAYING, ANY_STAYING))
ANY_DRAFT = st.builds(
    draft_of,
    guild_name=NAMES,
    figures=ANY_FIGURES,
    history=st.lists(
        st.builds(
            PastWeek, st.integers(0, 15).map(lambda back: MONDAY - WEEK * back), st.none() | ANY_FIGURES, st.booleans()
        ),
        max_size=14,
    ),
    conversations=st.lists(st.integers(1, 10**6), max_size=40),
    complete=st.booleans(),
    filled=st.booleans(),
    late=st.booleans(),
    running=st.booleans(),
    show_verdict=st.booleans(),
    own=st.booleans(),
    corrected=st.none() | ANY_FIGURES,
    load=st.none() | st.builds(Load, COUNT, COUNT),
    stayers=st.none() | st.builds(Stayers, ANY_GROUP, ANY_GROUP),
    record_from_on=st.none() | st.integers(-60, 1).map(lambda weeks: MONDAY + WEEK * weeks),
    effect=st.none() | st.builds(Effect, COUNT, COUNT, COUNT),
    first_contacts=st.lists(NAMES, max_size=20),
    met=st.integers(0, 10**4),
)
LANGUAGE = st.sampled_from(LANGUAGES)
ID = st.integers(2**60, 2**63)
MOMENT = st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 30)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
NOW = datetime(2026, 3, 30, 9, tzinfo=UTC)
ANY_OFFER = st.builds(
    Offer,
    member_id=ID,
    reason=st.sampled_from(Reason),
    since=MOMENT,
    message_id=st.none() | ID,
    channel_id=st.none() | ID,
    wrote_back=st.booleans(),
    for_team=st.booleans(),
    active_days=st.none() | st.integers(0, 30),
    conversations=st.none() | COUNT,
)
ANY_ENTRY = st.builds(WaitingEntry, ID, ID, ID, st.frozensets(ID, max_size=2))


@st.composite
def any_personal_draft(draw):
    waiting = draw(st.lists(ANY_ENTRY, max_size=5))
    suggested = draw(
        st.lists(st.builds(Suggestion, ANY_OFFER) | st.builds(Suggestion, st.none(), st.floats(0, 1)), max_size=3)
    )
    people = [entry.member_id for entry in waiting] + [one.offer.member_id for one in suggested if one.offer]
    names = {person: draw(NAMES) for person in people if draw(st.booleans())}
    week = draw(ANY_DRAFT)
    return personal_of(week, names, waiting, draw(COUNT), suggested)


def personal_of(digest, names=(), waiting=(), waiting_in_all=0, suggested=()):
    context = OfferContext(NOW, UTC_ZONE, dict(names))
    return PersonalDraft(digest, digest.frozen, context, tuple(waiting), waiting_in_all, tuple(suggested))


def harmless(letter, *, links=()):
    keeps_discords_limits(letter)
    text = text_of(letter)
    for link in links:
        text = text.replace(link, "")
    assert "@" not in text
    assert "<" not in text
    assert not ADDRESS.search(text.replace("attachment://", ""))


@given(ANY_DRAFT, LANGUAGE)
def test_no_digest_breaks_a_limit_or_pings(draft, language):
    with speaking(language):
        letter = letter_of(draft, delivery_id="f" * 32)
    harmless(letter)
    if letter.attachment:
        assert len(letter.attachment.alt_text) <= 1024


@given(any_personal_draft(), LANGUAGE)
def test_no_personal_digest_breaks_a_limit_or_pings(draft, language):
    with speaking(language):
        letter = own_letter(draft, delivery_id="f" * 32)
    links = re.findall(r"https://discord\.com/channels/\d+/\d+/\d+", text_of(letter))
    harmless(letter, links=links)
    assert letter.view() is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_of_a_personal_digest_keeps_its_link_however_long_the_names(language):
    longest, far = "_" * 32, 2**63 - 1
    waiting = [WaitingEntry(far - person, far, person, frozenset()) for person in range(5)]
    offers = [Offer(person, Reason.UNMET, NOW, far - person, far, active_days=30) for person in range(5, 8)]
    names = dict.fromkeys(range(8), longest)
    with speaking(language):
        draft = personal_of(draft_of(own=True), names, waiting, 10**6, [Suggestion(offer) for offer in offers])
        letter = own_letter(draft, delivery_id=None)
    harmless(letter, links=[f"https://discord.com/channels/{2**62}/{far}/{far - person}" for person in range(8)])
    links = re.findall(r"\]\(https://discord\.com/channels/\d+/\d+/(\d+)\)", text_of(letter))
    assert links == [str(far - person) for person in range(8)]


@given(ANY_DRAFT, LANGUAGE)
def test_no_page_runs_or_fetches_anything(draft, language):
    with speaking(language):
        page = digest_page(draft, b"png")
    read = Page()
    read.feed(page)
    read.close()
    assert read.fetched == []
    assert "script" not in read.tags
    assert read.tags.count("h1") == 1


class Page(HTMLParser):
    """The tags of a page, what it would fetch, and what stands in it."""

    def __init__(self):
        super().__init__()
        self.tags = []
        self.fetched = []
        self.words = []

    @classmethod
    def text_of(cls, page):
        read = cls()
        read.feed(page)
        return "\n".join(read.words)

    def handle_data(self, data):
        self.words.append(data)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.fetched += [
            value
            for name, value in attrs
            if name in {"src", "href", "srcset", "style", "onload"} and not (value or "").startswith("data:image/png")
        ]


def test_the_page_tells_the_same():
    draft = draft_of(corrected=replace(FIGURES, coverage=0.2), guild_name="<b>Mesh</b> & more")
    page = digest_page(draft, b"png")
    assert "&lt;b&gt;" not in page  # the name's brackets became look-alikes before
    assert "In between" in page
    assert "as if 10 people were addressed evenly" in page
    assert "data:image/png;base64,cG5n" in page
    assert "prefers-color-scheme: dark" in page
    assert '<td class="beside">20%</td>' in page
    quiet = digest_page(draft_of(replace(EMPTY, waiting=0), conversations=()), None)
    assert "<img" not in quiet
    assert "120 people wrote something" in quiet


def test_newcomers_who_stay_are_an_association_with_intervals_and_too_few_to_say():
    stay = (Staying(30, 0.62, 0.48, 0.74), Staying(60, 0.5, 0.3, 0.66))
    draft = draft_of(stayers=Stayers(Group(45, stay), Group(19, ())), record_from_on=MONDAY - WEEK * 9)
    values = {field.name: field.value for field in letter_of(draft, delivery_id="1").cards[0].fields}
    assert "62% were there on day 30 (95% interval 48% to 74%)" in values["Newcomers who stay"]
    assert "Of 19 who did not: too few to say, as it takes 20" in values["Newcomers who stay"]
    assert "The two groups cannot be compared yet." in values["Newcomers who stay"]
    assert "The record begins on 19 January 2026" in values["Good to know"]
    none = draft_of(stayers=Stayers(Group(3, ()), Group(19, ())))
    assert "who stay" not in text_of(letter_of(none, delivery_id="1"))


def test_replies_within_a_minute_are_told_in_a_sentence_of_their_own():
    draft = draft_of(replace(FIGURES, reply_minutes=ReplyMinutes(0.2, 0.9)))
    values = {field.name: field.value for field in letter_of(draft, delivery_id=None).cards[0].fields}
    assert values["Replies"].startswith("**under a minute**")
    assert values["Replies"].endswith("half of the replies came sooner, nine in ten within a minute")


def test_load_nudges_and_first_contacts_are_told():
    draft = draft_of(load=Load(1, 3), effect=Effect(24, 12, 4), first_contacts=["Mia", "@everyone"], met=5)
    values = {field.name: field.value for field in letter_of(draft, delivery_id=None).cards[0].fields}
    assert values["Load"].startswith("**1 of 3**")
    assert values["Nudges"] == "**12 of 20**\npeople named in nudges lately heard from that manager within 3 days"
    assert values["Met for the first time"] == "Mia, ＠everyone and 3 more"  # noqa: RUF001


def test_a_week_before_with_a_gap_says_so_and_does_not_count_as_usual():
    history = [
        PastWeek(MONDAY - WEEK, FIGURES, complete=False),
        *[PastWeek(MONDAY - WEEK * n, FIGURES) for n in (2, 3)],
    ]
    letter = letter_of(draft_of(history=history), delivery_id="1")
    assert "(week before: 11%, with a gap)" in text_of(letter)
    assert "usually" not in text_of(letter)
    assert "Of weeks marked as a gap, part of the record is missing." in text_of(letter)


def test_many_members_are_drawn_by_how_many_conversations_they_had():
    picture = digest_picture(draft_of(conversations=tuple(max(1, 300 // rank) for rank in range(1, 5001))))
    assert picture is not None
    assert sum(one.members for one in picture.bins) == 5000
    assert [one.label for one in picture.bins][:4] == ["1", "2", "3", "4–7"]  # noqa: RUF001
    assert picture.bins[-1].label == "64–300"  # noqa: RUF001
    few = digest_picture(draft_of())
    assert few is not None
    assert few.bins == ()


@given(ANY_DRAFT, LANGUAGE)
def test_any_digest_fits_80_columns(draft, language):
    with speaking(language):
        text = printed(digest_report(draft))
    assert "\x1b" not in text
    assert all(cell_len(line) <= 80 for line in text.splitlines())


def printed(renderable):
    console = Console(width=80, no_color=True, color_system=None)
    with console.capture() as output:
        console.print(renderable)
    return output.get()


def test_the_terminal_tells_the_same():
    text = printed(digest_report(draft_of()))
    assert "In between" in text
    assert "as if 10 people were" in text
    assert "usual" in text
    assert "23 Mar" in text
    assert "  11% █" in text
    with speaking("de"):
        assert " 11\xa0% █" in printed(digest_report(draft_of()))
    assert "the three most-addressed had 50%" in text
    assert all(len(line) <= 80 for line in text.splitlines())
    quiet = printed(digest_report(draft_of(replace(EMPTY, waiting=0), conversations=(), late=True)))
    assert "120 people wrote something" in quiet
    assert "comes late" in quiet


def test_the_nudge_on_the_terminal():
    text = printed(nudge_report(nudge_of(*OFFERS)))
    assert "1 · Ada" in text
    assert "Wrote back to you 5 h ago." in text
    assert "https://discord.com/channels/99/222/111" in text
    assert "4 · D_D" in text
    hostile = nudge_of(
        *OFFERS, names={11: "[red]x[/]"}, guild_name="[/b] [x]", nudge=Nudge(1, OFFERS, half_as_often=True)
    )
    assert "[red]x[/]" in printed(nudge_report(hostile))
    assert "half as often" in printed(nudge_report(hostile))
    assert "nothing is sent" in printed(nudge_report(nudge_of()))


def test_bars_are_as_long_as_their_share():
    assert bar(0, 4) == "    "
    assert bar(0.5, 4) == "██  "
    assert bar(1, 4) == "████"
    assert bar(7, 4) == "████"
    assert bar(1 / 32, 4) == "▏   "
