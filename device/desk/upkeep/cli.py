"""`doorctl status`, `export-identity`, `apply`, `selftest`, `rekey` and `secure-bolt`.

Rules kept here:
- Each says in one sentence what it found or what became of it.
- An identity is public: the door's id and the key its documents are sealed to, as lock, which has the private one,
  says it. What travels can be swapped on the way; so there is a fingerprint, short enough to be read out by phone.
- The desk's side holds no driver: what touches the bolt's line is lock's code, in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click

from device import config, reading, terminal, wire
from device.desk import selftest as checks
from device.desk import sentences, timeouts
from device.desk.answers import Answer, answering, if_stopped, tell
from device.desk.client import DeskLine
from device.document import fingerprint
from device.errors import DocumentRefused, StoreFault
from device.paths import door_paths, models_dir
from device.wire import Result

SECURE_S = 10.0  # a driver loads in well under a second; systemd kills a stop that takes long


@click.command()
@answering
def status() -> Answer:
    """Say which parts of the door are up, and how the door stands.

    \b
    Example: doorctl status --json
    """
    from device.desk.joining import steps  # certificates take a quarter of a command's time to load

    door = steps.AtTheDoor.here(door_paths())
    if not steps.has_id(door):
        return Answer(sentences.NOT_JOINED, {"joined": False}, ok=False)
    answer = _status()
    if isinstance(answer, wire.DoorStatus):
        lacks, unlike = steps.lacks(door), steps.unlike(door)
        told = "\n".join(filter(None, (sentences.status_sentence(answer), lacks, unlike)))
        facts = {**sentences.status_facts(answer), "joined": True, "certificate": not lacks, "copy": not unlike}
        return Answer(told, facts)
    return _unanswered(answer)


@click.command("export-identity")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="A new file, for `doorward door identify`."
)
@answering
def export_identity(*, out: Path | None) -> Answer:
    """Say which door this is, and to which key its manager seals documents for it.

    Nothing of this is secret. Read the fingerprint out to whoever looks after the doors, by phone or in person: a file
    that somebody swapped on its way has another one.

    \b
    Example: doorctl export-identity --out front-door.identity
    """
    door = config.load(door_paths().config).door.id
    answer = _status()
    if not isinstance(answer, wire.DoorStatus):
        return _unanswered(answer)
    identity = {"door": door, "document_key": answer.document_key.hex()}
    shown = fingerprint(bytes.fromhex(door), answer.document_key)
    lines = [f"door          {door}", f"document key  {identity['document_key']}", f"fingerprint   {shown}"]
    if out is not None:
        _write_new(out, json.dumps(identity) + "\n")
        lines.append(f"It is in {out}, for `doorward door identify`.")
    return Answer("\n".join(lines), {**identity, "fingerprint": shown})


@click.command()
@click.argument("document", type=click.Path(path_type=Path))
@answering
def apply(*, document: Path) -> Answer:
    """Hand the door a document of its manager, such as an offered slot.

    \b
    Example: doorctl apply front-door-7.doc
    """
    content = _read_document(document)
    with DeskLine.open(door_paths()) as line:
        answer = line.ask(wire.Document(content), timeouts.DOCUMENT_S + timeouts.GRACE_S)
    if isinstance(answer, wire.Ack):
        done = answer.result is Result.DONE
        facts: dict[str, object] = {"result": answer.result.name.lower(), "version": answer.version}
        return Answer(sentences.document_sentence(answer.result, answer.version), facts, ok=done)
    busy = isinstance(answer, wire.Ended) and answer.result is Result.BUSY
    return Answer(sentences.BUSY if busy else sentences.AWAY, ok=False)


@click.command()
@answering
def selftest() -> Answer:
    """Check configuration, models, sockets and rooms. Moves nothing, reads no camera.

    \b
    Example: doorctl selftest
    """
    found = checks.run(door_paths(), models_dir())
    failed = [check.name for check in found if not check.ok]
    lines = [f"{'ok    ' if check.ok else 'FAILED'}  {check.name:<14}{check.sentence}" for check in found]
    verdict = f"Not well: {', '.join(failed)}." if failed else "Everything that was checked is well."
    tell("\n".join(lines))
    listed = [{"name": check.name, "ok": check.ok, "sentence": check.sentence} for check in found]
    return Answer(verdict, {"checks": listed}, ok=not failed)


@click.command()
@answering
def rekey() -> Answer:
    """Give every stored face a new key, and turn every template by a new secret.

    Nobody has to enrol again. PINs and cards lie under keys of their own and are not touched.

    \b
    Example: doorctl rekey
    """
    tell(sentences.REKEYS)
    if_stopped("Stopped waiting; the door may go on, and either every face gets its new key or none does.")
    with DeskLine.open(door_paths()) as line:
        answer = line.ask(wire.AskRekey(), timeouts.REKEY_S + timeouts.GRACE_S)
    result = answer.result if isinstance(answer, wire.Ended) else Result.FAULT
    facts: dict[str, object] = {"result": result.name.lower()}
    done = result in {Result.DONE, Result.NOTHING_TO_DO}
    return Answer(sentences.rekey_sentence(result), facts, ok=done)


@click.command("secure-bolt")
@answering
def secure_bolt() -> Answer:
    """Drive the bolt's line locked, for when lock has stopped. Asks no part of the door.

    Refused while lock runs, because the line is then lock's own. Never opens anything.

    \b
    Example: doorctl secure-bolt
    """
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "device.lock.secure"], capture_output=True, text=True, timeout=SECURE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Answer(f"The bolt's driver did not answer within {SECURE_S:.0f} seconds.", ok=False)
    except OSError as cause:
        return Answer(f"The bolt's driver cannot be started: {cause.strerror}.", ok=False)
    said = (ended.stdout if ended.returncode == 0 else ended.stderr).strip().splitlines()
    why = said[-1] if said else "the bolt's driver ended without a word"
    return Answer(terminal.sentence(why), ok=ended.returncode == 0)


def _status() -> wire.Message:
    with DeskLine.open(door_paths()) as line:
        return line.ask(wire.AskStatus(), timeouts.STATUS_S + timeouts.GRACE_S)


def _unanswered(answer: wire.Message) -> Answer:
    busy = isinstance(answer, wire.Ended) and answer.result is Result.BUSY
    return Answer(sentences.BUSY if busy else "The desk is there, but lock does not answer it.", ok=False)


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="ascii") as file:
            file.write(text)
    except FileExistsError as cause:
        msg = f"{path} exists already and is not replaced"
        raise StoreFault(msg) from cause
    except OSError as cause:
        msg = f"{path} cannot be written: {cause.strerror}"
        raise StoreFault(msg) from cause


def _read_document(path: Path) -> bytes:
    try:
        content = reading.content(path, wire.MAX_DOCUMENT + 1)
    except OSError as cause:
        msg = f"{path} cannot be read: {cause.strerror}"
        raise DocumentRefused(msg) from cause
    if not 0 < len(content) <= wire.MAX_DOCUMENT:
        msg = f"{path} is no document: it is empty or holds more than {wire.MAX_DOCUMENT} bytes"
        raise DocumentRefused(msg)
    return content
