"""Migrates a database to the schema of this version, with Alembic."""

import re
from enum import Enum, auto
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from bot.store.tables import metadata

_SCRIPTS = Path(__file__).parent / "migrations"
_REVISION = re.compile(r"[0-9]{4}")


class SchemaState(Enum):
    """How a database's schema relates to this version of Spade."""

    EMPTY = auto()
    OLDER = auto()
    CURRENT = auto()
    NEWER = auto()
    FOREIGN = auto()
    """A revision that no version of Spade has: another program migrates its database in the same way."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


def newest_revision() -> str:
    """The schema revision of this version of Spade."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def current_revision(connection: Connection) -> str | None:
    """The schema revision of a database; None if it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def schema_state(revision: str | None) -> SchemaState:
    """How a revision relates to the ones this version knows."""
    if revision is None:
        return SchemaState.EMPTY
    scripts = ScriptDirectory.from_config(_config())
    if revision == scripts.get_current_head():
        return SchemaState.CURRENT
    known = {script.revision for script in scripts.walk_revisions()}
    if revision in known:
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
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
