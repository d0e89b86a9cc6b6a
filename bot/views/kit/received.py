"""A message in Discord's own format, rendered for the terminal."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)]+)\)")
_MARK = re.compile(r"(\*\*|~~|__|`)(.+?)\1")
_ESCAPED = re.compile(r"\\([*_~`|>\[\]()#+\-.!\\])")
_WIDTH = 80


def received_message(
    embeds: Sequence[Mapping[str, Any]], components: Sequence[Mapping[str, Any]], content: str = ""
) -> RenderableType:
    """Text, embeds and rows of buttons, in the shapes of Discord's API, as a person would read them."""
    parts: list[RenderableType] = [Text(plain(content))] if content else []
    parts += [_embed(embed) for embed in embeds]
    buttons = [_row(row) for row in components]
    if buttons:
        parts.append(Padding(Group(*(Text(row, style="cyan") for row in buttons)), (0, 2)))
    return Group(*parts)


def plain(text: str) -> str:
    """Discord's markdown without its marks; a link keeps its text."""
    text = _LINK.sub(r"\1", text)
    text = _MARK.sub(r"\2", text)
    return _ESCAPED.sub(r"\1", text)


def _embed(embed: Mapping[str, Any]) -> RenderableType:
    lines: list[RenderableType] = []
    if embed.get("title"):
        lines.append(Text(plain(embed["title"]), style="bold"))
    if embed.get("description"):
        lines.append(Text(plain(embed["description"])))
    for field in embed.get("fields", ()):
        lines += [Text(), Text(plain(field["name"]), style="bold"), Padding(Text(plain(field["value"])), (0, 0, 0, 2))]
    if embed.get("image"):
        lines += [Text(), Text("[picture]", style="dim")]
    if embed.get("footer"):
        lines += [Text(), Text(plain(embed["footer"]["text"]), style="dim")]
    author = embed.get("author", {}).get("name")
    return Panel(Group(*lines), title=Text(author) if author else None, title_align="left", width=_WIDTH)


def _row(row: Mapping[str, Any]) -> str:
    return " ".join(_labels(row.get("components", ())))


def _labels(components: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for component in components:
        label = component.get("label") or component.get("placeholder") or ""
        if component.get("url"):
            label += " ↗"
        yield f"[ {label} ]" if not component.get("disabled") else f"( {label} )"
