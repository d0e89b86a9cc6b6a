"""What export files said, so that it can be judged again when other files come."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import Day, Id, Moment, Truth

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the tables of imported channels and messages. What was imported before stays on record as it is."""
    op.create_table(
        "imported_channel",
        sa.Column("channel_id", Id, autoincrement=False, nullable=False),
        sa.Column("guild_id", Id, nullable=False),
        sa.Column("parent_id", Id, nullable=True),
        sa.Column("is_thread", Truth(), nullable=False),
        sa.Column("begins", Truth(), nullable=False),
        sa.Column("gone", Truth(), nullable=False),
        sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_imported_channel")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_imported_channel_guild_id"), "imported_channel", ["guild_id"])
    op.create_table(
        "imported_message",
        sa.Column("channel_id", Id, autoincrement=False, nullable=False),
        sa.Column("message_id", Id, autoincrement=False, nullable=False),
        sa.Column("guild_id", Id, nullable=False),
        sa.Column("exported_at", Moment(), nullable=False),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("flags", sa.Integer(), nullable=False),
        sa.Column("reply_to_id", Id, nullable=True),
        sa.Column("mentions", sa.Text(), nullable=False),
        sa.Column("counted_on", Day(), nullable=True),
        sa.PrimaryKeyConstraint("channel_id", "message_id", name=op.f("pk_imported_message")),
        sqlite_strict=True,
    )
    for columns in (["message_id"], ["reply_to_id"], ["guild_id", "message_id"]):
        op.create_index(op.f(f"ix_imported_message_{'_'.join(columns)}"), "imported_message", columns)
