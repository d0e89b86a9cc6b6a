"""`python -m bot` is `spade`."""

from bot.cli.main import main

main()
