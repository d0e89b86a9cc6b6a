"""The channel of a thread's known gaps; since when a guild has digests, as a moment."""

from datetime import UTC, datetime, time

import sqlalchemy as sa
from alembic import op

from bot.store.columns import Day, Id, Moment

revision = "0006"
down_revision = "0005"

_GUILD = sa.table(
    "guild", sa.column("guild_id", Id), sa.column("digest_from_on", Day()), sa.column("digest_from_at", Moment())
)


def upgrade() -> None:
    """Add the channel of a thread to its known gaps, and replace the Monday of the first digest by a moment.

    Noon UTC of a Monday is in that Monday's week in every time zone.
    """
    op.add_column("known_gap", sa.Column("parent_id", Id, nullable=True))
    op.execute(
        "UPDATE known_gap SET parent_id ="
        " (SELECT max(span.parent_id) FROM span WHERE span.channel_id = known_gap.channel_id)"
    )
    op.add_column("guild", sa.Column("digest_from_at", Moment(), nullable=True))
    connection = op.get_bind()
    mondays = connection.execute(
        sa.select(_GUILD.c.guild_id, _GUILD.c.digest_from_on).where(_GUILD.c.digest_from_on.is_not(None))
    ).all()
    for guild_id, monday in mondays:
        noon = datetime.combine(monday, time(12), UTC)
        connection.execute(sa.update(_GUILD).where(_GUILD.c.guild_id == guild_id).values(digest_from_at=noon))
    op.drop_column("guild", "digest_from_on")
