"""People who may manage messages: Discord shows them the managers' commands."""

from bot.sandbox import Guild, Permission, User, World


def moderators(world: World, guild: Guild, *people: User) -> None:
    """Give members of a guild a role for it."""
    role = world.roles.add(guild, "Moderators", permissions=int(Permission.MANAGE_MESSAGES))
    for user in people:
        world.roles.give(role, user)
