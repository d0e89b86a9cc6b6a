"""Digests in words: the post, the personal digest, the picture, the HTML page and the terminal."""
