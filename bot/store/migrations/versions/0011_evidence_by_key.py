"""Imported messages in the order of their key, with the indexes that are used."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import DayNumber, Id, Moment

revision = "0011"
down_revision = "0010"

_COLUMNS = "channel_id, message_id, guild_id, exported_at, author_id, kind, flags, reply_to_id, mentions, counted_on"


def upgrade() -> None:
    """Write the days as numbers, and drop the index by guild and, of replies, the entries of all other messages."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "evidence",
        sa.Column("channel_id", Id, autoincrement=False, nullable=False),
        sa.Column("message_id", Id, autoincrement=False, nullable=False),
        sa.Column("guild_id", Id, nullable=False),
        sa.Column("exported_at", Moment(), nullable=False),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("flags", sa.Integer(), nullable=False),
        sa.Column("reply_to_id", Id, nullable=True),
        sa.Column("mentions", sa.Text(), nullable=False),
        sa.Column("counted_on", DayNumber(), nullable=True),
        sa.PrimaryKeyConstraint("channel_id", "message_id", name=op.f("pk_evidence")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    day = "julianday(counted_on) - 2440587.5" if sqlite else "CAST(counted_on AS date) - DATE '1970-01-01'"
    told = _COLUMNS.replace("counted_on", f"CAST({day} AS INTEGER)")
    op.execute(
        f"INSERT INTO evidence ({_COLUMNS}) SELECT {told} FROM imported_message "  # noqa: S608 - names of columns
        "ORDER BY channel_id, message_id"
    )
    op.drop_table("imported_message")
    op.rename_table("evidence", "imported_message")
    if not sqlite:
        op.execute("ALTER TABLE imported_message RENAME CONSTRAINT pk_evidence TO pk_imported_message")
    replies = sa.text("reply_to_id IS NOT NULL")
    op.create_index(op.f("ix_imported_message_message_id"), "imported_message", ["message_id"])
    op.create_index(
        op.f("ix_imported_message_reply_to_id"),
        "imported_message",
        ["reply_to_id"],
        sqlite_where=replies,
        postgresql_where=replies,
    )
