"""The rules of Spade: pure functions over facts and `now`, standard library only."""
