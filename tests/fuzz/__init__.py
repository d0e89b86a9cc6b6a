"""Odd input of every kind, seeded: whatever comes, Spade takes it or names what is wrong with it."""
