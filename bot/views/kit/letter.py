"""A message ready to be sent, as plain facts that can be compared and tested without a bot.

Discord's limits: 2,000 characters of content, 6,000 in an embed, 256 in a title or a field's name, 1,024 in a
field's value, 4,096 in a description, 2,048 in a footer, 25 fields; five rows of five buttons. `Card.fitted` cuts
to them; the other texts are short enough by construction, and tests check that.
"""

from dataclasses import dataclass, replace
from typing import Any

import discord

from bot.views.words.text import cut, length

CONTENT_LIMIT = 2000
TITLE_LIMIT = 256
DESCRIPTION_LIMIT = 4096
FIELD_LIMIT = 1024
FIELDS = 25
CARD_LIMIT = 6000

ID_PATTERN = "(?:[1-8][0-9]{18}|[1-9][0-9]{0,17})"
"""Matches an id of Discord in a custom id, and no number too large for the database."""


@dataclass(frozen=True, slots=True)
class Field:
    """A named paragraph of a card."""

    name: str
    value: str
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """One embed."""

    title: str | None = None
    description: str | None = None
    author: str | None = None
    fields: tuple[Field, ...] = ()
    footer: str | None = None
    colour: int | None = None
    picture: str | None = None
    """The name of the attached picture that the card shows."""

    def fitted(self) -> "Card":
        """The same card within Discord's limits: long texts are cut, and fields left out from the end."""
        fields = [
            replace(field, name=cut(field.name, TITLE_LIMIT), value=cut(field.value, FIELD_LIMIT))
            for field in self.fields[:FIELDS]
        ]
        description = cut(self.description or "", DESCRIPTION_LIMIT // 2) or None
        taken = sum(length(text or "") for text in (self.title, description, self.author, self.footer))
        while taken + sum(length(field.name) + length(field.value) for field in fields) > CARD_LIMIT:
            fields.pop()
        return replace(self, description=description, fields=tuple(fields))

    def embed(self) -> discord.Embed:
        """The card as discord.py sends it."""
        embed = discord.Embed(title=self.title, description=self.description, colour=self.colour)
        for field in self.fields:
            embed.add_field(name=field.name, value=field.value, inline=field.inline)
        if self.author:
            embed.set_author(name=self.author)
        if self.footer:
            embed.set_footer(text=self.footer)
        if self.picture:
            embed.set_image(url=f"attachment://{self.picture}")
        return embed


@dataclass(frozen=True, slots=True)
class Button:
    """A button: with a `url` it opens a page, otherwise a press carries its `custom_id`."""

    label: str
    custom_id: str | None = None
    url: str | None = None
    style: discord.ButtonStyle = discord.ButtonStyle.secondary
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class ChoiceOption:
    """One entry of a choice."""

    label: str
    value: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A list to choose one entry from; it takes up a row."""

    custom_id: str
    placeholder: str
    options: tuple[ChoiceOption, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A person, a role or a channel that is selected when the list opens."""

    target_id: int
    kind: discord.SelectDefaultValueType


@dataclass(frozen=True, slots=True)
class EntityChoice:
    """A list of the guild's people and roles, or of its channels; it takes up a row."""

    custom_id: str
    placeholder: str
    channels: bool = False
    chosen: tuple[Chosen, ...] = ()
    at_most: int = 1


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture sent with a letter: its file name, and its alternative text."""

    filename: str
    alt_text: str


class Controls(discord.ui.View):
    """Buttons and lists as they look.

    Presses go to the dynamic items that are registered by pattern, before and after a restart alike. A finished view
    has nothing to listen for, so discord.py does not keep one in memory for every message sent.
    """

    def __init__(self) -> None:
        super().__init__(timeout=None)

    def is_finished(self) -> bool:
        """Always True; see the class."""
        return True


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent or answered: text, cards, rows of buttons or choices, and perhaps a picture."""

    content: str | None = None
    cards: tuple[Card, ...] = ()
    rows: tuple[tuple[Button, ...] | Choice | EntityChoice, ...] = ()
    attachment: Attachment | None = None

    def without_picture(self) -> "Letter":
        """The same letter without its picture, for use if none could be drawn."""
        cards = tuple(replace(card, picture=None) for card in self.cards)
        return replace(self, cards=cards, attachment=None)

    def embeds(self) -> list[discord.Embed]:
        """The cards as discord.py sends them."""
        return [card.embed() for card in self.cards]

    def view(self) -> discord.ui.View | None:
        """The rows as discord.py sends them, or None without any."""
        if not self.rows:
            return None
        controls = Controls()
        for position, row in enumerate(self.rows):
            if isinstance(row, Choice):
                controls.add_item(_select(row, position))
            elif isinstance(row, EntityChoice):
                controls.add_item(_entity_select(row, position))
            else:
                for button in row:
                    controls.add_item(_button(button, position))
        return controls

    def payload(self) -> dict[str, Any]:
        """The body of Discord's REST request. It pings nobody."""
        view = self.view()
        return {
            "content": self.content,
            "embeds": [embed.to_dict() for embed in self.embeds()],
            "components": view.to_components() if view else [],
            "allowed_mentions": {"parse": [], "replied_user": False},
        }


def _button(button: Button, row: int) -> discord.ui.Button[Controls]:
    if button.url:
        return discord.ui.Button(label=button.label, url=button.url, disabled=button.disabled, row=row)
    return discord.ui.Button(
        label=button.label,
        custom_id=button.custom_id,
        style=button.style,
        disabled=button.disabled,
        row=row,
    )


def _select(choice: Choice, row: int) -> discord.ui.Select[Controls]:
    return discord.ui.Select(
        custom_id=choice.custom_id,
        placeholder=choice.placeholder,
        options=[
            discord.SelectOption(label=option.label, value=option.value, default=option.chosen)
            for option in choice.options
        ],
        row=row,
    )


def _entity_select(
    choice: EntityChoice, row: int
) -> discord.ui.MentionableSelect[Controls] | discord.ui.ChannelSelect[Controls]:
    chosen = [discord.SelectDefaultValue(id=one.target_id, type=one.kind) for one in choice.chosen[: choice.at_most]]
    if choice.channels:
        return discord.ui.ChannelSelect(
            custom_id=choice.custom_id,
            placeholder=choice.placeholder,
            channel_types=[discord.ChannelType.text, discord.ChannelType.news]
            + ([discord.ChannelType.forum, discord.ChannelType.voice] if choice.at_most > 1 else []),
            min_values=0,
            max_values=choice.at_most,
            default_values=chosen,
            row=row,
        )
    return discord.ui.MentionableSelect(
        custom_id=choice.custom_id,
        placeholder=choice.placeholder,
        min_values=0,
        max_values=choice.at_most,
        default_values=chosen,
        row=row,
    )
