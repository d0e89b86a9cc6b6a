"""The answer to /export: the tables as files to download."""

from bot.services.guild.export import ExportFacts
from bot.views.guild.export import relationships_csv, weeks_csv
from bot.views.kit.letter import Letter
from bot.views.kit.parcel import Document, Parcel
from bot.views.words.sentence import say


def export_parcel(facts: ExportFacts) -> Parcel:
    """The two tables as files, with a sentence on each."""
    text = say(
        "**relationships.csv**: whom the team has talked to, when first and last. **weeks.csv**: the figures of each "
        "week, the team's and each manager's. Times are UTC. Only you see this message; treat the files with care."
    )
    documents = (
        Document("relationships.csv", relationships_csv(facts).encode("utf-8-sig")),
        Document("weeks.csv", weeks_csv(facts.weeks).encode("utf-8-sig")),
    )
    return Parcel(Letter(content=text), documents=documents)
