"""Digests: a week's figures, and sending each weekly digest exactly once."""
