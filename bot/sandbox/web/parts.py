"""The parts of a message besides its text: embeds, components, files, reactions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from markupsafe import Markup

from bot.sandbox.web.markup import link_inside, rendered, rendered_line
from bot.sandbox.web.viewpoint import SelectOption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.sandbox.web.viewpoint import Viewpoint
    from bot.sandbox.world.entities import PostedMessage

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_STYLES = {1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link"}
_CONTAINERS = {1: "row", 9: "section", 11: "pictures", 12: "pictures", 17: "box"}
_PAGES = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with the text that describes it; without a `source` it is on another site and is not fetched."""

    source: str | None
    words: str


@dataclass(frozen=True, slots=True)
class EmbedField:
    """A field of an embed."""

    name: Markup
    value: Markup
    inline: bool


@dataclass(frozen=True, slots=True)
class Embed:
    """An embed."""

    colour: str | None
    author: str
    title: Markup
    title_link: str | None
    description: Markup
    fields: tuple[EmbedField, ...]
    picture: Picture | None
    thumbnail: Picture | None
    footer: str


@dataclass(frozen=True, slots=True)
class Part:
    """A component: `kind` is row, button, link, select, text, section, picture, line, box or unknown."""

    kind: str
    dom_id: str = ""
    label: str = ""
    custom_id: str = ""
    style: str = ""
    link: str | None = None
    disabled: bool = False
    options: tuple[SelectOption, ...] = ()
    least: int = 1
    most: int = 1
    captioned: bool = False
    """Whether a select has its label above it, because its closed line shows what is chosen."""
    text: Markup = field(default_factory=Markup)
    picture: Picture | None = None
    inside: tuple[Part, ...] = ()
    beside: Part | None = None


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji, how many users chose it, and whether the reader did."""

    emoji: str
    count: int
    own: bool


def embeds_of(view: Viewpoint, message: PostedMessage) -> tuple[Embed, ...]:
    """The embeds of a message."""
    return tuple(_embed(view, embed) for embed in message.embeds)


def _embed(view: Viewpoint, embed: dict[str, Any]) -> Embed:
    context = view.markup_context
    title = str(embed.get("title") or "")
    colour = embed.get("color")
    return Embed(
        colour=None if colour is None else f"#{int(colour) & 0xFFFFFF:06x}",
        author=str(embed.get("author", {}).get("name") or ""),
        title=rendered_line(title, context),
        title_link=_safe_link(view, str(embed.get("url") or "")),
        description=rendered(str(embed.get("description") or ""), context),
        fields=tuple(
            EmbedField(
                rendered_line(str(item.get("name", "")), context),
                rendered(str(item.get("value", "")), context),
                bool(item.get("inline")),
            )
            for item in embed.get("fields", ())
        ),
        picture=_embedded_picture(view, embed.get("image"), title),
        thumbnail=_embedded_picture(view, embed.get("thumbnail"), title),
        footer=str(embed.get("footer", {}).get("text") or ""),
    )


def _embedded_picture(view: Viewpoint, image: dict[str, Any] | None, title: str) -> Picture | None:
    if not image:
        return None
    words = str(image.get("description") or (f"Picture: {title}" if title else "A picture"))
    return picture_at(view, str(image.get("url", "")), words)


def picture_at(view: Viewpoint, url: str, words: str) -> Picture:
    """The picture at an address: one of the sandbox's files, or one without a source."""
    steps = urlsplit(url).path.split("/")
    file_id = int(steps[-2]) if len(steps) > 2 and steps[-2].isdecimal() else 0
    stored = view.state.files.get(file_id)
    if stored is None or stored[1].partition(";")[0] not in PICTURES:
        return Picture(None, words)
    return Picture(f"files/{file_id}/{quote(stored[0], safe='')}", words)


def _safe_link(view: Viewpoint, url: str) -> str | None:
    """The address if it is http or https, as a link on this page where it is one of Discord's; else None."""
    try:
        elsewhere = urlsplit(url).scheme in _PAGES
    except ValueError:
        return None
    return (link_inside(url, view.markup_context) or url) if elsewhere else None


def files_of(view: Viewpoint, message: PostedMessage) -> tuple[tuple[str, str, Picture | None], ...]:
    """Name, size and picture of each attached file."""
    return tuple(
        (
            str(item["filename"]),
            f"{int(item.get('size', 0)) / 1024:.0f} KB",
            picture_at(view, str(item.get("url", "")), str(item.get("description") or item["filename"]))
            if str(item.get("content_type", "")).partition(";")[0] in PICTURES
            else None,
        )
        for item in message.attachments
    )


