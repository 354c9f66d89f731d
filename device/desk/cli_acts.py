"""`doorctl enrol`, `renew`, `erase`, `pause` and `resume`: the personal acts of a resident.

Rules kept here:
- No command takes a slot, a PIN or a name: a personal act is for whoever just showed a PIN at the keypad.
- Nobody is enrolled or renewed without having been shown the notice and asked; --consent states that this happened
  elsewhere. That a face is a child's is declared by the guardian, never guessed.
- Another sitting is asked about like the first one, and is never begun by anything but this: what is kept of a face
  does not change because somebody came in.
- What the door signs about an act reaches the person, however the act ends.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from device.desk import sentences
from device.desk import terms as the_terms
from device.desk.acts import PersonalAct
from device.desk.answers import Answer, answering, confirm, if_stopped, tell
from device.desk.client import DeskLine
from device.desk.page.counter import NO_CONSENT
from device.desk.papers.cli import FILE, language_option
from device.desk.papers.files import NewPaper
from device.desk.papers.kept import Asked, keep
from device.errors import Fault, Refusal
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
_agreed = click.option(
    "--consent", "agreed", is_flag=True, help="The notice was read and agreed to already (tests, sheets)."
)
_copy = click.option(
    "--copy", "paper", type=FILE, help="A new file for your signed consent record; without it, it is printed."
)


@click.command()
@_agreed
@click.option(
    "--under-14",
    is_flag=True,
    help="The face is that of a child under 14, and I am their parent or guardian: I declare this, and I agree for "
    "them. Their face then never opens without the PIN.",
)
@click.option(
    "--covered",
    is_flag=True,
    help="I enrol with mouth and nose covered, by a mask or a veil, and will come so. This face then never opens "
    "without the PIN. Say it with --again too if the face that is kept was enrolled so.",
)
@click.option(
    "--again",
    is_flag=True,
    help="A face is kept already: add another sitting to it, best on another day, so that the door refuses it less "
    "often. Say --under-14 if it is a child's. If anything goes wrong, that face stays as it was.",
)
@_copy
@language_option
@_wait
@answering
def enrol(
    *, agreed: bool, under_14: bool, covered: bool, again: bool, paper: Path | None, language: str, wait_s: float
) -> Answer:
    """Let your face open this door, beside your PIN or card.

    Shows what is stored and asks whether you agree. Then type 01 #, your flat number, #, your PIN, # at the keypad,
    press the face button and look at the camera. You get a signed record of what you agreed to.

    \b
    Example: doorctl enrol --copy my-consent.txt
             doorctl enrol --under-14
             doorctl enrol --covered
             doorctl enrol --again
             doorctl enrol --again --covered
             doorctl enrol --consent --wait 30 --json
    """
    if again:
        question = sentences.AGREE_AGAIN_FOR_CHILD if under_14 else sentences.AGREE_AGAIN
        beside = f"{sentences.AGAIN} {sentences.COVERED_AGAIN}" if covered else sentences.AGAIN
        declined, stopped = sentences.DECLINED_AGAIN, sentences.STOPPED_AGAIN
    else:
        question = sentences.AGREE_FOR_CHILD if under_14 else sentences.AGREE[Purpose.ENROL]
        beside = sentences.COVERED if covered else ""
        declined, stopped = sentences.DECLINED[Purpose.ENROL], sentences.STOPPED_ENROLMENT
    terms_hash = _agree(question, language, beside, agreed=agreed)
    if terms_hash is None:
        return Answer(declined, ok=False)
    if_stopped(stopped)
    return _act(Asked(Purpose.ENROL, terms_hash, under_14, covered, again), wait_s, paper)


@click.command()
@_agreed
@_copy
@language_option
@_wait
@answering
def renew(*, agreed: bool, paper: Path | None, language: str, wait_s: float) -> Answer:
    """Agree to the notice as it is now, so that your face opens again after it has changed.

    Shows the notice and asks whether you agree. Then type 06 #, your flat number, #, your PIN, # at the keypad. You get
    a signed record of what you agreed to.

    \b
    Example: doorctl renew --copy my-consent.txt
    """
    terms_hash = _agree(sentences.AGREE[Purpose.RENEW], language, agreed=agreed)
    if terms_hash is None:
        return Answer(sentences.DECLINED[Purpose.RENEW], ok=False)
    return _act(Asked(Purpose.RENEW, terms_hash, under_14=False), wait_s, paper)


@click.command()
@click.option("--receipt", "paper", type=FILE, help="A new file for your signed receipt; without it, it is printed.")
@_wait
@answering
def erase(*, paper: Path | None, wait_s: float) -> Answer:
    """Erase your face from this door. Your PIN or card stays.

    Type 02 #, your flat number, #, your PIN, # at the keypad. You get a signed receipt.

    \b
    Example: doorctl erase --receipt my-receipt.txt
    """
    return _act(Asked(Purpose.ERASE, NO_CONSENT, under_14=False), wait_s, paper)


@click.command()
@_wait
@answering
def pause(*, wait_s: float) -> Answer:
    """Let your face open nothing for a while, without erasing it.

    Type 03 #, your flat number, #, your PIN, # at the keypad.

    \b
    Example: doorctl pause
    """
    return _act(Asked(Purpose.PAUSE, NO_CONSENT, under_14=False), wait_s)


@click.command()
@_wait
@answering
def resume(*, wait_s: float) -> Answer:
    """Let your paused face open this door again.

    Type 04 #, your flat number, #, your PIN, # at the keypad.

    \b
    Example: doorctl resume
    """
    return _act(Asked(Purpose.RESUME, NO_CONSENT, under_14=False), wait_s)


def _agree(question: str, language: str, beside: str = "", *, agreed: bool) -> bytes | None:
    """Show the notice, and what there is to say `beside` it, and ask; the hash of the terms, or None."""
    terms = the_terms.in_force(door_paths(), models_dir())
    tell(the_terms.shown(terms.notice, language))
    if beside:
        tell(beside)
    return terms.hash if agreed or confirm(question) else None


def _act(asked: Asked, wait_s: float, paper: Path | None = None) -> Answer:
    with contextlib.ExitStack() as opened:
        file = opened.enter_context(NewPaper.make(paper)) if paper is not None else None
        line = opened.enter_context(DeskLine.open(door_paths()))
        act = PersonalAct(line, asked.purpose, asked.consent, tell, asked.under_14, asked.covered, asked.again)
        try:
            result = act.perform(wait_s)
            sentence = sentences.act_sentence(asked.purpose, result, again=asked.again)
        except (Refusal, Fault, KeyboardInterrupt):
            if act.attestation is None:
                raise
            # The door had signed before the line broke: that is worth more than how it broke.
            result, sentence = Result.FAULT, sentences.SIGNED_BUT_NOT_ENDED
        done = result is Result.DONE
        kept = keep(asked, act.attestation, file, done=done)
    facts: dict[str, object] = {"result": result.name.lower(), **kept.facts}
    return Answer("\n".join(text for text in (sentence, kept.sentence) if text), facts, ok=done)
