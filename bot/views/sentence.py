"""Every sentence for people passes through here: whole, with named places for the facts.

That is the form translators need, so this is the one place where a translation comes in. The extraction of the
sentences finds them by `say`, `say_count` and `mark`.
"""

from collections.abc import Sequence


def say(sentence: str, /, **facts: object) -> str:
    """A sentence with its facts filled in. Facts are inserted as they are, whatever they contain."""
    return sentence.format_map(facts)


def say_count(one: str, many: str, /, *, count: int, **facts: object) -> str:
    """The sentence for one or for many; `{count}` is the number with its thousands set apart."""
    return say(one if count == 1 else many, count=number(count), **facts)


def mark(sentence: str, /) -> str:
    """A sentence noted for translators here and said elsewhere."""
    return sentence


def number(count: int) -> str:
    """A whole number as people write it: 5,000."""
    return f"{count:,}"


def listing(items: Sequence[str]) -> str:
    """Things in a row: "A", "A and B", "A, B and C"; empty for none."""
    if len(items) < 2:
        return "".join(items)
    return say("{first} and {last}", first=", ".join(items[:-1]), last=items[-1])
