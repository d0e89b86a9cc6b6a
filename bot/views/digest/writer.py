"""From the digests that services gathered to what the views put into words, in the guild's language."""

from dataclasses import replace

from bot.domain.guild import GuildSettings, ManagerSettings
from bot.domain.nudge import Nudge
from bot.domain.report import DigestDraft, PersonalDraft
from bot.domain.rules import Rules
from bot.views.digest.facts import DigestFacts
from bot.views.digest.letter import digest_letter
from bot.views.digest.personal import PersonalFacts, personal_letter
from bot.views.kit.parcel import Parcel
from bot.views.nudge.letter import PersonalNudge
from bot.views.words.names import name_of
from bot.views.words.sentence import speaking


def digest_facts(draft: DigestDraft, rules: Rules) -> DigestFacts:
    """The team's digest. Who was met first is in it where the draft has names."""
    return DigestFacts(
        guild_name=draft.guild_name,
        monday=draft.report.week_on,
        figures=draft.report.team,
        history=draft.history,
        conversations=draft.conversations,
        complete=draft.report.complete and (draft.today is None or draft.today.complete),
        filled=draft.filled,
        late=draft.late,
        running=draft.running,
        first_week=draft.first_week,
        before_record=draft.before_record,
        show_verdict=draft.guild.show_verdict,
        corrected=draft.corrected,
        load=draft.load,
        stayers=draft.stayers,
        record_from_on=draft.record_from_on,
        effect=draft.effect,
        first_contacts=tuple(draft.names[member] for member in draft.first_contacts if member in draft.names),
        first_contacts_in_all=len(draft.first_contacts),
        rules=rules,
    )


def personal_facts(draft: PersonalDraft, rules: Rules) -> PersonalFacts:
    """One manager's digest."""
    team, guild, manager = draft.team, draft.team.guild, draft.manager
    met = [name_of(member, draft.names) for member in draft.first_contacts if member in draft.names]
    return PersonalFacts(
        week=replace(
            digest_facts(team, rules),
            own=True,
            figures=draft.figures,
            history=draft.history,
            conversations=draft.conversations,
            effect=draft.effect,
            first_contacts=tuple(met),
            first_contacts_in_all=len(draft.first_contacts),
            corrected=draft.corrected,
            # What follows is the team's alone.
            load=None,
            stayers=None,
        ),
        guild_id=guild.guild_id,
        nudge=_no_nudge(draft, guild, manager, rules),
        names=draft.names,
        now=draft.now,
        waiting=draft.waiting,
        waiting_in_all=draft.waiting_in_all,
        suggestions=draft.suggestions,
    )


class DigestViews:
    """Puts digests into parcels ready to send."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def digest(self, draft: DigestDraft, picture: bytes | None) -> Parcel:
        """The post for the guild's channel; without a picture it goes without."""
        with speaking(draft.guild.language):
            letter = digest_letter(digest_facts(draft, self._rules), delivery_id=draft.delivery_id)
        return Parcel(letter if picture is not None else letter.without_picture(), picture)

    def personal_digest(self, draft: PersonalDraft) -> Parcel:
        """The DM to one manager."""
        with speaking(draft.team.guild.language):
            return Parcel(personal_letter(personal_facts(draft, self._rules), delivery_id=draft.team.delivery_id))


def _no_nudge(draft: PersonalDraft, guild: GuildSettings, manager: ManagerSettings, rules: Rules) -> PersonalNudge:
    """What a suggestion's sentence is made with."""
    return PersonalNudge(
        nudge=Nudge(manager.manager_id, ()),
        names=draft.names,
        guild_id=guild.guild_id,
        guild_name=draft.team.guild_name,
        zone=manager.zone or guild.zone,
        now=draft.now,
        rules=rules.nudge,
    )
