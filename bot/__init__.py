"""Spade: a Discord bot that shows community managers whom they answer, and whom they leave waiting."""

__version__ = "0.1.0"
