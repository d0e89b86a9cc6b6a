"""The channel of a thread's known gaps."""

import sqlalchemy as sa
from alembic import op

from bot.store.columns import Id

revision = "seams"
down_revision = "0003"


def upgrade() -> None:
    """Add the channel of a thread to its known gaps, as far as its spans tell."""
    op.add_column("known_gap", sa.Column("parent_id", Id, nullable=True))
    op.execute(
        "UPDATE known_gap SET parent_id ="
        " (SELECT max(span.parent_id) FROM span WHERE span.channel_id = known_gap.channel_id)"
    )
