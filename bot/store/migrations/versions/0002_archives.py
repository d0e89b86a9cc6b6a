"""How far back the archived threads of a guild have still to be searched."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import Moment

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; SQLite does that without rebuilding the table."""
    op.add_column("guild", sa.Column("archives_from", Moment(), nullable=True))
