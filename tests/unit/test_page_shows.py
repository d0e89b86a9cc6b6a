"""What the page shows of messages of every kind, without a browser."""

from typing import Any

import pytest

from bot.sandbox.web.forms import OfferedCommand, values_of
from tests.integration.test_sandbox_client import Town
from tests.unit.test_page_door import opened, text_of


async def shown(t: Town, page: Any, session: Any, **asked: Any) -> str:
    return await text_of(session, page.address, **{"channel": t.square.id, **asked})


async def test_components_of_the_second_kind() -> None:
    async with opened() as (t, page, session, _):
        t.world.state.files[5] = ("a.png", "image/png", b"png")
        message = t.world.messages.post(t.square, t.ben)
        message.attachments = [
            {"id": "5", "filename": "a.png", "size": 3, "url": f"{t.sandbox.url}/attachments/1/5/a.png"},
            {"id": "6", "filename": "notes.txt", "size": 4096, "url": "x", "content_type": "text/plain"},
        ]
        message.components = [
            {
                "type": 17,
                "accent_color": 0xFF8800,
                "components": [
                    {
                        "type": 9,
                        "components": [{"type": 10, "content": "**Boxed** words"}],
                        "accessory": {"type": 11, "media": {"url": "attachment://a.png"}, "description": "A cat"},
                    },
                    {"type": 14},
                    {"type": 12, "items": [{"media": {"url": "https://elsewhere.example/x.png"}}]},
                    {"type": 99},
                ],
            }
        ]
        html = await shown(t, page, session)
        assert 'fill="#ff8800"' in html
        assert "<strong>Boxed</strong> words" in html
        assert 'src="files/5/a.png" alt="A cat"' in html
        assert "<hr>" in html
        assert "A picture: not on this machine" in html
        assert "a component of type 99" in html
        assert "notes.txt" in html
        assert "4 KB" in html
        assert "elsewhere.example" not in html


async def test_a_list_says_what_it_is_for_and_shows_what_is_chosen_already() -> None:
    async with opened() as (t, page, session, _):
        message = t.world.messages.post(t.square, t.ben)
        few = {"type": 5, "id": 1, "custom_id": "few", "placeholder": "Your team", "min_values": 0, "max_values": 25}
        one = {"type": 8, "id": 2, "custom_id": "one", "placeholder": "Where to post", "min_values": 0}
        message.components = [
            {"type": 1, "components": [few | {"default_values": [{"id": str(t.ben.id), "type": "user"}]}]},
            {"type": 1, "components": [one]},
        ]
        html = await shown(t, page, session)
        several, single = html.partition('value="few"')[2].split('value="one"')
        assert f'<label for="c-{message.id}-1">Your team</label>' in several
        assert several.count("selected") == 1
        assert several.index(f'<option value="{t.ben.id}" selected>') < several.index(f'value="{t.ann.id}"')
        assert "<label" not in single.partition("</form>")[0], "its own line says it"
        assert "selected>Where to post</option>" in single


async def test_replies_forwards_threads_notices_and_what_is_gone() -> None:
    async with opened() as (t, page, session, _):
        first = t.world.messages.post(t.square, t.ann, "first **words**")
        t.world.messages.post(t.square, t.ben, "an answer", reply_to=first)
        t.world.messages.post(t.square, t.ben, "to nobody", reply_to=123)
        t.world.messages.post(t.square, t.ben, forward=first)
        t.world.threads.start(t.square, "About it", t.ben, message=first)
        t.world.messages.post(t.square, t.ben, type=7)
        t.world.messages.edit(t.world.messages.post(t.square, t.ben, "edited"), "changed")
        html = await shown(t, page, session)
        assert "first words</a>" in html
        assert "a message that is gone" in html
        assert "Forwarded" in html
        assert "About it" in html
        assert "joined the server" in html
        assert "(edited)" in html


async def test_long_channels_come_in_pages_and_lead_back_to_the_present() -> None:
    async with opened() as (t, page, session, _):
        messages = []
        for number in range(130):
            t.clock.advance(minutes=1)
            messages.append(t.world.messages.post(t.square, t.ann if number % 2 else t.ben, f"number {number};"))
        html = await shown(t, page, session)
        assert "number 129;" in html
        assert "number 89;" not in html
        assert "Jump to the present" not in html
        html = await shown(t, page, session, before=messages[90].id)
        assert "number 89;" in html
        assert "number 90;" not in html
        assert "Jump to the present" in html
        html = await shown(t, page, session, message=messages[20].id)
        assert f'for-reader" id="m-{messages[20].id}"' not in html
        assert f'marked" id="m-{messages[20].id}"' in html
        html = await shown(t, page, session, message=messages[3].id)
        assert "number 0;" in html
        assert "Older messages" not in html


async def test_news_is_counted_until_it_is_seen() -> None:
    async with opened() as (t, page, session, _):
        other = t.world.channels.add(t.guild, "other")
        assert "new</span>" not in await shown(t, page, session)
        t.clock.advance(seconds=5)
        t.world.messages.post(other, t.ben, "news")
        t.world.messages.post(other, t.ann, "of my own")
        assert "1<span" in await shown(t, page, session)
        await text_of(session, page.address, channel=other.id)
        assert "new</span>" not in await shown(t, page, session)


def test_options_are_sent_as_what_they_are() -> None:
    kinds = {"text": 3, "whole": 4, "yes": 5, "who": 6, "part": 10, "empty": 3}
    entry = OfferedCommand(("do",), "", tuple({"name": name, "type": kind} for name, kind in kinds.items()))
    given = {"option.text": "a", "option.whole": "3", "option.yes": "true", "option.who": "11", "option.part": "1.5"}
    assert values_of(entry, given | {"option.empty": "", "value.text": "chosen"}) == {
        "text": "chosen",
        "whole": 3,
        "yes": True,
        "who": "11",
        "part": 1.5,
    }
    with pytest.raises(ValueError, match="invalid"):
        values_of(entry, {"option.whole": "three"})
