"""The short-lived process that draws a picture: facts come in on standard input, the PNG goes out on standard output.

It loads what drawing takes and nothing else of Spade, and ends by itself when whoever started it is gone.
"""

import pickle
import sys

from bot.views.digest.canvas import draw_digest

if __name__ == "__main__":
    facts = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    sys.stdout.buffer.write(draw_digest(facts))
