"""Replaces a database by a backup, without the people who asked since not to be in it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.store import wishes
from bot.store.backup import laid_out, others_kept_out, put_in_place
from bot.store.database import open_database
from bot.store.error import StoreError


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore."""

    aside: Path | None
    """Where the previous database is now; None if there was none."""
    left_out: int
    """How many people were taken out of the backup because they opted out or were erased after it was made."""
    unreadable: str | None
    """Why the previous database could not be asked who these people are, in a sentence; None if it could."""


async def restore(database: Path, backup: Path, at: datetime) -> Restored:
    """Put a SQLite backup in the place of a database, in this version's schema.

    People who opted out or were erased in the previous database are taken out of the backup before it is put in place.
    Raises StoreError and changes nothing if the backup is damaged, or if Spade is writing to the database.
    """
    with others_kept_out(database), laid_out(database, backup) as part:
        asked, unreadable = wishes.Wishes(), None
        try:
            asked = wishes.wishes_in(database)
        except StoreError as error:
            unreadable = str(error)
        copy = await open_database(f"sqlite:///{part}", write=True)
        try:
            async with copy.writing() as connection:
                left_out = await wishes.keep_to(connection, asked)
            await copy.rewrite()
            await copy.empty_log()
        finally:
            await copy.close()
        return Restored(put_in_place(part, database, at), left_out, unreadable)
