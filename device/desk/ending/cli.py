"""`doorctl retire`: end this door now, and get the receipt for it.

Rules kept here:
- Whoever asks types the door's id, so that no door is ended for another one. Beside them somebody who lives here shows
  their PIN for exactly this; only where no place is taken lock does without.
- What cannot be taken back is said before it is asked for.
- The receipt is given as often as somebody asks: a door that has ended gives it again.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import click

from device import attestation, config, wire
from device.attestation import EndOfDoor
from device.desk import sentences, timeouts
from device.desk.answers import Answer, answering, confirm, if_stopped, tell
from device.desk.client import DeskFault, DeskLine
from device.desk.papers import findings
from device.desk.papers.cli import FILE
from device.desk.papers.files import NewPaper, PaperFault
from device.errors import AttestationRefused
from device.paths import door_paths
from device.wire import Result

POLL_S = 0.5
RECEIPT_S = 90.0  # keeper and vault start anew, destroy what they kept, and vault signs
LONGEST_WAIT_S = 600
_WARNING = (
    "This ends the door for good. Every PIN, card, code and face it keeps is destroyed, and nobody is let in any more "
    "but with the mechanical key. Nothing brings that back."
)


@click.command()
@click.option("--door", "typed", metavar="ID", help="The id of this door, instead of being asked for it.")
@click.option("--receipt", "paper", type=FILE, help="A new file for the signed receipt; without it, it is printed.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0, LONGEST_WAIT_S),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the PIN at the keypad.",
)
@answering
def retire(*, typed: str | None, paper: Path | None, wait_s: float) -> Answer:
    """End this door now: destroy every PIN, card, code and face it keeps.

    Type the id of this door; then somebody who lives here types 011 #, their flat number, #, their PIN, # at the
    keypad. You get a signed receipt. At a door that has ended already, only the receipt is given.

    \b
    Example: doorctl retire --receipt end-of-door.txt
    """
    door = config.load(door_paths().config).door.id
    if not _already():
        tell(_WARNING)
        given = typed if typed is not None else str(click.prompt("The id of this door", err=True))
        if given.strip().lower() != door:
            return Answer(sentences.end_sentence(Result.WRONG_DOOR), {"result": "wrong_door"}, ok=False)
        if typed is None and not confirm("End this door for good?"):
            return Answer("Nothing was changed.", {"result": "declined"}, ok=False)
    with contextlib.ExitStack() as opened:
        file = opened.enter_context(NewPaper.make(paper)) if paper is not None else None
        result = _asked(bytes.fromhex(door), wait_s)
        if result not in (Result.DONE, Result.RETIRED):
            return Answer(sentences.end_sentence(result), {"result": result.name.lower()}, ok=False)
        if_stopped("Stopped waiting for the receipt; the door has ended, and `doorctl retire` gives it later.")
        said, facts = _receipt_in(file)
    return Answer(
        "\n".join((sentences.end_sentence(result), *said)),
        {"result": result.name.lower(), **facts},
        ok=facts["receipt"] is not None,
    )


def _already() -> bool:
    with DeskLine.open(door_paths()) as line:
        status = line.ask(wire.AskStatus(), timeouts.STATUS_S + timeouts.GRACE_S)
    return isinstance(status, wire.DoorStatus) and status.ending is wire.Ending.RETIRED


def _asked(door: bytes, wait_s: float) -> Result:
    """Ask until somebody has shown a PIN for it; how it ended."""
    ends, invited = time.monotonic() + wait_s, False
    with DeskLine.open(door_paths()) as line:
        while True:
            answer = line.ask(wire.RetireDoor(door), timeouts.STATUS_S + timeouts.GRACE_S)
            result = answer.result if isinstance(answer, wire.Ended) else Result.FAULT
            if result is not Result.NO_GRANT or time.monotonic() >= ends:
                return result
            if not invited:
                tell(sentences.END_KEYPAD)
                invited = True
            line.idle(POLL_S)


def _receipt_in(file: NewPaper | None) -> tuple[list[str], dict[str, object]]:
    """What is said of the receipt, and the facts; it goes into `file`, or is printed."""
    content = _receipt()
    if not content:
        return [sentences.NO_RECEIPT_YET], {"receipt": None}
    try:
        text = attestation.armour(content)
        verified = attestation.verify(content)
        if not isinstance(verified.paper, EndOfDoor):
            return [sentences.NO_RECEIPT_YET], {"receipt": None}
        found = findings.judge_end(verified)
    except AttestationRefused as refusal:
        return [f"What the door gave as its receipt is not to be relied on: {refusal}."], {"receipt": None}
    facts: dict[str, object] = {"receipt": text, **found.facts}
    if file is not None:
        try:
            file.fill(text)
        except PaperFault as fault:
            return [f"{fault}, so here is the receipt: keep it.", text.rstrip("\n")], facts
        return [f"The signed receipt is in {file.path}; `doorctl receipt verify` checks it."], {
            **facts,
            "saved_to": str(file.path),
        }
    return ["Here is the signed receipt: keep it. `doorctl receipt verify` checks it.", text.rstrip("\n")], facts


def _receipt() -> bytes:
    """The signed receipt, as soon as there is one; empty if there is none in time."""
    ends = time.monotonic() + RECEIPT_S
    with contextlib.suppress(DeskFault), DeskLine.open(door_paths()) as line:
        while time.monotonic() < ends:
            answer = line.ask(wire.AskRetirement(), timeouts.RECORD_S + timeouts.GRACE_S)
            if isinstance(answer, wire.AttestationCopy) and answer.content:
                return answer.content
            line.idle(POLL_S)
    return b""
