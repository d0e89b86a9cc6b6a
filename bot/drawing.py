"""The process that draws one picture: it reads the facts from standard input and writes a PNG to standard output.

It imports only what drawing needs. It does not outlive its parent process: then its input ends, or its output breaks.
"""

import pickle
import sys

from bot.views.digest.canvas import draw_digest

if __name__ == "__main__":
    facts = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the parent process
    sys.stdout.buffer.write(draw_digest(facts))
