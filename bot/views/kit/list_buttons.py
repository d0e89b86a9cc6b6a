"""The buttons of a paged list. Their custom ids name the page to show, so they work after a restart."""

from bot.views.kit.letter import Button
from bot.views.words.sentence import number, say


def page_buttons(prefix: str, page: int, pages: int) -> tuple[Button, ...]:
    """Previous, Next and Look again; a list of one page has only the last of them."""
    again = Button(say("Look again"), custom_id=f"{prefix}:{page}:again")
    if pages == 1:
        return (again,)
    return (
        Button(say("Previous"), custom_id=f"{prefix}:{max(page - 1, 1)}:previous", disabled=page == 1),
        Button(say("Next"), custom_id=f"{prefix}:{page + 1}:next", disabled=page == pages),
        again,
    )


def page_footer(page: int, pages: int, order: str) -> str:
    """The order of the list, and the number of this page if there are several."""
    if pages == 1:
        return order
    return say("Page {number} of {pages}. {order}", number=number(page), pages=number(pages), order=order)
