"""The error of this package."""


class ExportError(Exception):
    """An export cannot be used; the message is one sentence for the person who imports it.

    The message never quotes the content of the file.
    """


class SeveralGuildsError(Exception):
    """The files are from more than one guild, of which only one at a time can be imported; the message lists them."""
