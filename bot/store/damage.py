"""A damaged database: how it is recognised, and the sentence for the person who runs Spade."""

from pathlib import Path

from sqlalchemy.exc import DatabaseError

from bot.store.backup import backups_of


def is_damage(error: DatabaseError) -> bool:
    """Whether SQLite reports a corrupt file."""
    cause = str(error.orig)
    return "malformed" in cause or "not a database" in cause


def damaged(place: str, finding: str) -> str:
    """The sentence about a damaged database, with the newest backup if there is one."""
    backups = backups_of(Path(place))
    remedy = (
        f"put the newest backup in its place with `spade restore {backups[0]}`"
        if backups
        else "there is no backup beside it, so name another database and read the history again with `spade backfill`"
    )
    return f"The database {place} is damaged ({finding.splitlines()[-1]}): keep the file, and {remedy}."
