"""The errors of the store that are shown to the person who runs Spade."""


class StoreError(Exception):
    """The database cannot be used; the message is one sentence for the person who runs Spade."""


class DatabaseUnreachableError(StoreError):
    """The database server does not answer, or is still starting; a retry may succeed."""


def other_writer(place: object, holder: str) -> StoreError:
    """The error for a second writer; `holder` is the first one's process id, or "unknown"."""
    return StoreError(
        f"Another Spade is writing to {place} (process {holder}): stop it first, or name another database."
    )
