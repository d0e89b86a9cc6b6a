"""The schema of a database, and its migration to that of this version.

Which revision a database has is told without Alembic, whose import takes as long as all the rest of a small command.
"""

import re
from enum import Enum, auto
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

from bot.store.tables import metadata

_SCRIPTS = Path(__file__).parent / "migrations"
_VERSIONS = table("alembic_version", column("version_num"))
_REVISION = re.compile(r"[0-9]{4}")


class SchemaState(Enum):
    """How a database's schema relates to this version of Spade."""

    EMPTY = auto()
    OLDER = auto()
    CURRENT = auto()
    NEWER = auto()
    FOREIGN = auto()
    """A revision that no version of Spade has: another program migrates its database in the same way."""


def revisions() -> list[str]:
    """The schema revisions that this version of Spade knows, oldest first: its migrations are named after them."""
    return sorted(script.name.partition("_")[0] for script in (_SCRIPTS / "versions").glob("[0-9]*_*.py"))


def newest_revision() -> str:
    """The schema revision of this version of Spade."""
    return revisions()[-1]


def current_revision(connection: Connection) -> str | None:
    """The schema revision of a database; None if it is empty."""
    if not inspect(connection).has_table(_VERSIONS.name):
        return None
    found = connection.scalars(select(_VERSIONS.c.version_num)).all()
    return ", ".join(sorted(found)) or None  # another program may have several


def schema_state(revision: str | None) -> SchemaState:
    """How a revision relates to the ones this version knows."""
    if revision is None:
        return SchemaState.EMPTY
    *older, newest = revisions()
    if revision == newest:
        return SchemaState.CURRENT
    if revision in older:
        return SchemaState.OLDER
    return SchemaState.NEWER if _REVISION.fullmatch(revision) else SchemaState.FOREIGN


def foreign_tables(connection: Connection) -> bool:
    """Whether a database without a schema of Spade's has tables that would be in the way.

    A SQLite file is for one program alone; on PostgreSQL others may have theirs beside Spade's.
    """
    names = set(inspect(connection).get_table_names())
    return bool(names if connection.dialect.name == "sqlite" else names & metadata.tables.keys())


def missing_tables(connection: Connection) -> list[str]:
    """The tables of the newest schema that a database lacks."""
    return sorted(metadata.tables.keys() - set(inspect(connection).get_table_names()))


def upgrade(connection: Connection) -> None:
    """Run the missing migrations on an open connection, in its current transaction."""
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
