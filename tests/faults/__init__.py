"""Seeded fault runs: the real bot as a process, killed and cut off while messages flow, then its record compared."""
