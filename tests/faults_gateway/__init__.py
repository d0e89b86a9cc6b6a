"""The gateway fails in every way at every moment: does the bot live, and is it back within a minute of the server?"""
