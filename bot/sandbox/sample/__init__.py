"""The record of a real community, without anything anybody said; see SOURCE.md."""
