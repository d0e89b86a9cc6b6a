"""Composes digests in the guild's language."""

from bot.domain.digest_draft import DigestDraft, PersonalDraft
from bot.views.digest.personal import personal_letter
from bot.views.digest.post import digest_letter
from bot.views.kit.parcel import Parcel
from bot.views.words.sentence import speaking


class DigestWriter:
    """Puts digests into parcels ready to send."""

    def digest(self, draft: DigestDraft, picture: bytes | None) -> Parcel:
        """The post for the guild's channel, with its picture if there is one."""
        with speaking(draft.week.guild.language):
            letter = digest_letter(draft)
        return Parcel(letter if picture is not None else letter.without_picture(), picture)

    def personal_digest(self, draft: PersonalDraft) -> Parcel:
        """The DM to one manager."""
        with speaking(draft.digest.week.guild.language):
            return Parcel(personal_letter(draft))
