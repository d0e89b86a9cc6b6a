"""Interactions: who may use a command or control, responding to it, and what a failure answers."""
