"""Activity by week, in the order of its key."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import DayNumber, Id

revision = "0010"
down_revision = "0009"

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def upgrade() -> None:
    """Put seven days of a member into one row, and weeks before members."""
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
    if not sqlite:
        op.execute("ALTER TABLE activity RENAME CONSTRAINT pk_week_of_activity TO pk_activity")
