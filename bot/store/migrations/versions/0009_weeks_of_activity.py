"""Activity by week, and the rows of activity and members in the order of their keys."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import DayNumber, Id, Moment, Truth

revision = "0009"
down_revision = "0008"

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_OPTED_OUT = sa.text("opted_out_at IS NOT NULL")
_LEFT = sa.text("left_at IS NOT NULL")
_PROXIED = sa.text("proxied IS NOT NULL")


def upgrade() -> None:
    """Put seven days of a member into one row; in SQLite, store members without a second copy of their key."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "week_of_activity",
        sa.Column("guild_id", Id, autoincrement=False, nullable=False),
        sa.Column("week_on", DayNumber(), nullable=False),
        sa.Column("member_id", Id, autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False, server_default="0") for name in _WEEKDAYS),
        sa.PrimaryKeyConstraint("guild_id", "week_on", "member_id", name=op.f("pk_week_of_activity")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    number = "CAST(julianday(day) - 2440587.5 AS INTEGER)" if sqlite else "(CAST(day AS date) - DATE '1970-01-01')"
    # The first day of 1970 was a Thursday.
    sums = ", ".join(
        f"SUM(CASE WHEN (number + 3) % 7 = {weekday} THEN messages ELSE 0 END)" for weekday in range(len(_WEEKDAYS))
    )
    op.execute(
        f"INSERT INTO week_of_activity SELECT guild_id, number - (number + 3) % 7 AS week_on, member_id, {sums} "  # noqa: S608
        f"FROM (SELECT guild_id, member_id, messages, {number} AS number FROM activity WHERE messages > 0) AS told "
        "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    op.drop_table("activity")
    op.rename_table("week_of_activity", "activity")
    if sqlite:
        _order_members()
    else:
        op.execute("ALTER TABLE activity RENAME CONSTRAINT pk_week_of_activity TO pk_activity")


def _order_members() -> None:
    op.create_table(
        "ordered_member",
        sa.Column("guild_id", Id, autoincrement=False, nullable=False),
        sa.Column("member_id", Id, autoincrement=False, nullable=False),
        *(
            sa.Column(f"{end}_{what}_id", Id, nullable=True)
            for end in ("first", "last")
            for what in ("message", "channel")
        ),
        sa.Column("opted_out_at", Moment(), nullable=True),
        sa.Column("left_at", Moment(), nullable=True),
        sa.Column("proxied", Truth(), nullable=True),
        sa.PrimaryKeyConstraint("guild_id", "member_id", name=op.f("pk_member")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    columns = (
        "guild_id, member_id, first_message_id, first_channel_id, last_message_id, last_channel_id, opted_out_at, "
        "left_at, proxied"
    )
    op.execute(
        f"INSERT INTO ordered_member ({columns}) SELECT {columns} FROM member ORDER BY guild_id, member_id"  # noqa: S608
    )
    op.drop_table("member")
    op.rename_table("ordered_member", "member")
    op.create_index(op.f("ix_member_guild_id_first_message_id"), "member", ["guild_id", "first_message_id"])
    op.create_index("ix_member_opted_out", "member", ["guild_id", "member_id"], sqlite_where=_OPTED_OUT)
    op.create_index("ix_member_left", "member", ["guild_id", "left_at", "member_id"], sqlite_where=_LEFT)
    op.create_index("ix_member_proxied", "member", ["guild_id", "member_id"], sqlite_where=_PROXIED)
