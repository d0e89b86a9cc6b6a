"""Delivery: sending a message exactly once, and finding out what became of it."""
