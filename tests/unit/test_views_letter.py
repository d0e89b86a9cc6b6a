"""Cards whose texts do not keep Discord's limits by their making."""

import pytest

from bot.views.kit.letter import Card, Field
from bot.views.words.text import length


@pytest.mark.parametrize("letter", ["x", "🎲"])
def test_a_card_that_is_too_full_keeps_its_first_fields_and_every_limit(letter: str) -> None:
    fields = tuple(Field(f"{number:02} {letter * 300}", letter * 1500) for number in range(40))
    card = Card(title="A title", description=letter * 5000, footer="A footer", fields=fields).fitted()
    assert [field.name[:2] for field in card.fields] == [f"{number:02}" for number in range(len(card.fields))]
    assert len(card.fields) >= 2
    assert all(length(field.name) <= 256 and length(field.value) <= 1024 for field in card.fields)
    texts = [card.title, card.description, card.footer, *(field.name + field.value for field in card.fields)]
    assert 3000 < sum(length(text or "") for text in texts) <= 6000


def test_a_card_that_fits_stays_as_it_is() -> None:
    card = Card(title="A title", description="Words", fields=(Field("A name", "A value"),) * 25)
    assert card.fitted() == card
    assert len(Card(fields=(Field("A name", "A value"),) * 26).fitted().fields) == 25
