"""How much work Spade is, each figure beside a yardstick in the same run: see `run`."""
