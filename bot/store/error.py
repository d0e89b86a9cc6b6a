"""The errors of the store that are shown to the person who runs Spade."""


class StoreError(Exception):
    """The database cannot be used; the message is one sentence for the person who runs Spade."""


class OutageError(StoreError):
    """The database as a whole cannot be used for now: its server is away, the disk is full, another program locks it.

    The outage is logged as one (see `bot.store.outage`); whoever meets this error waits, and does not log it again.
    """


class LostDatabaseError(StoreError):
    """The database cannot be used any more, and no retry helps: damaged, deleted, replaced. Spade has to stop."""


class DatabaseUnreachableError(OutageError):
    """The database server does not answer, or is still starting; a retry may succeed."""


class UnknownZoneError(StoreError):
    """A guild's settings name a time zone that there is not, so that its days and weeks cannot be told."""

    def __init__(self, guild_id: int, zone: str) -> None:
        super().__init__(
            f"The server {guild_id} has the time zone {zone!r} on record, which is none that Spade knows: name another "
            "with /settings time-zone there, or with `spade import … --time-zone ZONE`."
        )
        self.zone = zone


def other_writer(place: object, holder: str) -> StoreError:
    """The error for a second writer; `holder` is the first one's process id, or "unknown"."""
    return StoreError(
        f"Another Spade is writing to {place} (process {holder}): stop it first, or name another database."
    )
