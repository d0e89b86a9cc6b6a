"""The buttons of a list that has pages. Their ids say which page comes next, so they work after a restart."""

from bot.views.kit.letter import Button
from bot.views.words.sentence import number, say


def page_buttons(prefix: str, page: int, pages: int) -> tuple[Button, ...]:
    """Previous, next and again; a list of one page can only be looked at again."""
    again = Button(say("Look again"), custom_id=f"{prefix}:{page}:again")
    if pages == 1:
        return (again,)
    return (
        Button(say("Previous"), custom_id=f"{prefix}:{max(page - 1, 1)}:previous", disabled=page == 1),
        Button(say("Next"), custom_id=f"{prefix}:{page + 1}:next", disabled=page == pages),
        again,
    )


def page_footer(page: int, pages: int, order: str) -> str:
    """In which order the list is, and where in it this page is."""
    if pages == 1:
        return order
    return say("Page {number} of {pages}. {order}", number=number(page), pages=number(pages), order=order)
