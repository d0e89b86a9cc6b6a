"""How far back a guild's archives of threads have still to be looked through."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import Moment

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; SQLite can do that without making the table anew."""
    op.add_column("guild", sa.Column("archives_from", Moment(), nullable=True))
