"""`spade nudges`: what a manager's nudge would say at any moment. Nothing is sent, nothing is stored."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from bot.cli.failure import Failure
from bot.cli.on_record import guild_on_record
from bot.cli.options import (
    ConfigOption,
    DatabaseOption,
    GuildOption,
    JsonOption,
    checked_ids,
    require_day_of_discord,
    settings_of,
)
from bot.config import Settings
from bot.domain.nudge import Nudge, NudgeDraft, OfferContext
from bot.services.nudge.previews import preview_at
from bot.services.nudge.schedule import schedule_of
from bot.store.database import open_database
from bot.views.words.sentence import say


def nudges(
    guild: GuildOption,
    manager: Annotated[
        int, typer.Option("--manager", metavar="ID", help="The manager whose nudge it is.", callback=checked_ids)
    ],
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="The moment, with its offset: 2026-03-02T09:00+01:00.")
    ],
    config: ConfigOption = None,
    database: DatabaseOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Preview a manager's nudge at any moment, by the record alone. Sends and stores nothing."""
    settings = settings_of(config, database)
    moment = _moment(at)
    draft = asyncio.run(_preview(settings, guild, manager, moment))
    if as_json:
        print(json.dumps(_document(draft.nudge, moment)))
    else:
        _print(draft)


def _print(draft: NudgeDraft) -> None:
    from rich.console import Console  # noqa: PLC0415 - JSON does without

    from bot.views.nudge.terminal import nudge_report  # noqa: PLC0415 - as above

    Console().print(nudge_report(draft))


async def _preview(settings: Settings, guild_id: int, manager_id: int, at: datetime) -> NudgeDraft:
    database = await open_database(settings.database, write=False)
    try:
        guild = await guild_on_record(database, guild_id)
        async with database.reading() as connection:
            schedule = await schedule_of(connection, guild_id, manager_id)
        if schedule is None:
            raise Failure(f"{manager_id} is not on the manager list of the server {guild_id}")
        nudge, pace = await preview_at(database, guild, manager_id, at, settings.domain_rules())
    finally:
        await database.close()
    people = {offer.member_id for offer in nudge.offers} | {
        offer.from_manager_id for offer in nudge.offers if offer.from_manager_id is not None
    }
    return NudgeDraft(
        delivery_id="0",
        nudge=nudge,
        schedule=schedule,
        guild_name=say("Server {guild_id}", guild_id=guild_id),
        context=OfferContext(
            now=at,
            zone=schedule.zone,
            names={person_id: say("Member {person_id}", person_id=person_id) for person_id in people},
            usual_reply_minutes=pace,
            rules=settings.domain_rules().nudge,
        ),
    )


def _document(nudge: Nudge, at: datetime) -> dict[str, object]:
    return {
        "at": _time(at),
        "manager_id": str(nudge.manager_id),
        "members": [
            {
                "member_id": str(offer.member_id),
                "reason": offer.reason.value,
                "since": _time(offer.since),
                "message_id": str(offer.message_id) if offer.message_id is not None else None,
            }
            for offer in nudge.offers
        ],
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Failure(f"{text!r} is no time: write it as 2026-03-02T09:00+01:00", status=2) from None
    if moment.utcoffset() is None:
        raise Failure(
            f"{text!r} does not say in which time zone: add its offset, as in 2026-03-02T09:00+01:00, or Z for UTC",
            status=2,
        )
    require_day_of_discord(moment.date(), text)
    return moment.astimezone(UTC)
