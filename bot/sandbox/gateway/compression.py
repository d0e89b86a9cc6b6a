"""The two transport compressions a gateway client may ask for."""

from __future__ import annotations

import zlib
from typing import Protocol


class Compression(Protocol):
    """Turns each text of a connection into the bytes that follow those sent before."""

    def pack(self, text: str) -> bytes:
        """Return the bytes of one text."""
        ...


class ZlibStream:
    """`compress=zlib-stream`: one deflate stream, flushed after every payload."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(1)

    def pack(self, text: str) -> bytes:
        """Return the bytes of one text, ending with the flush marker a client waits for."""
        return self._stream.compress(text.encode()) + self._stream.flush(zlib.Z_SYNC_FLUSH)


class ZstdStream:
    """`compress=zstd-stream`: one Zstandard frame of raw blocks.

    It is a valid stream for every decoder, but nothing gets smaller: the standard library before 3.14 has
    no Zstandard encoder, and on loopback size does not matter.
    """

    _BLOCK = 1 << 17
    # magic number; descriptor without size, checksum or single segment; a window of 8 MiB
    _HEADER = b"\x28\xb5\x2f\xfd" + bytes([0x00, 13 << 3])

    def __init__(self) -> None:
        self._begun = False

    def pack(self, text: str) -> bytes:
        """Return one text as raw blocks, none of them the last of the frame."""
        data = text.encode()
        parts = [] if self._begun else [self._HEADER]
        self._begun = True
        for start in range(0, len(data), self._BLOCK):
            block = data[start : start + self._BLOCK]
            parts += ((len(block) << 3).to_bytes(3, "little"), block)
        return b"".join(parts)


def compression_for(name: str | None) -> Compression | None:
    """Return what a client asked for in the gateway address, or None for plain text."""
    if name == "zlib-stream":
        return ZlibStream()
    if name == "zstd-stream":
        return ZstdStream()
    return None
