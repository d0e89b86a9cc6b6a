"""What each job that reads history has still to read."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import Id, Truth

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the tables. Unfinished jobs that read again have all to read; unfinished backfills list their channels."""
    op.add_column("history_job", sa.Column("listed", Truth(), server_default="0", nullable=False))
    op.add_column("history_job", sa.Column("channels", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "history_job_channel",
        sa.Column("job_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel_id", Id, autoincrement=False, nullable=False),
        sa.Column("guild_id", Id, nullable=False),
        sa.Column("parent_id", Id, nullable=True),
        sa.Column("archive", Truth(), nullable=False),
        sa.Column("left_out", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["history_job.job_id"],
            name=op.f("fk_history_job_channel_history_job"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", "channel_id", name=op.f("pk_history_job_channel")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_history_job_channel_guild_id"), "history_job_channel", ["guild_id"], unique=False)
    op.create_table(
        "history_job_stretch",
        sa.Column("job_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel_id", Id, autoincrement=False, nullable=False),
        sa.Column("first_id", Id, autoincrement=False, nullable=False),
        sa.Column("last_id", Id, nullable=False),
        sa.Column("guild_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id", "channel_id"],
            ["history_job_channel.job_id", "history_job_channel.channel_id"],
            name=op.f("fk_history_job_stretch_history_job_channel"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", "channel_id", "first_id", name=op.f("pk_history_job_stretch")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_history_job_stretch_guild_id"), "history_job_stretch", ["guild_id"], unique=False)
    op.execute(
        "INSERT INTO history_job_channel (job_id, channel_id, guild_id, parent_id, archive) "
        "SELECT j.job_id, s.channel_id, s.guild_id, max(s.parent_id), 0 "
        "FROM history_job AS j JOIN span AS s ON s.guild_id = j.guild_id "
        "WHERE j.kind = 'read again' AND j.finished_at IS NULL AND j.cancelled_at IS NULL "
        "GROUP BY j.job_id, s.channel_id, s.guild_id"
    )
    op.execute(
        "INSERT INTO history_job_stretch (job_id, channel_id, first_id, last_id, guild_id) "
        "SELECT j.job_id, s.channel_id, s.first_id, s.last_id, s.guild_id "
        "FROM history_job AS j JOIN span AS s ON s.guild_id = j.guild_id "
        "WHERE j.kind = 'read again' AND j.finished_at IS NULL AND j.cancelled_at IS NULL"
    )
    op.execute(
        "UPDATE history_job SET listed = 1, channels = "
        "(SELECT count(*) FROM history_job_channel AS c WHERE c.job_id = history_job.job_id) "
        "WHERE kind = 'read again' AND finished_at IS NULL AND cancelled_at IS NULL"
    )
