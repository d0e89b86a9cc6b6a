"""Members in words: one relationship, who waits, who was never met, what is stored about a person."""
