"""A guild's own affairs in words: setup, settings, status, backfill, export."""
