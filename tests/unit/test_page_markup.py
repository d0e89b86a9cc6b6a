"""Discord's markdown as HTML on the page, and nothing else."""

from datetime import UTC, datetime
from html.parser import HTMLParser
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.web.markup import MarkupContext, rendered, rendered_line

NOW = datetime(2026, 3, 30, 10, tzinfo=UTC)
AROUND = MarkupContext(
    user_name={11: "Ada <b>", 12: "Ben"}.get,
    role_name={21: "crew"}.get,
    channel_name={31: "square", 32: "hidden"}.get,
    link=lambda channel, message: None if channel == 32 else f"?channel={channel}&message={message}",
    now=NOW,
    zone=ZoneInfo("Europe/Berlin"),
)
OUT = ' target="_blank" rel="noopener noreferrer nofollow"'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain", "<p>plain</p>"),
        ("two\nlines", "<p>two<br>lines</p>"),
        ("**bold** and *slanted* and _so_", "<p><strong>bold</strong> and <em>slanted</em> and <em>so</em></p>"),
        ("__under__ ~~gone~~", "<p><u>under</u> <s>gone</s></p>"),
        ("**bold *both* **", "<p><strong>bold <em>both</em> </strong></p>"),
        (r"\*not\* \_this\_", "<p>*not* _this_</p>"),
        ("**a\\*\\*b**", "<p><strong>a**b</strong></p>"),
        ("snake_case_name 2*3*4", "<p>snake_case_name 2<em>3</em>4</p>"),
        ("`a *b* <c>`", "<p><code>a *b* &lt;c&gt;</code></p>"),
        ("```py\nx < 1\n```", "<pre><code>x &lt; 1</code></pre>"),
        ("- one\n- two", "<ul><li>one</li><li>two</li></ul>"),
        ("3. c\n4. d", '<ol start="3"><li>c</li><li>d</li></ol>'),
        ("> said\nafter", "<blockquote>said</blockquote><p>after</p>"),
        ("## Head\ntext", '<p class="heading-2">Head</p><p>text</p>'),
        ("-# aside", '<p class="small">aside</p>'),
        ("#no heading", "<p>#no heading</p>"),
        ("||secret||", '<p><details class="spoiler"><summary>spoiler</summary>secret</details></p>'),
        ("<@11>", '<p><span class="mention">@<bdi>Ada &lt;b&gt;</bdi></span></p>'),
        ("<@!12>", '<p><span class="mention">@<bdi>Ben</bdi></span></p>'),
        ("<@99>", '<p><span class="mention">@<bdi>unknown user</bdi></span></p>'),
        ("<@&21> @everyone", '<p><span class="mention">@crew</span> <span class="mention">@everyone</span></p>'),
        ("<#31>", '<p><a class="mention" href="?channel=31&amp;message=None">#square</a></p>'),
        ("<#32>", '<p><span class="mention">#unknown</span></p>'),
        ("</nudges on:5>", '<p><span class="mention">/nudges on</span></p>'),
        ("<:wave:123>", "<p>:wave:</p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        (
            "[*Open*](https://discord.com/channels/1/31/7)",
            '<p><a href="?channel=31&amp;message=7"><em>Open</em></a></p>',
        ),
        (
            "see https://x.org/a?b=1&c=2.",
            f'<p>see <a href="https://x.org/a?b=1&amp;c=2"{OUT}>https://x.org/a?b=1&amp;c=2</a>.</p>',
        ),
        ('[a](https://x.org/"onclick="x)', f'<p><a href="https://x.org/&#34;onclick=&#34;x"{OUT}>a</a></p>'),
        (
            "[a](https://discord.com/channels/1/32/7)",
            f'<p><a href="https://discord.com/channels/1/32/7"{OUT}>a</a></p>',
        ),
        (
            "[https://a.org <#31>](https://b.org)",
            f'<p><a href="https://b.org"{OUT}>https://a.org <span class="mention">#unknown</span></a></p>',
        ),
    ],
)
def test_texts(text: str, html: str) -> None:
    assert str(rendered(text, AROUND)) == html


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        ("", "30 March 2026, 12:00"),
        (":t", "12:00"),
        (":T", "12:00:00"),
        (":d", "30/03/2026"),
        (":D", "30 March 2026"),
        (":F", "Monday, 30 March 2026, 12:00"),
        (":R", "just now"),
    ],
)
def test_moments(style: str, shown: str) -> None:
    html = str(rendered_line(f"<t:{int(NOW.timestamp())}{style}>", AROUND))
    assert html == f'<time datetime="2026-03-30T12:00:00+02:00" title="Monday, 30 March 2026, 12:00">{shown}</time>'


def test_moments_that_are_far_away() -> None:
    assert "2 days ago</time>" in rendered_line(f"<t:{int(NOW.timestamp()) - 2 * 86400 - 5}:R>", AROUND)
    assert "in 1 hour</time>" in rendered_line(f"<t:{int(NOW.timestamp()) + 3700}:R>", AROUND)
    assert str(rendered_line("<t:99999999999999:R>", AROUND)) == "&lt;t:99999999999999:R&gt;"


class Inspector(HTMLParser):
    """Collects every tag and attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self.addresses: list[str] = []
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, ""))
        self.found |= {(tag, name) for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name == "href"]
        self.depth += tag != "br"

    def handle_endtag(self, tag: str) -> None:
        self.depth -= 1


TAGS = ("p", "br", "strong", "em", "u", "s", "code", "pre", "ul", "ol", "li", "blockquote", "details", "summary")
KNOWN = {(tag, "") for tag in (*TAGS, "span", "bdi", "a", "time")}
KNOWN |= {("a", "href"), ("a", "target"), ("a", "rel"), ("a", "class"), ("ol", "start"), ("time", "datetime")}
KNOWN |= {("time", "title"), ("span", "class"), ("p", "class"), ("details", "class")}
PIECES = [
    *(
        "**",
        "*",
        "__",
        "_",
        "~~",
        "||",
        "`",
        "```",
        "\\",
        "[",
        "](",
        ")",
        "<",
        ">",
        '"',
        "'",
        "&",
        "\n",
        " ",
        "- ",
        "> ",
    ),
    *("https://x.org/", "javascript:", "<@11>", "<#31>", "<t:1:R>", "<script>", "onload=", "a", "1. ", "# ", "\u202e"),
]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=40).map("".join))
def test_whatever_is_written_no_other_markup_comes_of_it(text: str) -> None:
    inspector = Inspector()
    inspector.feed(str(rendered(text, AROUND)) + str(rendered_line(text, AROUND)))
    inspector.close()
    assert inspector.found <= KNOWN
    assert all(address.startswith(("http://", "https://", "?channel=")) for address in inspector.addresses)
    assert inspector.depth == 0


@pytest.mark.parametrize("piece", ["[", "*a ", "_a ", "**a", "||", "`", "<", "\\", "> ", "- ", "https://", "[a]("])
def test_no_text_takes_long(piece: str) -> None:
    started = process_time()
    rendered((piece * 4000)[:4000], AROUND)
    assert process_time() - started < 2
