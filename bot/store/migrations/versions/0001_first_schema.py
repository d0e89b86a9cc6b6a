"""The first schema."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import Day, Id, Moment, Truth

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "activity",
        sa.Column("guild_id", Id, autoincrement=False, nullable=False),
        sa.Column("member_id", Id, autoincrement=False, nullable=False),
        sa.Column("day", Day(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "member_id", "day", name=op.f("pk_activity")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_activity_guild_id_day_member_id"), "activity", ["guild_id", "day", "member_id"], unique=False
    )
    op.create_table(
        "delivery",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("guild_id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("manager_id", Id, nullable=False),
        sa.Column("due_on", Day(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("claimed_at", Moment(), nullable=False),
        sa.Column("tried_at", Moment(), nullable=True),
        sa.Column("settled_at", Moment(), nullable=True),
        sa.Column("channel_id", Id, nullable=True),
        sa.Column("message_id", Id, nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_delivery_state"), "delivery", ["state"], unique=False)
    op.create_index("uq_delivery_due", "delivery", ["guild_id", "kind", "manager_id", "due_on"], unique=True)
    op.create_table(
        "digest",
        sa.Column("guild_id", Id, autoincrement=False, nullable=False),
        sa.Column("week_on", Day(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("frozen_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "week_on", name=op.f("pk_digest")),
        sqlite_strict=True,
    )
    op.create_table(
        "excluded_channel",
        sa.Column("guild_id", Id, autoincrement=False, nullable=False),
        sa.Column("channel_id", Id, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "channel_id", name=op.f("pk_excluded_channel")),
        sqlite_strict=True,
    )
    op.create_table(
        "forgotten",
        sa.Column("guild_id", Id, autoincrement=False, nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "mark", name=op.f("pk_forgotten")),
        sqlite_strict=True,
    )
    op.create_table(
        "guild",
        sa.Column("guild_id", Id, autoincrement=False, nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("digest_channel_id", Id, nullable=True),
        sa.Column("digest_weekday", sa.Integer(), nullable=False),
        sa.Column("digest_hour", sa.Integer(), nullable=False),
        sa.Column("digest_from_on", Day(), nullable=True),
        sa.Column("show_verdict", Truth(), server_default="1", nullable=False),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        sa.Column("keep_months", sa.Integer(), nullable=True),
        sa.Column("watched_since", Moment(), nullable=True),
        sa.Column("removed_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_guild")),
        sqlite_strict=True,
    )
    op.create_table(
        "hand_over",
        sa.Column("guild_id", Id, autoincrement=False, nullable=False),
        sa.Column("manager_id", Id, autoincrement=False, nullable=False),
        sa.Column("member_id", Id, autoincrement=False, nullable=False),
        sa.Column("from_manager_id", Id, nullable=False),
        sa.Column("handed_at", Moment(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "manager_id", "member_id", name=op.f("pk_hand_over")),
        sqlite_strict=True,
    )
    op.create_table(
        "history_job",
        sa.Column("job_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("guild_id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("manager_id", Id, nullable=True),
        sa.Column("requested_at", Moment(), nullable=False),
        sa.Column("finished_at", Moment(), nullable=True),
        sa.Column("cancelled_at", Moment(), nullable=True),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_history_job")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_history_job_guild_id"), "history_job", ["guild_id"], unique=False)
    op.create_table(
        "ignored",
        sa.Column("guild_id", Id, autoincrement=False, nullable=False),
        sa.Column("target_id", Id, autoincrement=False, nullable=False),
        sa.Column("is_role", Truth(), nullable=False),
        sa.Column("by_role_id", Id, nullable=True),
        sa.PrimaryKeyConstraint("guild_id", "target_id", name=op.f("pk_ignored")),
        sqlite_strict=True,
    )
    op.create_table(
        "installation",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation")),
        sqlite_strict=True,
    )
    op.create_table(
        "known_gap",
        sa.Column("channel_id", Id, autoincrement=False, nullable=False),
        sa.Column("first_id", Id, autoincrement=False, nullable=False),
        sa.Column("last_id", Id, nullable=False),
        sa.Column("guild_id", Id, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel_id", "first_id", name=op.f("pk_known_gap")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_known_gap_guild_id"), "known_gap", ["guild_id"], unique=False)
    op.create_table(
        "manager",
        sa.Column("guild_id", Id, autoincrement=False, nullable=False),
        sa.Column("manager_id", Id, autoincrement=False, nullable=False),
        sa.Column("by_role_id", Id, nullable=True),
        sa.Column("enrolled_at", Moment(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("nudge_hour", sa.Integer(), server_default="9", nullable=False),
        sa.Column("nudge_weekdays", sa.Text(), server_default="0,1,2,3,4", nullable=False),
        sa.Column("paused_until_on", Day(), nullable=True),
        sa.Column("refused_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("guild_id", "manager_id", name=op.f("pk_manager")),
        sqlite_strict=True,
    )
    op.create_table(
        "manager_role",
        sa.Column("guild_id", Id, autoincrement=False, nullable=False),
        sa.Column("role_id", Id, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "role_id", name=op.f("pk_manager_role")),
        sqlite_strict=True,
    )
    op.create_table(
        "member",
        sa.Column("guild_id", Id, autoincrement=False, nullable=False),
        sa.Column("member_id", Id, autoincrement=False, nullable=False),
        sa.Column("first_message_id", Id, nullable=True),
        sa.Column("first_channel_id", Id, nullable=True),
        sa.Column("last_message_id", Id, nullable=True),
        sa.Column("last_channel_id", Id, nullable=True),
        sa.Column("opted_out_at", Moment(), nullable=True),
        sa.Column("left_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("guild_id", "member_id", name=op.f("pk_member")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_member_guild_id_first_message_id"), "member", ["guild_id", "first_message_id"], unique=False
    )
    op.create_table(
        "snooze",
        sa.Column("guild_id", Id, autoincrement=False, nullable=False),
        sa.Column("manager_id", Id, autoincrement=False, nullable=False),
        sa.Column("member_id", Id, autoincrement=False, nullable=False),
        sa.Column("until_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("guild_id", "manager_id", "member_id", name=op.f("pk_snooze")),
        sqlite_strict=True,
    )
    op.create_table(
        "span",
        sa.Column("channel_id", Id, autoincrement=False, nullable=False),
        sa.Column("first_id", Id, autoincrement=False, nullable=False),
        sa.Column("last_id", Id, nullable=False),
        sa.Column("guild_id", Id, nullable=False),
        sa.Column("parent_id", Id, nullable=True),
        sa.PrimaryKeyConstraint("channel_id", "first_id", name=op.f("pk_span")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_span_guild_id"), "span", ["guild_id"], unique=False)
    op.create_table(
        "touch",
        sa.Column("message_id", Id, autoincrement=False, nullable=False),
        sa.Column("member_id", Id, autoincrement=False, nullable=False),
        sa.Column("manager_id", Id, autoincrement=False, nullable=False),
        sa.Column("guild_id", Id, nullable=False),
        sa.Column("channel_id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("touched_at", Moment(), nullable=False),
        sa.Column("replied_to_id", Id, nullable=True),
        sa.PrimaryKeyConstraint("message_id", "member_id", "manager_id", name=op.f("pk_touch")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_touch_guild_id_member_id_touched_at"), "touch", ["guild_id", "member_id", "touched_at"], unique=False
    )
    op.create_index(op.f("ix_touch_guild_id_touched_at"), "touch", ["guild_id", "touched_at"], unique=False)
    op.create_table(
        "waiting",
        sa.Column("message_id", Id, autoincrement=False, nullable=False),
        sa.Column("guild_id", Id, nullable=False),
        sa.Column("channel_id", Id, nullable=False),
        sa.Column("member_id", Id, nullable=False),
        sa.Column("reply_to_id", Id, nullable=True),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_waiting")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_waiting_guild_id_member_id"), "waiting", ["guild_id", "member_id"], unique=False)
    op.create_index(op.f("ix_waiting_guild_id_message_id"), "waiting", ["guild_id", "message_id"], unique=False)
    op.create_table(
        "nudge_member",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("guild_id", Id, nullable=False),
        sa.Column("manager_id", Id, nullable=False),
        sa.Column("member_id", Id, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("message_id", Id, nullable=True),
        sa.Column("channel_id", Id, nullable=True),
        sa.Column("wrote_back", Truth(), nullable=False),
        sa.Column("for_team", Truth(), nullable=False),
        sa.Column("active_days", sa.Integer(), nullable=True),
        sa.Column("conversations", sa.Integer(), nullable=True),
        sa.Column("from_manager_id", Id, nullable=True),
        sa.Column("handed", Truth(), nullable=False),
        sa.Column("offered_at", Moment(), nullable=False),
        sa.Column("offered_on", Day(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("colleague_id", Id, nullable=True),
        sa.Column("settled_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.delivery_id"], name=op.f("fk_nudge_member_delivery"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("delivery_id", "position", name=op.f("pk_nudge_member")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_nudge_member_guild_id_member_id_offered_at"),
        "nudge_member",
        ["guild_id", "member_id", "offered_at"],
        unique=False,
    )
    op.create_table(
        "waiting_for",
        sa.Column("message_id", Id, autoincrement=False, nullable=False),
        sa.Column("manager_id", Id, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["waiting.message_id"], name=op.f("fk_waiting_for_waiting"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", "manager_id", name=op.f("pk_waiting_for")),
        sqlite_strict=True,
    )
