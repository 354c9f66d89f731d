"""`doorctl join`: give this door to a manager, by the label that the manager made for it.

Rules kept here:
- The label comes from a file or from standard input, never as an argument: those are seen by everybody on a machine.
- What a person has to compare is shown at the end, when lock has said which key the door's documents are sealed to.
- Whoever runs it makes joined.toml and its copy alike on the way, and is told if one was lost.
- A step that was done is not taken back because a later one could not be shown: the same command shows it again.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
from cryptography import x509

from device import config, wire
from device.desk import timeouts
from device.desk.answers import Answer, answering, tell
from device.desk.client import DeskFault, DeskLine
from device.desk.joining import steps
from device.desk.joining.steps import AtTheDoor
from device.errors import JoiningRefused
from device.joining import LARGEST_LABEL_TEXT, Label, fingerprint
from device.paths import Paths, door_paths

LOCK_S = 20.0
"""The rooms of a door that has not joined look once a second, and then start: keeper's and lock's take some seconds."""
_AGAIN_S = 0.5
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--label", "label_file", type=_FILE, help="The file with the label; without it, standard input is read.")
@click.option("--out", type=_FILE, help="A new file for the door's request, where no broker carries it.")
@click.option("--answer", "answer_file", type=_FILE, help="The file that `doorward door approve` wrote.")
@answering
def join(*, label_file: Path | None, out: Path | None, answer_file: Path | None) -> Answer:
    """Give this door to a manager, by the label that was made for it; then show what to compare.

    Shows a fingerprint: read it out to the manager, by phone or in person, who approves the door if it is the same
    there. With a broker the rest happens by itself. Without one, write the request to a file with --out, and bring back
    the answer with --answer. On a door that has joined, the command without --label shows how things stand, and --out
    writes its question for the next certificate, should its own have ended.

    \b
    Example: doorctl join --label front-door.label --out front-door.request
    """
    door = AtTheDoor.here(door_paths())
    _mend(door)
    if answer_file is not None:
        if label_file is not None or out is not None:
            msg = "--answer goes alone: it ends what --label and --out began"
            raise click.UsageError(msg)
        return _installed(door.install(steps.read_answer(answer_file)))
    if label_file is not None or not door.joined:
        if out is not None and out.exists():
            msg = f"{out} exists already and is not replaced, so nothing was done"
            raise JoiningRefused(msg)
        before = door.joined
        door.take(steps.read_label(label_file) if label_file is not None else _typed())
        _mend(door)
        if before:
            tell("This door has another label. It asks with it after a restart of report, or with --out.")
        else:
            tell("This door has joined its manager.")
    return _shown(door, out)


def _mend(door: AtTheDoor) -> None:
    if said := door.mend():
        tell(said)


def _typed() -> Label:
    if sys.stdin.isatty():
        tell("Scan or type the label, then press Ctrl-D on a line of its own.")
    return Label.read(sys.stdin.read(LARGEST_LABEL_TEXT + 1))


def _installed(certificate: x509.Certificate | None) -> Answer:
    if certificate is None:
        return Answer("The manager knows this door now. It has no broker, so no certificate is needed.", {"ends": None})
    ends = certificate.not_valid_after_utc
    return Answer(f"The door has its certificate, until {ends:%Y-%m-%d}.", {"ends": ends.isoformat()})


def _shown(door: AtTheDoor, out: Path | None) -> Answer:
    settings = config.load(door.paths.config)
    key = _document_key(door.paths)
    if key is None:
        sentence = "Its lock does not answer yet; when the door has started, `doorctl join` shows what to compare."
        return Answer(sentence, {"door": settings.door.id, "fingerprint": None}, ok=out is None)
    shown = fingerprint(bytes.fromhex(settings.door.id), key, door.public())
    waits = door.waits()
    lines = [f"door          {settings.door.id}", f"fingerprint   {shown}"]
    if out is not None:
        steps.write_request(out, door.request(key))
        command = "doorward door approve" if waits else "doorward door renew"
        lines.append(f"The request is in {out}, for `{command}`.")
    elif waits:
        lines.append("The answer of the manager is still to come.")
    else:
        lines.append(steps.lacks(door) or "The manager has answered: nothing is left to do.")
    return Answer("\n".join(lines), {"door": settings.door.id, "fingerprint": shown, "waits": waits})


def _document_key(paths: Paths, clock: Callable[[], float] = time.monotonic) -> bytes | None:
    """What lock says its documents are sealed to; None if it does not come up in time."""
    ends = clock() + LOCK_S
    while True:
        try:
            with DeskLine.open(paths) as line:
                answer = line.ask(wire.AskStatus(), timeouts.STATUS_S + timeouts.GRACE_S)
        except DeskFault:
            answer = None
        if isinstance(answer, wire.DoorStatus):
            return answer.document_key
        if clock() >= ends:
            return None
        time.sleep(_AGAIN_S)
