"""Draws a picture: SVG becomes a PNG.

Run as a program, it is the process that draws for the bot: it reads the SVG from standard input and writes the PNG to
standard output. It imports only what drawing needs, and does not outlive its parent process: then its input ends, or
its output breaks. The renderer ends the whole process if it finds a fault of its own or no memory, so the bot itself
never loads it.
"""

import resource
import sys
import zlib

import resvg_py

from bot.views.digest.typeface import BOLD, FAMILY, REGULAR

MEMORY_BYTES = 1 << 28
"""The most address space; drawing takes an eighth of it."""
CPU_SECONDS = 60
_HEADER_BYTES = 33
"""A PNG's signature and its first chunk, which has the size."""
_MAKER = b"tEXtSoftware\x00spade"


def rasterised(svg: str) -> bytes:
    """The picture as a PNG that names Spade as its maker. The same SVG always gives the same bytes."""
    png = resvg_py.svg_to_bytes(
        svg_string=svg, skip_system_fonts=True, font_files=[str(REGULAR), str(BOLD)], font_family=FAMILY
    )
    chunk = (len(_MAKER) - 4).to_bytes(4) + _MAKER + zlib.crc32(_MAKER).to_bytes(4)
    return png[:_HEADER_BYTES] + chunk + png[_HEADER_BYTES:]


def limit(kind: int, most: int) -> None:
    """Lower a limit of this process; one that is lower already stays."""
    soft, hard = resource.getrlimit(kind)
    allowed = min((most, *(one for one in (soft, hard) if one != resource.RLIM_INFINITY)))
    resource.setrlimit(kind, (allowed, allowed))


if __name__ == "__main__":
    limit(resource.RLIMIT_AS, MEMORY_BYTES)
    limit(resource.RLIMIT_CPU, CPU_SECONDS)
    limit(resource.RLIMIT_CORE, 0)
    sys.stdout.buffer.write(rasterised(sys.stdin.buffer.read().decode()))
