"""What recording needs of Discord: which channels there are, their history, and messages as the domain knows them."""
