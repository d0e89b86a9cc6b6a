"""Delivery: sending a message exactly once, and settling deliveries whose outcome is not known."""
