"""The world of a sandbox: who and what exists, what happens there, and the events the bot is sent about it."""
