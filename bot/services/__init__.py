"""Sequences of effects: record, catch up, report, nudge, deliver. No SQL, no Discord."""
