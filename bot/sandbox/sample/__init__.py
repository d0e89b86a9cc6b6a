"""The record of a real community without its texts (see SOURCE.md), and playing it into a world."""
