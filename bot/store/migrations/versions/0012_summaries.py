"""What ended periods came to, and what tells that it has to be summed up anew (SQLite)."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from bot.store.columns import Day, DayNumber, Id, Moment

revision = "0012"
down_revision = "0011"

_DAY_MS = 86_400_000
_EPOCH = 1_420_070_400_000


def upgrade() -> None:
    """Add the tables, and on SQLite the triggers that count changes. Nothing is summed up before it is asked for."""
    op.create_table(
        "fact_change",
        sa.Column("guild_id", Id, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", DayNumber(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "kind", "day", name=op.f("pk_fact_change")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "summary",
        sa.Column("guild_id", Id, autoincrement=False, nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("last_on", Day(), nullable=False),
        sa.Column("until_at", Moment(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "question", name=op.f("pk_summary")),
        sqlite_strict=True,
    )
    for name, table, columns, held in (
        ("ix_span_thread", "span", ["parent_id", "channel_id"], "parent_id IS NOT NULL"),
        ("ix_imported_channel_thread", "imported_channel", ["parent_id", "channel_id"], "parent_id IS NOT NULL"),
        (
            "ix_imported_channel_unplaced",
            "imported_channel",
            ["guild_id", "is_thread", "channel_id"],
            "parent_id IS NULL",
        ),
        ("ix_nudge_member_settled", "nudge_member", ["guild_id", "manager_id", "settled_at"], "settled_at IS NOT NULL"),
    ):
        op.create_index(name, table, columns, sqlite_where=sa.text(held), postgresql_where=sa.text(held))
    if op.get_bind().dialect.name != "sqlite":
        return
    # How far the record reaches: what ends before that is over.
    op.execute(
        f"INSERT INTO fact_change SELECT guild_id, 'message', max(touched_at) / {_DAY_MS}, 1 FROM touch GROUP BY 1"  # noqa: S608
    )
    op.execute("INSERT INTO fact_change SELECT guild_id, 'activity', max(week_on), 1 FROM activity GROUP BY 1")
    for name, when, body in _triggers():
        op.execute(f"CREATE TRIGGER {name} {when} BEGIN {body} END")


def _triggers() -> Iterator[tuple[str, str, str]]:
    """Name, event and statements of each trigger."""
    fact = {
        "touch": ("message", f"touched_at / {_DAY_MS}"),
        "waiting": ("message", f"((message_id >> 22) + {_EPOCH}) / {_DAY_MS}"),
        "activity": ("activity", "week_on"),
    }
    columns = {
        "touch": "guild_id, message_id, member_id, manager_id, channel_id, kind, touched_at, replied_to_id",
        "waiting": "guild_id, message_id, channel_id, member_id",
        "activity": "guild_id, week_on, member_id, monday, tuesday, wednesday, thursday, friday, saturday, sunday",
    }
    for table, (kind, day) in fact.items():
        old, new = (_counted(f"{row}.guild_id", kind, _of(row, day)) for row in ("OLD", "NEW"))
        yield f"{table}_added", f"AFTER INSERT ON {table}", new
        yield f"{table}_changed", f"AFTER UPDATE OF {columns[table]} ON {table}", old + new
        yield f"{table}_deleted", f"AFTER DELETE ON {table}", old
    for event, row in (("INSERT", "NEW"), ("DELETE", "OLD")):
        day = f"(({row}.message_id >> 22) + {_EPOCH}) / {_DAY_MS}"
        asked = f" FROM waiting WHERE message_id = {row}.message_id"
        yield (
            f"waiting_for_{_ENDING[event]}",
            f"AFTER {event} ON waiting_for",
            _counted("guild_id", "message", day, asked),
        )
    first = f"((first_message_id >> 22) + {_EPOCH}) / {_DAY_MS}"
    for event, row in (("INSERT", "NEW"), ("DELETE", "OLD")):
        yield (
            f"member_{_ENDING[event]}",
            f"AFTER {event} ON member WHEN {row}.first_message_id IS NOT NULL",
            _counted(f"{row}.guild_id", "message", _of(row, first)),
        )
        yield (
            f"opt_out_{_ENDING[event]}",
            f"AFTER {event} ON member WHEN {row}.opted_out_at IS NOT NULL",
            _everything(f"{row}.guild_id"),
        )
    yield (
        "member_changed",
        "AFTER UPDATE OF first_message_id ON member WHEN OLD.first_message_id IS NOT NEW.first_message_id",
        "".join(
            _counted(f"{row}.guild_id", "message", _of(row, first), f" WHERE {row}.first_message_id IS NOT NULL")
            for row in ("OLD", "NEW")
        ),
    )
    yield (
        "opt_out_changed",
        "AFTER UPDATE OF opted_out_at ON member WHEN OLD.opted_out_at IS NOT NEW.opted_out_at",
        _everything("NEW.guild_id"),
    )
    # Whom and what everything counts.
    for table in ("manager", "ignored", "excluded_channel", "imported_channel"):
        for event, row in (("INSERT", "NEW"), ("DELETE", "OLD")):
            yield f"{table}_{_ENDING[event]}", f"AFTER {event} ON {table}", _everything(f"{row}.guild_id")
    yield "ignored_changed", "AFTER UPDATE OF is_role ON ignored", _everything("NEW.guild_id")
    yield (
        "imported_channel_changed",
        "AFTER UPDATE OF parent_id, is_thread ON imported_channel",
        _everything("NEW.guild_id"),
    )
    for event, row in (("INSERT", "NEW"), ("DELETE", "OLD")):
        yield f"span_{_ENDING[event]}", f"AFTER {event} ON span WHEN {_places(row)}", _everything(f"{row}.guild_id")
    yield (
        "span_changed",
        "AFTER UPDATE OF parent_id ON span WHEN OLD.parent_id IS NOT NEW.parent_id",
        _everything("NEW.guild_id"),
    )


_ENDING = {"INSERT": "added", "DELETE": "deleted"}


def _of(row: str, day: str) -> str:
    for column in ("touched_at", "first_message_id", "message_id", "week_on"):
        if column in day:
            return day.replace(column, f"{row}.{column}")
    raise AssertionError(day)


def _counted(guild_id: str, kind: str, day: str, source: str = "") -> str:
    """A statement that counts a change of facts of a day."""
    chosen = source or " WHERE true"
    return (
        f"INSERT INTO fact_change (guild_id, kind, day, edition) SELECT {guild_id}, '{kind}', {day}, 1{chosen} "
        "ON CONFLICT (guild_id, kind, day) DO UPDATE SET edition = edition + 1; "
    )


def _everything(guild_id: str) -> str:
    """Statements after which nothing of a guild holds any more."""
    return f"{_counted(guild_id, 'everything', '0')} DELETE FROM summary WHERE guild_id = {guild_id}; "  # noqa: S608


def _places(row: str) -> str:
    """The condition that a span can decide whether its thread counts."""
    return (
        f"{row}.parent_id IN (SELECT channel_id FROM excluded_channel WHERE guild_id = {row}.guild_id) OR "  # noqa: S608
        f"({row}.parent_id IS NOT NULL AND EXISTS (SELECT 1 FROM imported_channel WHERE channel_id = {row}.channel_id "
        "AND is_thread = 1 AND parent_id IS NULL))"
    )
