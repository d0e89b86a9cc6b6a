"""Until when nothing about a person may be recorded."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import Moment, Truth

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Give each mark the moment up to which it holds; those that are there hold still."""
    op.add_column("forgotten", sa.Column("until_at", Moment(), nullable=True))
    op.add_column("forgotten", sa.Column("is_lasting", Truth(), nullable=False, server_default="1"))
