"""The schema: ids, times and counts; no names and no message content."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, MetaData, Table, Text, text
from sqlalchemy.schema import SchemaItem

from bot.store.columns import Day, DayNumber, Id, Moment, Truth

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_OPTED_OUT = text("opted_out_at IS NOT NULL")
_LEFT = text("left_at IS NOT NULL")
_PROXIED = text("proxied IS NOT NULL")
_REPLIES = text("reply_to_id IS NOT NULL")
_THREAD = text("parent_id IS NOT NULL")
_NO_THREAD = text("parent_id IS NULL")
_SETTLED = text("settled_at IS NOT NULL")


def _table(name: str, *items: SchemaItem, by_key: bool = False) -> Table:
    """A table; `by_key` keeps its rows in the order of the primary key, without a second copy of the key in SQLite."""
    return Table(name, metadata, *items, sqlite_strict=True, sqlite_with_rowid=not by_key)


guild = _table(
    "guild",
    Column("guild_id", Id, primary_key=True, autoincrement=False),
    Column("time_zone", Text, nullable=False),
    Column("digest_channel_id", Id),
    Column("digest_weekday", Integer, nullable=False),
    Column("digest_hour", Integer, nullable=False),
    Column("digest_from_at", Moment),
    Column("show_verdict", Truth, nullable=False, server_default="1"),
    Column("language", Text, nullable=False, server_default="en"),
    # How many months of the record are kept; NULL keeps everything.
    Column("keep_months", Integer),
    Column("watched_since", Moment),
    # How far back the archived threads have still to be searched; NULL once that is done.
    Column("archives_from", Moment),
    Column("removed_at", Moment),
    # When the digest and the purge of what is too old are next due (see `bot.store.due_times`).
    Column("digest_due_at", Moment, server_default="0"),
    Column("purge_due_at", Moment, server_default="0"),
    Index(None, "digest_due_at", "guild_id"),
    Index(None, "purge_due_at", "guild_id"),
    Index(None, "removed_at"),
)

manager = _table(
    "manager",
    Column("guild_id", Id, primary_key=True, autoincrement=False),
    Column("manager_id", Id, primary_key=True, autoincrement=False),
    Column("by_role_id", Id),
    Column("enrolled_at", Moment),
    Column("time_zone", Text),
    Column("nudge_hour", Integer, nullable=False, server_default="9"),
    Column("nudge_weekdays", Text, nullable=False, server_default="0,1,2,3,4"),
    Column("paused_until_on", Day),
    Column("refused_at", Moment),
    # When the nudge and the manager's own digest are next due (see `bot.store.due_times`).
    Column("nudge_due_at", Moment, server_default="0"),
    Column("digest_due_at", Moment, server_default="0"),
    Index(None, "nudge_due_at", "guild_id", "manager_id"),
    Index(None, "digest_due_at", "guild_id", "manager_id"),
)

manager_role = _table(
    "manager_role",
    Column("guild_id", Id, primary_key=True, autoincrement=False),
    Column("role_id", Id, primary_key=True, autoincrement=False),
)

ignored = _table(
    "ignored",
    Column("guild_id", Id, primary_key=True, autoincrement=False),
    Column("target_id", Id, primary_key=True, autoincrement=False),
    Column("is_role", Truth, nullable=False),
    Column("by_role_id", Id),
)

excluded_channel = _table(
    "excluded_channel",
    Column("guild_id", Id, primary_key=True, autoincrement=False),
    Column("channel_id", Id, primary_key=True, autoincrement=False),
)

# How many messages a person sent on the days of a week, named by its Monday. Weeks come before people: what is read is
# who wrote lately, and what is written is this week's. Who wrote in a week stands here and nowhere else.
activity = _table(
    "activity",
    Column("guild_id", Id, primary_key=True, autoincrement=False),
    Column("week_on", DayNumber, primary_key=True),
    Column("member_id", Id, primary_key=True, autoincrement=False),
    *(Column(name, Integer, nullable=False, server_default="0") for name in WEEKDAYS),
    by_key=True,
)

member = _table(
    "member",
    Column("guild_id", Id, primary_key=True, autoincrement=False),
    Column("member_id", Id, primary_key=True, autoincrement=False),
    Column("first_message_id", Id),
    Column("first_channel_id", Id),
    Column("last_message_id", Id),
    Column("last_channel_id", Id),
    Column("opted_out_at", Moment),
    Column("left_at", Moment),
    # True for those who write through a proxy bot, otherwise NULL. Nothing else of it is kept.
    Column("proxied", Truth),
    Index(None, "guild_id", "first_message_id"),
    # Few members opted out, left or write through a proxy, and every query about members asks for them. PostgreSQL has
    # the same conditions, by the migrations; to repeat them here would load its dialect.
    Index("ix_member_opted_out", "guild_id", "member_id", sqlite_where=_OPTED_OUT),
    Index("ix_member_left", "guild_id", "left_at", "member_id", sqlite_where=_LEFT),
    Index("ix_member_proxied", "guild_id", "member_id", sqlite_where=_PROXIED),
)

# Who must not be recorded, as keyed hashes: they reveal no id, but a person who comes back is recognised.
forgotten = _table(
    "forgotten",
    Column("guild_id", Id, primary_key=True, autoincrement=False),
    Column("mark", Text, primary_key=True),
    # When they last let themselves be recorded again: nothing from before is recorded. NULL if they never did.
    Column("until_at", Moment),
    # Whether they must not be recorded now: they never returned, or were erased again since.
    Column("is_lasting", Truth, nullable=False, server_default="1"),
)

# Values of this installation: the key of those hashes; whether the file has remains of erased rows.
installation = _table(
    "installation",
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

touch = _table(
    "touch",
    Column("message_id", Id, primary_key=True, autoincrement=False),
    Column("member_id", Id, primary_key=True, autoincrement=False),
    Column("manager_id", Id, primary_key=True, autoincrement=False),
    Column("guild_id", Id, nullable=False),
    Column("channel_id", Id, nullable=False),
    Column("kind", Text, nullable=False),
    Column("touched_at", Moment, nullable=False),
    Column("replied_to_id", Id),
    Index(None, "guild_id", "touched_at"),
    # A covering index for whether a member was ever met.
    Index("ix_touch_member", "guild_id", "member_id", "touched_at", "manager_id", "kind", "channel_id"),
    Index(None, "guild_id", "manager_id", "touched_at"),
)

waiting = _table(
    "waiting",
    Column("message_id", Id, primary_key=True, autoincrement=False),
    Column("guild_id", Id, nullable=False),
    Column("channel_id", Id, nullable=False),
    Column("member_id", Id, nullable=False),
    Column("reply_to_id", Id),
    Column("closed_at", Moment),
    Index(None, "guild_id", "message_id"),
    Index(None, "guild_id", "member_id"),
)

waiting_for = _table(
    "waiting_for",
    Column("message_id", Id, primary_key=True, autoincrement=False),
    Column("manager_id", Id, primary_key=True, autoincrement=False),
    ForeignKeyConstraint(["message_id"], ["waiting.message_id"], ondelete="CASCADE"),
)

snooze = _table(
    "snooze",
    Column("guild_id", Id, primary_key=True, autoincrement=False),
    Column("manager_id", Id, primary_key=True, autoincrement=False),
    Column("member_id", Id, primary_key=True, autoincrement=False),
    # When it ends; NULL for "not this person".
    Column("until_at", Moment),
)

hand_over = _table(
    "hand_over",
    Column("guild_id", Id, primary_key=True, autoincrement=False),
    Column("manager_id", Id, primary_key=True, autoincrement=False),
    Column("member_id", Id, primary_key=True, autoincrement=False),
    Column("from_manager_id", Id, nullable=False),
    Column("handed_at", Moment, nullable=False),
    # The entry of the nudge from which the member was handed over; it has the reason.
    Column("delivery_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
)

delivery = _table(
    "delivery",
    Column("delivery_id", Text, primary_key=True),
    Column("guild_id", Id, nullable=False),
    Column("kind", Text, nullable=False),
    # The manager of a nudge; 0 for a delivery to the guild's channel.
    Column("manager_id", Id, nullable=False),
    # The local day of a nudge, the week of a digest.
    Column("due_on", Day, nullable=False),
    Column("state", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("claimed_at", Moment, nullable=False),
    Column("tried_at", Moment),
    Column("settled_at", Moment),
    Column("channel_id", Id),
    Column("message_id", Id),
    Column("problem", Text),
    Index("uq_delivery_due", "guild_id", "kind", "manager_id", "due_on", unique=True),
    Index(None, "state"),
)

nudge_member = _table(
    "nudge_member",
    Column("delivery_id", Text, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("guild_id", Id, nullable=False),
    Column("manager_id", Id, nullable=False),
    Column("member_id", Id, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("message_id", Id),
    Column("channel_id", Id),
    Column("wrote_back", Truth, nullable=False),
    Column("for_team", Truth, nullable=False),
    Column("active_days", Integer),
    Column("conversations", Integer),
    Column("from_manager_id", Id),
    Column("handed", Truth, nullable=False),
    Column("offered_at", Moment, nullable=False),
    Column("offered_on", Day, nullable=False),
    Column("action", Text),
    Column("colleague_id", Id),
    Column("settled_at", Moment),
    ForeignKeyConstraint(["delivery_id"], ["delivery.delivery_id"], ondelete="CASCADE"),
    Index(None, "guild_id", "member_id", "offered_at"),
    Index(None, "guild_id", "offered_at"),
    Index(
        "ix_nudge_member_settled",
        *("guild_id", "manager_id", "settled_at"),
        sqlite_where=_SETTLED,
    ),
)

digest = _table(
    "digest",
    Column("guild_id", Id, primary_key=True, autoincrement=False),
    Column("week_on", Day, primary_key=True),
    Column("delivery_id", Text, nullable=False),
    Column("figures", Text, nullable=False),
    Column("frozen_at", Moment, nullable=False),
)

# What ended periods came to, in numbers; see `bot.store.summaries`.
summary = _table(
    "summary",
    Column("guild_id", Id, primary_key=True, autoincrement=False),
    Column("question", Text, primary_key=True),
    # It rests on activity up to this local day, and on touches, entries and first messages before this moment.
    Column("last_on", Day, nullable=False),
    Column("until_at", Moment, nullable=False),
    # How many changes of these facts were counted when it was summed up. After a further one it holds no more.
    Column("edition", Integer, nullable=False),
    Column("document", Text, nullable=False),
)

# How often facts of a day changed: 'message' by UTC day, 'activity' by the week's Monday, 'everything' on the first day
# of 1970 for what all of them depend on. Triggers of SQLite count; on PostgreSQL nothing is counted.
fact_change = _table(
    "fact_change",
    Column("guild_id", Id, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("day", DayNumber, primary_key=True),
    Column("edition", Integer, nullable=False),
    by_key=True,
)

span = _table(
    "span",
    Column("channel_id", Id, primary_key=True, autoincrement=False),
    Column("first_id", Id, primary_key=True, autoincrement=False),
    Column("last_id", Id, nullable=False),
    Column("guild_id", Id, nullable=False),
    # The parent channel of a thread, so that excluding the channel excludes its threads.
    Column("parent_id", Id),
    Index(None, "guild_id"),
    Index("ix_span_thread", "parent_id", "channel_id", sqlite_where=_THREAD),
)

known_gap = _table(
    "known_gap",
    Column("channel_id", Id, primary_key=True, autoincrement=False),
    Column("first_id", Id, primary_key=True, autoincrement=False),
    Column("last_id", Id, nullable=False),
    Column("guild_id", Id, nullable=False),
    Column("reason", Text, nullable=False),
    # The parent channel of a thread, as in a span: a thread may have gaps and no span yet.
    Column("parent_id", Id),
    Index(None, "guild_id"),
)

# A channel or thread of which export files were imported, or of which none may make facts: it was deleted.
imported_channel = _table(
    "imported_channel",
    Column("channel_id", Id, primary_key=True, autoincrement=False),
    Column("guild_id", Id, nullable=False),
    Column("parent_id", Id),
    Column("is_thread", Truth, nullable=False),
    # Whether a file certainly begins where the channel does.
    Column("begins", Truth, nullable=False),
    # Whether Spade heard that it was deleted: then its messages are facts no more.
    Column("gone", Truth, nullable=False),
    Index(None, "guild_id"),
    Index("ix_imported_channel_thread", "parent_id", "channel_id", sqlite_where=_THREAD),
    Index(
        "ix_imported_channel_unplaced",
        *("guild_id", "is_thread", "channel_id"),
        sqlite_where=_NO_THREAD,
    ),
)

# The newest copy of each message in export files: what other messages are judged by, whenever their files come.
imported_message = _table(
    "imported_message",
    Column("channel_id", Id, primary_key=True, autoincrement=False),
    Column("message_id", Id, primary_key=True, autoincrement=False),
    Column("guild_id", Id, nullable=False),
    Column("exported_at", Moment, nullable=False),
    # NULL: no person; 0: somebody whose id must not be kept.
    Column("author_id", Id),
    Column("kind", Text, nullable=False),
    Column("flags", Integer, nullable=False),
    Column("reply_to_id", Id),
    # The ids of people, divided by spaces; numbers below 0 stand for somebody whose id must not be kept.
    Column("mentions", Text, nullable=False),
    # The local day on which it counts for its author; NULL if it does not, or not by this row.
    Column("counted_on", DayNumber),
    Index(None, "message_id"),
    Index(None, "reply_to_id", sqlite_where=_REPLIES),
    by_key=True,
)

history_job = _table(
    "history_job",
    Column("job_id", Integer, primary_key=True, autoincrement=False),
    Column("guild_id", Id, nullable=False),
    Column("kind", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("manager_id", Id),
    Column("requested_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("cancelled_at", Moment),
    Column("messages", Integer, nullable=False),
    # Whether the two tables below say what the job has to read, and in how many channels that was.
    Column("listed", Truth, nullable=False, server_default="0"),
    Column("channels", Integer, nullable=False, server_default="0"),
    Index(None, "guild_id"),
)

# What a job has still to read: a channel goes with the last of it, and the job ends with its last channel.
history_job_channel = _table(
    "history_job_channel",
    Column("job_id", Integer, primary_key=True, autoincrement=False),
    Column("channel_id", Id, primary_key=True, autoincrement=False),
    Column("guild_id", Id, nullable=False),
    Column("parent_id", Id),
    # Whether the channel's archived threads have still to be found.
    Column("archive", Truth, nullable=False),
    # Why it could not be read when that was tried last.
    Column("left_out", Text),
    ForeignKeyConstraint(["job_id"], ["history_job.job_id"], ondelete="CASCADE"),
    Index(None, "guild_id"),
)

history_job_stretch = _table(
    "history_job_stretch",
    Column("job_id", Integer, primary_key=True, autoincrement=False),
    Column("channel_id", Id, primary_key=True, autoincrement=False),
    Column("first_id", Id, primary_key=True, autoincrement=False),
    Column("last_id", Id, nullable=False),
    Column("guild_id", Id, nullable=False),
    ForeignKeyConstraint(
        ["job_id", "channel_id"],
        ["history_job_channel.job_id", "history_job_channel.channel_id"],
        ondelete="CASCADE",
    ),
    Index(None, "guild_id"),
)
