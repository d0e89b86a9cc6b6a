"""Discord cogs: each turns an interaction or event into one service call and its result into an answer."""
