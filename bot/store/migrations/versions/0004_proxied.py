"""Whether a member writes through a proxy bot."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import Truth

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column, which SQLite does without rebuilding the table, and an index for the few for whom it is true."""
    proxied = sa.text("proxied IS NOT NULL")
    op.add_column("member", sa.Column("proxied", Truth(), nullable=True))
    op.create_index(
        "ix_member_proxied", "member", ["guild_id", "member_id"], sqlite_where=proxied, postgresql_where=proxied
    )
