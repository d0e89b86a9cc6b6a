"""A form to fill in, as plain facts."""

from dataclasses import dataclass

import discord


@dataclass(frozen=True, slots=True)
class FormLine:
    """A line to fill in, with its present value."""

    custom_id: str
    label: str
    value: str = ""
    placeholder: str | None = None
    hint: str | None = None
    at_most: int = 100


class _Modal(discord.ui.Modal):
    """A form as it looks. The handler declared for its custom id gets it when it is sent."""

    def is_finished(self) -> bool:
        """Always True, so that discord.py does not keep the form in memory until it is sent."""
        return True


@dataclass(frozen=True, slots=True)
class Form:
    """A window with up to five lines."""

    title: str
    custom_id: str
    entries: tuple[FormLine, ...]

    def modal(self) -> discord.ui.Modal:
        """The form as discord.py opens it."""
        modal = _Modal(title=self.title, custom_id=self.custom_id)
        for entry in self.entries:
            modal.add_item(
                discord.ui.Label(
                    text=entry.label,
                    description=entry.hint,
                    component=discord.ui.TextInput(
                        custom_id=entry.custom_id,
                        default=entry.value or None,
                        placeholder=entry.placeholder,
                        max_length=entry.at_most,
                    ),
                )
            )
        return modal
