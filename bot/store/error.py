"""The error that the store raises for the person who runs Spade."""


class StoreError(Exception):
    """The database cannot be used; the message is one sentence for the person who runs Spade."""


class DatabaseUnreachableError(StoreError):
    """The database server does not answer, or not yet: later it may."""


def other_writer(place: object, holder: str) -> StoreError:
    """What a second writer hears; `holder` is the first one's process id, or "unknown"."""
    return StoreError(
        f"Another Spade is writing to {place} (process {holder}): stop it first, or name another database."
    )
