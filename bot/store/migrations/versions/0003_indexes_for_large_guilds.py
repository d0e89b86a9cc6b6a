"""Indexes for the record of a large guild."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add indexes for members who opted out or left, for the touches of a manager, and for the nudges of a period."""
    opted_out, left = sa.text("opted_out_at IS NOT NULL"), sa.text("left_at IS NOT NULL")
    op.create_index(
        "ix_member_opted_out", "member", ["guild_id", "member_id"], sqlite_where=opted_out, postgresql_where=opted_out
    )
    op.create_index(
        "ix_member_left", "member", ["guild_id", "left_at", "member_id"], sqlite_where=left, postgresql_where=left
    )
    op.drop_index("ix_touch_guild_id_member_id_touched_at", "touch")
    op.create_index(
        "ix_touch_member", "touch", ["guild_id", "member_id", "touched_at", "manager_id", "kind", "channel_id"]
    )
    op.create_index("ix_touch_guild_id_manager_id_touched_at", "touch", ["guild_id", "manager_id", "touched_at"])
    op.create_index("ix_nudge_member_guild_id_offered_at", "nudge_member", ["guild_id", "offered_at"])
