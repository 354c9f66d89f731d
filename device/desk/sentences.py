"""What doorctl says to a person, word by word.

Rules kept here:
- Every result and every hint has a sentence, and a refusal says what can be done next.
- No sentence says how close a face came, whose it resembled, or whether a flat exists.
"""

from __future__ import annotations

from device.wire import AlarmBits, DoorStatus, Hint, Purpose, Result

KEYPAD = {
    Purpose.ENROL: "At the keypad, type 01 #, your flat number, #, your PIN, #.",
    Purpose.ERASE: "At the keypad, type 02 #, your flat number, #, your PIN, #.",
    Purpose.PAUSE: "At the keypad, type 03 #, your flat number, #, your PIN, #.",
    Purpose.RESUME: "At the keypad, type 04 #, your flat number, #, your PIN, #.",
}
PRESS_AND_LOOK = "Now press the face button and look at the camera."
DECLINED = "You did not agree, so nothing was stored; your PIN or card opens the door as before."
STOPPED_ENROLMENT = "Stopped; nothing is stored of an enrolment that was not finished."
BUSY = "The door is serving somebody else; try again in a minute."
AWAY = "A part of the door that is needed for this is away; `doorctl status` says which."

HINTS = {
    Hint.NOBODY: "The camera sees nobody; please stand in front of it.",
    Hint.COME_CLOSER: "Please come a little closer.",
    Hint.STEP_BACK: "Please step back a little.",
    Hint.TOO_DARK: "It is too dark; please turn on a light or turn towards it.",
    Hint.TOO_BRIGHT: "It is too bright; please turn away from the light a little.",
    Hint.HOLD_STILL: "Please hold still.",
    Hint.LOOK_AT_CAMERA: "Please look at the camera.",
    Hint.ONE_PERSON_ONLY: "Only one person, please; the others step aside for a moment.",
    Hint.TURN_A_LITTLE: "Please turn your head a little.",
    Hint.CONFIRM_WITH_PIN: "The camera has seen a face. If it was yours, type the same again at the keypad: 01 #, your "
    "flat number, #, your PIN, #. If it was not, do nothing: it is forgotten.",
}

_DONE = {
    Purpose.ENROL: "Your face is enrolled. Your PIN or card works as before.",
    Purpose.ERASE: "Your face is erased. Your PIN or card works as before.",
    Purpose.PAUSE: "Your face is paused: it opens nothing until you resume it.",
    Purpose.RESUME: "Your face opens again.",
}
_ACTS = {
    Result.REFUSED: "The door cannot do this for you; nothing was changed.",
    Result.BUSY: BUSY,
    Result.MALFORMED: "The door did not understand the request; nothing was changed.",
    Result.NO_CREDENTIAL: "A face needs a working PIN or card beside it; set a PIN first, nothing was stored.",
    Result.NOTHING_TO_DO: "There was nothing to do: no face is stored in the state this would change.",
    Result.SLOT_TAKEN: "A face is enrolled already; erase it first if you want to enrol again.",
    Result.TOO_FEW_FRAMES: "The camera got too few good pictures; nothing was stored, please try again.",
    Result.FRAMES_DISAGREE: "The pictures did not show one and the same face; nothing was stored, please try again.",
    Result.CONFIRM: "The PIN has to be shown again before anything is stored.",
    Result.UNCONFIRMED: "The PIN was not shown again, so nothing was stored; please try again.",
    Result.FAULT: AWAY,
    Result.STALE: "That permission has ended; nothing was changed, please type it again.",
    Result.UNSIGNED: "The door refused the request as unsigned; nothing was changed.",
    Result.WRONG_DOOR: "The request was for another door; nothing was changed.",
}
_DOCUMENTS = {
    Result.DONE: "The document is applied; the door is at version {version}.",
    Result.STALE: "The document is not newer than what the door has (version {version}); nothing was changed.",
    Result.UNSIGNED: "The document is damaged or not signed by this door's manager; nothing was changed.",
    Result.MALFORMED: "The file is no document this door understands; nothing was changed.",
    Result.BUSY: "The door is applying another document; try again in a minute.",
    Result.WRONG_DOOR: "The document is for another door; nothing was changed.",
    Result.FAULT: "The door could not store the document and is still at version {version}; try again.",
}
_ALARMS = {
    AlarmBits.FORCED_OPEN: "forced open",
    AlarmBits.HELD_OPEN: "held open",
    AlarmBits.TAMPER: "tamper",
    AlarmBits.BREACH: "breach",
    AlarmBits.BOLT_FAULT: "bolt fault",
}


def act_sentence(purpose: Purpose, result: Result) -> str:
    """How a personal act ended."""
    if result is Result.DONE:
        return _DONE[purpose]
    if result is Result.NO_GRANT:
        keypad = KEYPAD[purpose][:1].lower() + KEYPAD[purpose][1:]
        return f"Nobody has shown a PIN for this in the last minute; {keypad}"
    return _ACTS[result]


def document_sentence(result: Result, version: int) -> str:
    """What became of a document; `version` is the newest one applied."""
    other = "The door refused the document; nothing was changed."
    return _DOCUMENTS.get(result, other).format(version=version)


def rooms(status: DoorStatus) -> dict[str, bool]:
    """Which rooms are up. lock and desk are: this status came through them."""
    return {
        "eye": status.eye,
        "vault": status.vault,
        "keeper": status.keeper,
        "lock": True,
        "report": status.report,
        "desk": True,
    }


def alarms(status: DoorStatus) -> list[str]:
    """The alarms that stand, by name."""
    return [name for bit, name in _ALARMS.items() if status.alarms & bit]


def status_facts(status: DoorStatus) -> dict[str, object]:
    """The status as plain values, for --json."""
    return {
        "rooms": rooms(status),
        "camera": "well" if status.camera_well else "fault",
        "alarms": alarms(status),
        "policy_version": status.policy_version,
    }


def status_sentence(status: DoorStatus) -> str:
    """The status for a person, one line a thing, the verdict first."""
    away = [name for name, up in rooms(status).items() if not up]
    verdict = "Every room of the door is up." if not away else f"Away: {', '.join(away)}."
    facts = status_facts(status)
    standing = ", ".join(alarms(status)) or "none"
    return f"{verdict}\ncamera   {facts['camera']}\nalarms   {standing}\npolicy   version {facts['policy_version']}"
