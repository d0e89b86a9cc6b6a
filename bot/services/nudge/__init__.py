"""Nudges: deciding, drafting and sending them, what a press on one does, and a manager's own settings."""
