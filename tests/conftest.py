"""What holds for all tests."""

from hypothesis import settings

# Two cores and much else to do: how long an example takes says nothing about the code.
settings.register_profile("spade", deadline=None)
settings.load_profile("spade")
