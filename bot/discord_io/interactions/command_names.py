"""The names of commands and their options in each language. Discord shows everybody their own."""

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation

from bot.views.words.sentence import language_like, name_like, say, speaking

COMMAND, MENU, OPTION = "command", "menu", "option"
"""The contexts of names in the catalogues: a command and an option may have the same name."""
_NAMES = {
    TranslationContextLocation.command_name: COMMAND,
    TranslationContextLocation.group_name: COMMAND,
    TranslationContextLocation.parameter_name: OPTION,
}
_LOCALES = frozenset(
    {
        discord.Locale.german,
        discord.Locale.french,
        discord.Locale.spain_spanish,
        discord.Locale.latin_american_spanish,
        discord.Locale.brazil_portuguese,
    }
)


class CommandNames(app_commands.Translator):
    """Looks names and descriptions up in the catalogues."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """A text in another language; None for a language that Spade does not speak."""
        if locale not in _LOCALES:
            return None
        with speaking(language_like(locale.value)):
            name = MENU if isinstance(context.data, app_commands.ContextMenu) else _NAMES.get(context.location)
            return say(string.message) if name is None else name_like(name, string.message)
