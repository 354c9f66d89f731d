"""`doorward slot`: offer places on a door's list, list them, and end them.

Rules kept here:
- An invitation is shown once, by the command that made it, and stored nowhere.
- What is listed is what was offered. Whether anybody took a place, the fleet does not know.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from device.policy.schedule import LAST_TIMETABLE
from device.wire import NO_END, NO_TIMETABLE
from provisioning import document_files, files, options, withdrawing
from provisioning import fleet as fleets
from provisioning import until as untils
from provisioning.answers import Answer, answering
from provisioning.store import Slot


@click.group("slot")
def slot_group() -> None:
    """Offer places on a door's list, list them, and end them.

    \b
    Example: doorward slot offer --fleet ~/fleet --door "Front door" --slot 12
    """


@slot_group.command("offer")
@options.fleet
@options.door
@click.option(
    "--slot",
    "wanted",
    type=int,
    help="The place: a number from 1 to 9999, such as the flat's. Without it: the lowest that was never offered here.",
)
@click.option("--days", type=int, default=14, show_default=True, help="How long the invitation is good.")
@click.option(
    "--until",
    metavar="YYYY-MM-DD",
    help="The place's last day, which ends at midnight in this computer's time zone. Without it the place stays.",
)
@click.option(
    "--timetable",
    type=click.IntRange(1, LAST_TIMETABLE),
    metavar="NUMBER",
    help="The place opens in the hours of this timetable of the door's policy only. Without it: in those of the door.",
)
@options.document_out
@answering
def slot_offer(
    *,
    folder: Path,
    store: str | None,
    door_name: str,
    wanted: int | None,
    days: int,
    until: str | None,
    timetable: int | None,
    out: Path | None,
) -> Answer:
    """Offer a place: prints an invitation for the resident, once, and writes a document for the door.

    Whoever types 00 #, the slot's number, #, the invitation, #, a new PIN, #, the same PIN, # at the door takes the
    place. A new offer for the same place ends everything of the old
    one: PIN, cards, codes and face. With --timetable it opens in its own hours only, by PIN,
    card, code and face alike; `policy set` says which hours those are. After its last day a place opens nothing any
    more; its PIN and its face are then erased at the door.

    \b
    Example: doorward slot offer --fleet ~/fleet --door "Front door" --slot 12 --until 2027-06-30 --out slot-12.doc
    """
    fleet = fleets.open_fleet(folder, store)
    slot = wanted if wanted is not None else withdrawing.unused(fleet.store.door(door_name))
    last = untils.day(until) if until is not None else None
    files.refuse_unwritable(out)
    offer = fleet.offer_slot(
        door_name,
        slot,
        days=days,
        until=last,
        timetable=timetable or NO_TIMETABLE,
        now_unix=int(time.time()),
        passphrase=options.passphrase(),
    )
    path = document_files.keep(folder, offer, out)
    return Answer(
        lambda: _show_offer(offer, path),
        {
            "door": offer.door.name,
            "slot": offer.slot,
            "serial": offer.serial,
            "version": offer.version,
            "expires_unix": offer.expires_unix,
            "ends_unix": offer.ends_unix or None,
            "timetable": offer.timetable or None,
            "invitation": offer.invitation.digits,
            "document": str(path),
        },
    )


@slot_group.command("revoke")
@options.fleet
@options.door
@click.option("--slot", type=int, required=True, help="The place: its number.")
@options.document_out
@answering
def slot_revoke(*, folder: Path, store: str | None, door_name: str, slot: int, out: Path | None) -> Answer:
    """End a place now: writes a document for the door. Somebody has moved out, or an invitation went astray.

    From the moment the door has it, PIN, cards, guests' codes and face of this place open nothing, and are erased
    there; an open invitation is worth nothing. The place can be offered again. What is the resident's own to do, to
    erase a face and get a receipt for it, they do before: afterwards there is nobody who could ask for one.

    \b
    Example: doorward slot revoke --fleet ~/fleet --door "Front door" --slot 12 --out end-12.doc
    """
    fleet = fleets.open_fleet(folder, store)
    files.refuse_unwritable(out)
    ended = withdrawing.withdraw(fleet, door_name, slot, now_unix=int(time.time()), passphrase=options.passphrase())
    path = document_files.keep(folder, ended, out)

    def say() -> None:
        click.echo(f"Place {ended.slot} of {ended.door.name} ends as soon as the door has the document {path}:")
        click.echo(f"doorctl apply {path}")

    facts = {"door": ended.door.name, "slot": ended.slot, "serial": ended.serial, "version": ended.version}
    return Answer(say, {**facts, "document": str(path)})


@slot_group.command("list")
@options.fleet
@options.door
@answering
def slot_list(*, folder: Path, store: str | None, door_name: str) -> Answer:
    """List the places that were offered on a door's list, and until when. Who took one, nobody here can tell.

    \b
    Example: doorward slot list --fleet ~/fleet --door "Front door"
    """
    door = fleets.open_fleet(folder, store).store.door(door_name)
    now_unix = int(time.time())
    facts = [
        {
            "number": slot.number,
            "ended": _ended(slot, now_unix),
            "offers": slot.serial,
            "expires_unix": slot.expires_unix or None,
            "ends_unix": slot.ends_unix or None,
            "timetable": slot.timetable or None,
        }
        for slot in door.slots
    ]

    def say() -> None:
        for slot in door.slots:
            click.echo(_in_words(slot, now_unix))
        if not door.slots:
            click.echo(f"No place of {door.name} was offered yet.")

    return Answer(say, {"door": door.name, "slots": facts})


def _ended(slot: Slot, now_unix: int) -> bool:
    return slot.ends_unix != NO_END and slot.ends_unix <= now_unix


def _in_words(slot: Slot, now_unix: int) -> str:
    if _ended(slot, now_unix):
        return f"{slot.number:>4}  ended on {untils.shown(slot.ends_unix)}"
    open_until = time.strftime("%Y-%m-%d", time.localtime(slot.expires_unix))
    words = [f"invitation {'good until' if slot.expires_unix > now_unix else 'was good until'} {open_until}"]
    if slot.ends_unix != NO_END:
        words.append(f"last day {untils.shown(slot.ends_unix)}")
    if slot.timetable != NO_TIMETABLE:
        words.append(f"timetable {slot.timetable}")
    return f"{slot.number:>4}  " + ", ".join(words)


def _show_offer(offer: fleets.Offer, path: Path) -> None:
    until = time.strftime("%Y-%m-%d %H:%M", time.localtime(offer.expires_unix))
    click.echo(f"Invitation for place {offer.slot} at {offer.door.name}, good until {until}. It is shown only now:\n")
    click.echo(f"    {offer.invitation.grouped}\n")
    if offer.ends_unix != NO_END:
        end = time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(offer.ends_unix))
        click.echo(f"The last day of the place is {untils.shown(offer.ends_unix)}; it ends at {end}.")
    if offer.timetable != NO_TIMETABLE:
        click.echo(
            f"The place opens in the hours of timetable {offer.timetable} only; `doorward policy show` lists them."
        )
    click.echo(f"The door needs the document {path}: doorctl apply {path}")
