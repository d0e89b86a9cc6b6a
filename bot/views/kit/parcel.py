"""A letter ready to be sent, with its files."""

from dataclasses import dataclass

from bot.views.kit.letter import Letter


@dataclass(frozen=True, slots=True)
class Document:
    """A file to download, not to look at."""

    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """A letter with the picture that its attachment names, and documents to download."""

    letter: Letter
    picture: bytes | None = None
    documents: tuple[Document, ...] = ()
