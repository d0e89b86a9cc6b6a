"""The one error of this room."""


class ExportError(Exception):
    """An export cannot be used; the message is one sentence for the person who imports it.

    It never repeats what stands in the file.
    """
