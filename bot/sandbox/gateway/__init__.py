"""The gateway v10: sessions, events by intent, and the faults of both."""
