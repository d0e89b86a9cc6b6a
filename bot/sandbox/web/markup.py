"""Rendering messages as safe HTML: Discord's markdown, mentions and timestamps.

All text is escaped; only the tags written in this module are markup. Unknown syntax is kept as it was typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from bot.sandbox.web.times import time_tag

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from zoneinfo import ZoneInfo

_DEPTH = 6
_SPAN = r"(?:\\.|[^\\]){1,1000}?"
_INLINE = re.compile(
    rf"""
      \\(?P<escaped>[!-/:-@\[-`{{-~])
    | (?P<ticks>`{{1,2}})(?P<code>[^`]{{1,2000}})(?P=ticks)
    | <@!?(?P<user>\d{{1,20}})>
    | <@&(?P<role>\d{{1,20}})>
    | <\#(?P<channel>\d{{1,20}})>
    | <t:(?P<seconds>-?\d{{1,14}})(?::(?P<style>[tTdDfFRsS]))?>
    | <a?:(?P<emoji>\w{{1,32}}):\d{{1,20}}>
    | </(?P<command>[^:<>]{{1,100}}):\d{{1,20}}>
    | \[(?P<label>(?:\\.|[^\\\[\]]){{1,300}})\]\(<?(?P<href>https?://[^\s()<>]{{1,500}})>?\)
    | <?(?P<address>https?://[^\s<>"]{{1,500}}[^\s<>".,;:!?)\]'])>?
    | (?P<everyone>@(?:everyone|here))\b
    | \*\*(?P<bold>{_SPAN})\*\*(?!\*)
    | __(?P<underlined>{_SPAN})__(?!_)
    | ~~(?P<struck>{_SPAN})~~
    | \|\|(?P<hidden>{_SPAN})\|\|
    | \*(?!\s)(?P<starred>{_SPAN})(?<!\s)\*(?!\*)
    | (?<!\w)_(?!\s)(?P<scored>{_SPAN})(?<!\s)_(?!\w)
    """,
    re.VERBOSE | re.DOTALL,
)
_FENCE = re.compile(r"```(?:[\w+#.-]{1,20}\n)?\n?(.{1,4000}?)\n?```", re.DOTALL)
_LINE = re.compile(
    r"(?P<heading>#{1,3}) (?=\S)|(?P<small>-# )(?=\S)|(?P<quote>> )|(?P<item>\s{0,8}[-*] )(?=\S)"
    r"|\s{0,8}(?P<number>\d{1,4})\. (?=\S)"
)
_TAGS = {
    "bold": "strong",
    "underlined": "u",
    "struck": "s",
    "starred": "em",
    "scored": "em",
}
_DISCORD = frozenset({"discord.com", "ptb.discord.com", "canary.discord.com", "discordapp.com"})


@dataclass(frozen=True, slots=True)
class MarkupContext:
    """The context of a text: names of people, roles and channels, links inside the page, and the time.

    `link` gives the address of a channel, or of a message in it, on this page; None if the viewer cannot see it.
    """

    user_name: Callable[[int], str | None]
    role_name: Callable[[int], str | None]
    channel_name: Callable[[int], str | None]
    link: Callable[[int, int | None], str | None]
    now: datetime
    zone: ZoneInfo


def rendered(text: str, context: MarkupContext) -> Markup:
    """Render a whole text with its paragraphs, lists, quotes and code."""
    parts: list[Markup] = []
    place = 0
    for found in _FENCE.finditer(text):
        parts += _blocks(text[place : found.start()], context)
        parts.append(Markup("<pre><code>{}</code></pre>").format(found[1]))
        place = found.end()
    parts += _blocks(text[place:], context)
    return Markup("").join(parts)


def rendered_line(text: str, context: MarkupContext) -> Markup:
    """Render a text without blocks, such as a title or a field's name."""
    return _inline(text, context, 0)


def _blocks(text: str, context: MarkupContext) -> list[Markup]:
    """Render lines, grouped into paragraphs, lists and quotes, in order."""
    made: list[Markup] = []
    kind, start = "", 1
    lines: list[str] = []

    def close() -> None:
        if kind and (lines[0] or len(lines) > 1):
            made.append(_block(kind, lines, start, context))

    for line in text.strip("\n").split("\n"):
        found = _LINE.match(line)
        kind_here = str(found.lastgroup) if found else "text"
        here = f"{kind_here}{len(found['heading'])}" if found and found["heading"] else kind_here
        rest = line[found.end() :] if found else line
        if here == kind and not here.startswith("heading"):
            lines.append(rest)
            continue
        close()
        kind, lines = here, [rest]
        start = int(found["number"]) if found and found["number"] else 1
    close()
    return made


def _block(kind: str, lines: list[str], start: int, context: MarkupContext) -> Markup:
    if kind in {"item", "number"}:
        items = Markup("").join(Markup("<li>{}</li>").format(_inline(line, context, 0)) for line in lines)
        if kind == "item":
            return Markup("<ul>{}</ul>").format(items)
        return Markup('<ol start="{}">{}</ol>').format(start, items)
    inner = _inline("\n".join(lines), context, 0)
    if kind == "quote":
        return Markup("<blockquote>{}</blockquote>").format(inner)
    if kind == "small":
        return Markup('<p class="small">{}</p>').format(inner)
    if kind.startswith("heading"):
        return Markup('<p class="heading-{}">{}</p>').format(kind[-1], inner)
    return Markup("<p>{}</p>").format(inner)


def _inline(text: str, context: MarkupContext, depth: int) -> Markup:
    parts: list[Markup] = []
    place = 0
    for found in _INLINE.finditer(text):
        parts.append(_plain(text[place : found.start()]))
        parts.append(_token(found, context, depth))
        place = found.end()
    parts.append(_plain(text[place:]))
    return Markup("").join(parts)


def _plain(text: str) -> Markup:
    return Markup("<br>").join(escape(line) for line in text.split("\n"))


def _token(found: re.Match[str], context: MarkupContext, depth: int) -> Markup:
    kind = found.lastgroup or ""
    if kind in _TAGS or kind == "hidden":
        inner = found[kind]
        content = _inline(inner, context, depth + 1) if depth < _DEPTH else _plain(inner)
        if kind == "hidden":
            return Markup('<details class="spoiler"><summary>spoiler</summary>{}</details>').format(content)
        return Markup(f"<{_TAGS[kind]}>{{}}</{_TAGS[kind]}>").format(content)  # noqa: S704  (a tag from the table above)
    if kind in {"href", "address"}:
        return _link(found, context, depth)
    if kind in {"seconds", "style"}:
        return time_tag(int(found["seconds"]), found["style"] or "f", context.now, context.zone) or _plain(found[0])
    if kind in {"escaped", "emoji"}:
        return escape(found["escaped"] or f":{found['emoji']}:")
    return Markup("<code>{}</code>").format(found["code"]) if kind == "code" else _mention(kind, found, context, depth)


def _mention(kind: str, found: re.Match[str], context: MarkupContext, depth: int) -> Markup:
    """Render the mention of a user, a role, a channel, a command, @everyone or @here."""
    words: str | Markup = found[0]
    if kind == "user":
        words = Markup("@<bdi>{}</bdi>").format(context.user_name(int(found["user"])) or "unknown user")
    elif kind == "role":
        words = f"@{context.role_name(int(found['role'])) or 'unknown role'}"
    elif kind == "command":
        words = f"/{found['command']}"
    elif kind == "channel":
        channel_id = int(found["channel"])
        name, link = context.channel_name(channel_id), context.link(channel_id, None)
        if name is not None and link is not None and depth < _DEPTH:
            return Markup('<a class="mention" href="{}">#{}</a>').format(link, name)
        words = "#unknown"
    return Markup('<span class="mention">{}</span>').format(words)


def _link(found: re.Match[str], context: MarkupContext, depth: int) -> Markup:
    if depth >= _DEPTH:
        return _plain(found[0])  # inside the label of another link
    address = found["href"] or found["address"]
    label = _inline(found["label"], context, _DEPTH) if found["label"] else _plain(address)
    link = link_inside(address, context)
    if link is not None:
        return Markup('<a href="{}">{}</a>').format(link, label)
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>').format(address, label)


def link_inside(address: str, context: MarkupContext) -> str | None:
    """The link on this page for a Discord address of a channel or message; None for any other address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    steps = parts.path.strip("/").split("/")
    if parts.hostname not in _DISCORD or steps[0] != "channels" or not all(s.isdecimal() for s in steps[2:]):
        return None
    ids = [int(step) for step in steps[2:4] if len(step) <= 20]
    return context.link(ids[0], ids[1] if len(ids) > 1 else None) if ids else None
