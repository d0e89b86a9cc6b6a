"""Lists of channels and of the permissions Spade lacks in them."""

from collections.abc import Iterator, Mapping, Sequence

from bot.views.words.sentence import listing, mark, number, say

NAMES_SHOWN = 8


PERMISSION_NAMES = {
    "view_channel": mark("View Channel"),
    "send_messages": mark("Send Messages"),
    "embed_links": mark("Embed Links"),
    "attach_files": mark("Attach Files"),
    "read_message_history": mark("Read Message History"),
}


def permissions(names: Sequence[str]) -> str:
    """Permissions by Discord's names, as a list."""
    return listing([say(PERMISSION_NAMES[name]) for name in names])


def lacking(missing: Mapping[int, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Channels grouped by what Spade lacks in them: a list of channels and a list of permissions for each group."""
    alike: dict[tuple[str, ...], list[int]] = {}
    for channel_id, names in missing.items():
        alike.setdefault(tuple(names), []).append(channel_id)
    for names, channel_ids in alike.items():
        yield channel_list(channel_ids), permissions(names)


def on_purpose() -> str:
    """The hint after channels that Spade cannot read."""
    return say("Where that is on purpose, `/settings exclude` ends this note.")


def channel_list(channel_ids: Sequence[int]) -> str:
    """Channels as Discord links them, by id."""
    shown = [f"<#{channel_id}>" for channel_id in channel_ids[:NAMES_SHOWN]]
    left = len(channel_ids) - len(shown)
    if left:
        return say("{channels} and {count} more", channels=", ".join(shown), count=number(left))
    return listing(shown)
