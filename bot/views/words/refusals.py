"""Short responses that any command may need: who may use it, what it lacks, what failed."""

from bot.views.words.names import plain_name, safe_name
from bot.views.words.sentence import say, say_count


def not_a_manager() -> str:
    """The response to a manager's command from somebody who is not a manager."""
    return say("This is for the people on this server's manager list. Who is on it is decided with `/setup`.")


def not_a_manager_yet() -> str:
    """The same for somebody who may change the manager list."""
    return say("This is for the people on this server's manager list, and you are not on it. `/setup` puts you there.")


def not_allowed() -> str:
    """The response to a command from somebody without the permission Manage Server."""
    return say("This changes how Spade works for the whole server, so it needs the permission Manage Server.")


def only_in_server() -> str:
    """The response to a command in a DM."""
    return say("This works in a server, where I can see whom it is about.")


def not_set_up() -> str:
    """The response while `/setup` has not been used."""
    return say("Spade is not set up here yet. Somebody with the permission Manage Server can do it with `/setup`.")


def not_a_date(text: str) -> str:
    """The response to text that is not a date."""
    return say("I cannot read {text} as a date. Write it as 2026-08-31.", text=safe_name(text))


def nothing_happened() -> str:
    """The response to a press or a form for which there is no handler."""
    return say(
        "Nothing happened: this button may be from an earlier version of Spade, or Spade is very busy. Use the command "
        "again."
    )


def unknown_zone(zone: str) -> str:
    """The response to what needs the server's days and weeks, while its time zone on record is unknown."""
    return say(
        "This server's time zone on record, {zone}, is none that I know. Somebody with the permission Manage Server "
        "can name another with `/settings time-zone`.",
        zone=safe_name(zone),
    )


def too_fast(seconds: int) -> str:
    """The response to somebody who uses the same thing too often; `seconds` is until they may again."""
    return say_count(
        "That was faster than I can follow. Try again in {count} second.",
        "That was faster than I can follow. Try again in {count} seconds.",
        count=seconds,
    )


def busy_here(seconds: int) -> str:
    """The response where a server's people together use the same thing too often."""
    return say_count(
        "Many people ask me for this here at the moment. Try again in {count} second.",
        "Many people ask me for this here at the moment. Try again in {count} seconds.",
        count=seconds,
    )


def still_working() -> str:
    """The response to somebody whose request for something big is not done yet."""
    return say("I am still working on what you asked for before. Try again when you have it.")


def database_away() -> str:
    """The response while the database cannot be used."""
    return say("I cannot get at my record just now. Nothing is lost: try again in a minute or two.")


def unexpected_error(reference: str) -> str:
    """The response after an unexpected error; `reference` stands in the log, too."""
    return say(
        "Something went wrong, and it was not you. The log has the details under `{reference}`.",
        reference=plain_name(reference).replace("`", ""),
    )


def time_unsure() -> str:
    """The response to what cannot be taken back while it is not certain what time it is."""
    return say(
        "Just now I am not certain what time it is, so I send nothing. I am asking Discord: try again in some minutes."
    )
