"""Migrates a database to the schema of this version, with Alembic."""

from enum import Enum, auto
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_SCRIPTS = Path(__file__).parent / "migrations"


class SchemaState(Enum):
    """How a database's schema relates to this version of Spade."""

    EMPTY = auto()
    OLDER = auto()
    CURRENT = auto()
    NEWER = auto()


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
    return SchemaState.OLDER if revision in known else SchemaState.NEWER


def upgrade(connection: Connection) -> None:
    """Run the missing migrations on an open connection, in its current transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
