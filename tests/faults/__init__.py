"""Seeded fault runs: the real bot is a process that is killed and disconnected; then its record is compared."""
