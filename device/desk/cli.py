"""`doorctl`: the door's command line.

Rules kept here:
- No command takes a slot, a PIN or a name: a personal act is for whoever just showed a PIN at the keypad.
- Nobody is enrolled without having been shown the notice and asked; --consent states that this happened elsewhere.
- What is not built yet is not listed.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click

from device import manifest, wire
from device.desk import consent as consents
from device.desk import selftest as checks
from device.desk import sentences, timeouts
from device.desk.acts import PersonalAct
from device.desk.answers import Answer, answering, confirm, if_stopped, tell
from device.desk.client import DeskLine
from device.desk.loop import NO_CONSENT
from device.errors import DocumentRefused
from device.paths import door_paths, models_dir
from device.wire import Purpose, Result

LONGEST_WAIT_S = 600

_wait = click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0, LONGEST_WAIT_S),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the PIN at the keypad; 0 uses only one that was shown already.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Ask this door something, or let it do something for you.

    \b
    Example: doorctl status
    """


@cli.command()
@answering
def status() -> Answer:
    """Say which parts of the door are up, and how the door stands.

    \b
    Example: doorctl status --json
    """
    with DeskLine.open(door_paths()) as line:
        answer = line.ask(wire.AskStatus(), timeouts.STATUS_S + timeouts.GRACE_S)
    if isinstance(answer, wire.DoorStatus):
        return Answer(sentences.status_sentence(answer), sentences.status_facts(answer))
    busy = isinstance(answer, wire.Ended) and answer.result is Result.BUSY
    return Answer(sentences.BUSY if busy else "The desk is there, but lock does not answer it.", ok=False)


@cli.command()
@click.option("--consent", "consented", is_flag=True, help="The notice was read and agreed to already (tests, sheets).")
@click.option("--lang", "language", type=click.Choice([*consents.LANGUAGES, "both"]), default="both", show_default=True)
@_wait
@answering
def enrol(*, consented: bool, language: str, wait_s: float) -> Answer:
    """Let your face open this door, beside your PIN or card.

    Shows what is stored and asks whether you agree. Then type 01 #, your flat number, #, your PIN, # at the keypad,
    press the face button and look at the camera.

    \b
    Example: doorctl enrol
             doorctl enrol --consent --wait 30 --json
    """
    notice = consents.read_notice()
    tell(_shown(notice, language))
    if not consented and not confirm("Do you agree that this door stores a template of your face, for this purpose?"):
        return Answer(sentences.DECLINED, ok=False)
    if_stopped(sentences.STOPPED_ENROLMENT)
    return _act(Purpose.ENROL, wait_s, _consent_hash(notice))


@cli.command()
@_wait
@answering
def erase(*, wait_s: float) -> Answer:
    """Erase your face from this door. Your PIN or card stays.

    Type 02 #, your flat number, #, your PIN, # at the keypad.

    \b
    Example: doorctl erase
    """
    return _act(Purpose.ERASE, wait_s)


@cli.command()
@_wait
@answering
def pause(*, wait_s: float) -> Answer:
    """Let your face open nothing for a while, without erasing it.

    Type 03 #, your flat number, #, your PIN, # at the keypad.

    \b
    Example: doorctl pause
    """
    return _act(Purpose.PAUSE, wait_s)


@cli.command()
@_wait
@answering
def resume(*, wait_s: float) -> Answer:
    """Let your paused face open this door again.

    Type 04 #, your flat number, #, your PIN, # at the keypad.

    \b
    Example: doorctl resume
    """
    return _act(Purpose.RESUME, wait_s)


@cli.group()
def consent() -> None:
    """What people agree to when they enrol a face.

    \b
    Example: doorctl consent show --lang zh
    """


@consent.command("show")
@click.option("--lang", "language", type=click.Choice([*consents.LANGUAGES, "both"]), default="both", show_default=True)
@answering
def consent_show(*, language: str) -> Answer:
    """Show the notice, and the hash that stands for agreeing to exactly this.

    \b
    Example: doorctl consent show --json
    """
    notice = consents.read_notice()
    digest = _consent_hash(notice).hex()
    facts: dict[str, object] = {
        "notice": notice.id,
        "texts": dict(zip(consents.LANGUAGES, notice.texts, strict=True)),
        "purpose": consents.PURPOSE,
        "retention": consents.RETENTION,
        "model_sha256": _model_sha256().hex(),
        "consent_hash": digest,
    }
    return Answer(f"{_shown(notice, language)}\nconsent hash  {digest}", facts)


@cli.command()
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


@cli.command()
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


def _act(purpose: Purpose, wait_s: float, consent_hash: bytes = NO_CONSENT) -> Answer:
    with DeskLine.open(door_paths()) as line:
        result = PersonalAct(line, purpose, consent_hash, tell).perform(wait_s)
    facts: dict[str, object] = {"result": result.name.lower()}
    return Answer(sentences.act_sentence(purpose, result), facts, ok=result is Result.DONE)


def _shown(notice: consents.Notice, language: str) -> str:
    chosen = consents.LANGUAGES if language == "both" else (language,)
    return "\n".join(notice.text(each) for each in chosen)


def _model_sha256() -> bytes:
    return manifest.load(models_dir()).for_job(manifest.Job.EMBED).sha256


def _consent_hash(notice: consents.Notice) -> bytes:
    return consents.consent_hash(notice, consents.PURPOSE, consents.RETENTION, _model_sha256())


def _read_document(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(wire.MAX_DOCUMENT + 1)
    except OSError as cause:
        msg = f"{path} cannot be read: {cause.strerror}"
        raise DocumentRefused(msg) from cause
    if not 0 < len(content) <= wire.MAX_DOCUMENT:
        msg = f"{path} is no document: it is empty or holds more than {wire.MAX_DOCUMENT} bytes"
        raise DocumentRefused(msg)
    return content


def main() -> None:
    """Run doorctl; exits."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # The notice is in two scripts; a terminal that lacks one shows escapes instead of failing.
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="doorctl")


if __name__ == "__main__":
    main()
