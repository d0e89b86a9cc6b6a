"""Users: people, bots, and the authors that webhooks write under."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.world.entities import User

if TYPE_CHECKING:
    from bot.sandbox.world.state import State


class Users:
    """Makes users. No event tells of it: a new user is in no guild yet."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(
        self,
        name: str,
        *,
        bot: bool = False,
        display_name: str | None = None,
        dms_open: bool = True,
        user_id: int | None = None,
        webhook: bool = False,
        system: bool = False,
    ) -> User:
        """Make a user; without `user_id` it gets a new id."""
        user = User(
            self._state.ids.make() if user_id is None else user_id,
            name,
            display_name=display_name,
            bot=bot,
            webhook=webhook,
            system=system,
            dms_open=dms_open,
        )
        self._state.users[user.id] = user
        return user

    def add_webhook(self, name: str, *, user_id: int | None = None) -> User:
        """Make an author for webhook messages."""
        return self.add(name, webhook=True, user_id=user_id)
