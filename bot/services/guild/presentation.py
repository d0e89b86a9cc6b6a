"""How each guild wants to be spoken to: the language, and whether the verdict is shown."""

from dataclasses import replace

from bot.domain.guild import LANGUAGES, GuildSettings
from bot.store import guilds
from bot.store.database import Database


class Presentation:
    """Caches each guild's language, because every interaction needs it at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._languages: dict[int, str] = {}

    async def load(self) -> None:
        """Read every guild's language. Before that, and for an unknown guild, it is English."""
        async with self._database.reading() as connection:
            self._languages = await guilds.languages(connection)

    def language_of(self, guild_id: int) -> str:
        """The code of a guild's language."""
        return self._languages.get(guild_id, LANGUAGES[0])

    async def change(
        self, guild_id: int, *, language: str | None = None, show_verdict: bool | None = None
    ) -> GuildSettings | None:
        """Change either, or both; None for a guild without settings. ValueError for a language Spade does not know."""
        if language is not None and language not in LANGUAGES:
            raise ValueError(f"Spade does not speak {language!r}")
        async with self._database.writing() as connection:
            settings = await guilds.settings_of(connection, guild_id)
            if settings is None:
                return None
            settings = replace(
                settings,
                language=settings.language if language is None else language,
                show_verdict=settings.show_verdict if show_verdict is None else show_verdict,
            )
            await guilds.save(connection, settings)
        self._languages[guild_id] = settings.language
        return settings
