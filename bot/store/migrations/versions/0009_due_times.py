"""When each guild's and each manager's due work is next to be looked at."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import Moment

revision = "0009"
down_revision = "0008"

_COLUMNS = {"guild": ("digest_due_at", "purge_due_at"), "manager": ("nudge_due_at", "digest_due_at")}
_KEYS = {"guild": ("guild_id",), "manager": ("guild_id", "manager_id")}


def upgrade() -> None:
    """Add the columns, which SQLite does without rebuilding the tables: everything is looked at with the next tick."""
    for table, names in _COLUMNS.items():
        for name in names:
            op.add_column(table, sa.Column(name, Moment(), server_default="0", nullable=True))
            columns = [name, *_KEYS[table]]
            op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)
    op.create_index(op.f("ix_guild_removed_at"), "guild", ["removed_at"])
