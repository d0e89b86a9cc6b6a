"""The failure of a configuration."""


class ConfigError(ValueError):
    """Spade cannot start with this configuration; the message is one sentence: where, what, and how to fix it."""
