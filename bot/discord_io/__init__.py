"""What services need of Discord, and Discord's objects as the domain knows them."""
