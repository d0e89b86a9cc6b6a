"""Application commands, and interactions with the responses of the bot."""
