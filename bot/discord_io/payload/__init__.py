"""Discord's JSON, read field by field: what Spade uses is checked, and what it does not use is never looked at."""
