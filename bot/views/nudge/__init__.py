"""Nudges in words: the DM, the welcome, and the answers to the nudge commands."""
