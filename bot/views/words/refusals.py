"""Short answers that any command may need: who may use it, what it lacks, what went wrong."""

from bot.views.words.names import plain_name, safe_name
from bot.views.words.sentence import say


def not_a_manager() -> str:
    """The answer to a manager's command by somebody who is none."""
    return say("This is for the people on this server's manager list. Who is on it is decided with `/setup`.")


def not_a_manager_yet() -> str:
    """The same for somebody who may change that list."""
    return say("This is for the people on this server's manager list, and you are not on it. `/setup` puts you there.")


def not_allowed() -> str:
    """The answer to a command that needs Manage Server."""
    return say("This changes how Spade works for the whole server, so it needs the permission Manage Server.")


def only_in_server() -> str:
    """The answer to a command outside a server."""
    return say("This works in a server, where I can see whom it is about.")


def not_set_up() -> str:
    """The answer while `/setup` has not been used."""
    return say("Spade is not set up here yet. Somebody with the permission Manage Server can do it with `/setup`.")


def not_a_date(text: str) -> str:
    """The answer to something that should have been a date."""
    return say("I cannot read {text} as a date. Write it as 2026-08-31.", text=safe_name(text))


def nothing_happened() -> str:
    """The answer to a button that nobody takes up."""
    return say(
        "Nothing happened: this button may be from an earlier version of Spade, or Spade is very busy. Use the command "
        "again."
    )


def unexpected_error(reference: str) -> str:
    """The answer when something went wrong that nobody foresaw; the reference finds it in the log."""
    return say(
        "Something went wrong, and it was not you. The log has the details under `{reference}`.",
        reference=plain_name(reference).replace("`", ""),
    )