def reactions_of(view: Viewpoint, message: PostedMessage) -> tuple[Reaction, ...]:
    """The reactions to a message, in the order of their first use."""
    return tuple(
        Reaction(emoji.partition(":")[0], len(users), view.viewer.id in users)
        for emoji, users in message.reactions.items()
    )


def components_of(
    view: Viewpoint, components: Iterable[dict[str, Any]], prefix: str, message: PostedMessage | None = None
) -> tuple[Part, ...]:
    """Components in reading order; the ids of their elements begin with `prefix`."""
    return tuple(_part(view, item, prefix, message) for item in components)


def _part(view: Viewpoint, item: dict[str, Any], prefix: str, message: PostedMessage | None) -> Part:
    kind = int(item.get("type", 0))
    if kind in _CONTAINERS:
        return _container(view, item, prefix, message)
    if kind == 2:
        return _button(view, item, prefix)
    if kind in {3, 5, 6, 7, 8}:
        return select_of(view, item, prefix)
    if kind == 10:
        return Part("text", text=rendered(str(item.get("content", "")), view.markup_context))
    return Part("line") if kind == 14 else Part("unknown", label=f"a component of type {kind}")


def _container(view: Viewpoint, item: dict[str, Any], prefix: str, message: PostedMessage | None) -> Part:
    """A component that holds others: a row, a section with an accessory, pictures, a box."""
    kind, colour, accessory = _CONTAINERS[item["type"]], item.get("accent_color"), item.get("accessory")
    if kind == "pictures":
        items = item.get("items", [item])
        return Part("section", inside=tuple(_media(view, one, message) for one in items))
    return Part(
        kind,
        style="" if colour is None else f"#{int(colour) & 0xFFFFFF:06x}",
        inside=components_of(view, item.get("components", ()), prefix, message),
        beside=_part(view, accessory, prefix, message) if isinstance(accessory, dict) else None,
    )


def _media(view: Viewpoint, item: dict[str, Any], message: PostedMessage | None) -> Part:
    url = str(item.get("media", {}).get("url", ""))
    words = str(item.get("description") or "A picture")
    if url.startswith("attachment://") and message is not None:
        names = {f"attachment://{file['filename']}": str(file["url"]) for file in message.attachments}
        url = names.get(url, "")
    return Part("picture", picture=picture_at(view, url, words))


def _button(view: Viewpoint, item: dict[str, Any], prefix: str) -> Part:
    emoji = item.get("emoji") or {}
    label = " ".join(text for text in (str(emoji.get("name") or ""), str(item.get("label") or "")) if text)
    style = _STYLES.get(int(item.get("style", 2)), "secondary")
    if style == "link":
        link = _safe_link(view, str(item.get("url", "")))
        return Part("link", label=label, link=link, disabled=bool(item.get("disabled")) or link is None)
    return Part(
        "button",
        dom_id=f"{prefix}-{item.get('id')}",
        label=label,
        custom_id=str(item.get("custom_id", "")),
        style=style,
        disabled=bool(item.get("disabled")),
    )


def select_of(view: Viewpoint, item: dict[str, Any], prefix: str) -> Part:
    """A select of its own options, or of the guild's people, roles or channels."""
    kind = item["type"]
    options: Iterable[SelectOption]
    if kind == 3:
        options = (
            SelectOption(
                str(option["value"]),
                str(option["label"]),
                str(option.get("description") or ""),
                chosen=bool(option.get("default")),
            )
            for option in item.get("options", ())
        )
    elif kind == 5:
        options = view.people()
    elif kind == 6:
        options = view.roles()
    elif kind == 7:
        options = chain(view.people(), view.roles())
    else:
        options = view.channels(item.get("channel_types"))
    most = int(item.get("max_values", 1))
    given = {str(one.get("id")) for one in item.get("default_values", ())}
    listed = [replace(one, chosen=True) if one.value in given else one for one in options]
    if most > 1:
        listed.sort(key=lambda one: not one.chosen)
    return Part(
        "select",
        dom_id=f"{prefix}-{item.get('id')}",
        label=str(item.get("label") or item.get("placeholder") or "Make a selection"),
        custom_id=str(item.get("custom_id", "")),
        disabled=bool(item.get("disabled")),
        options=tuple(listed),
        least=int(item.get("min_values", 1)),
        most=most,
        captioned=most > 1 or any(one.chosen for one in listed),
    )
