"""Putting a backup in the place of a database, without bringing back who asked not to be in it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.store import wishes
from bot.store.backup import laid_out, others_kept_out, put_in_place
from bot.store.database import open_database
from bot.store.error import StoreError


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a restore."""

    aside: Path | None
    """Where the database is that stood there before; None where there was none."""
    left_out: int
    """How many people were taken out of the backup, since they opted out or were erased after it was made."""
    unreadable: str | None
    """Why the former database could not tell who that is, in a sentence; None where it could."""


async def restore(database: Path, backup: Path, at: datetime) -> Restored:
    """Put a SQLite backup in the place of a database, in this version's schema.

    Who opted out or was erased in the database that stood there is taken out of the backup before it is put in place.
    Raises StoreError and changes nothing when the backup is not sound, or when Spade is writing to the database.
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
            await copy.scrub()
        finally:
            await copy.close()
        return Restored(put_in_place(part, database, at), left_out, unreadable)
