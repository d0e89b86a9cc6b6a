"""People at their clients, and the interactions that they send to the bot."""
