"""A letter ready to be sent, with the files that go along."""

from dataclasses import dataclass

from bot.views.kit.letter import Letter


@dataclass(frozen=True, slots=True)
class Document:
    """A file that goes along, to be saved rather than looked at."""

    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """A letter with the picture that its attachment names, and documents to save."""

    letter: Letter
    picture: bytes | None = None
    documents: tuple[Document, ...] = ()
