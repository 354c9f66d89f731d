"""What becomes of the paper that an act left behind: into its file, or onto the screen, and what it is good for.

Rules kept here:
- What is not in a file that was asked for is printed, whatever the reason.
- A paper is looked at before it is called one: its signature, its kind, and that it speaks of what was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device import attestation
from device.attestation import ConsentRecord, Receipt
from device.desk.papers.files import NewPaper, PaperFault
from device.desk.sentences import KEY_PLACES
from device.errors import AttestationRefused
from device.strength import describe
from device.wire import Purpose

_NAMES = {Purpose.ENROL: "consent record", Purpose.RENEW: "consent record", Purpose.ERASE: "receipt"}
_GOOD_FOR = {
    "consent record": "It shows what you agreed to, and it is what a later receipt is compared with; `doorctl consent "
    "verify` checks it without this door.",
    "receipt": "Together with your consent record it shows anybody, without this door, that the door signed the "
    "erasure; `doorctl receipt verify` checks it.",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person asked for: the paper has to fit it."""

    purpose: Purpose
    consent: bytes
    under_14: bool
    covered: bool = False
    again: bool = False  # another sitting; its paper is that of an enrolment


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the paper is: `sentence` for a person (with the paper itself, if it has to be printed), `facts`."""

    sentence: str = ""
    facts: dict[str, object] = field(default_factory=dict)


def keep(asked: Asked, content: bytes | None, file: NewPaper | None, *, done: bool) -> Kept:
    """Put the paper `content` where it belongs. `done`: the act was, so there should be one."""
    name = _NAMES.get(asked.purpose)
    if name is None or (content is None and not done):
        return Kept()
    fact = name.replace(" ", "_")
    if content is None:
        return Kept(f"The door gave no {name} for it; tell whoever looks after this door.", {fact: None})
    try:
        text = attestation.armour(content)
        about = _about(asked, content)
    except AttestationRefused as refusal:
        words = f"What the door gave as {name} is not to be relied on ({refusal}); tell whoever looks after this door."
        return Kept(words, {fact: None})
    where, saved, printed = _put(name, text, file)
    facts: dict[str, object] = {fact: text}
    if saved:
        facts["saved_to"] = saved
    return Kept("\n".join([f"{where} {_GOOD_FOR[name]}", *about, *printed]), facts)


def _about(asked: Asked, content: bytes) -> list[str]:
    """More to say about it. Raises AttestationRefused if it does not speak of what was asked for."""
    match attestation.verify(content).paper:
        case Receipt() as receipt if asked.purpose is Purpose.ERASE:
            meaning = [f"- {sentence}" for sentence in describe(receipt.key_place).sentences()[1:]]
            return [f"The door keeps its keys in {KEY_PLACES[receipt.key_place]}. What that means:", *meaning]
        case ConsentRecord() as record if asked.purpose is not Purpose.ERASE:
            if record.terms_hash != asked.consent:
                raise AttestationRefused("it speaks of other terms than you were shown")
            if asked.purpose is Purpose.ENROL and record.under_14 is not asked.under_14:
                raise AttestationRefused("it says another thing about the age than you did")
            if asked.purpose is Purpose.ENROL and record.covered is not asked.covered:
                raise AttestationRefused("it says another thing about a covered face than you did")
            return []
        case _:
            raise AttestationRefused("it is a paper of another kind")


def _put(name: str, text: str, file: NewPaper | None) -> tuple[str, str | None, list[str]]:
    """Where it is, in words; the file's name if it is there; what is left to print."""
    if file is None:
        return f"Here is your signed {name}: keep it.", None, [text.rstrip("\n")]
    try:
        file.fill(text)
    except PaperFault as fault:
        return f"{fault}, so here is your signed {name}: keep it.", None, [text.rstrip("\n")]
    return f"Your signed {name} is in {file.path}.", str(file.path), []
