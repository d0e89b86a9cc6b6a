"""Many guilds, a few of them in permanent trouble of different kinds: do all others get everything on time?"""
