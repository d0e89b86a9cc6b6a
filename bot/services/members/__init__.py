"""Members: who is one, who waits, who was never met, one relationship, and what a person may ask about their data."""
