"""What doorctl says to a person, word by word.

Rules kept here:
- Every result and every hint has a sentence, and a refusal says what can be done next.
- No sentence says how close a face came, whose it resembled, or whether a flat exists.
"""

from __future__ import annotations

from device.strength import KeyPlace
from device.wire import AlarmBits, DoorStatus, Ending, Hint, Purpose, Result

KEYPAD = {
    Purpose.ENROL: "At the keypad, type 01 #, your flat number, #, your PIN, #.",
    Purpose.ERASE: "At the keypad, type 02 #, your flat number, #, your PIN, #.",
    Purpose.PAUSE: "At the keypad, type 03 #, your flat number, #, your PIN, #.",
    Purpose.RESUME: "At the keypad, type 04 #, your flat number, #, your PIN, #.",
    Purpose.RENEW: "At the keypad, type 06 #, your flat number, #, your PIN, #.",
}
AGREE = {
    Purpose.ENROL: "Do you agree that this door stores a template of your face, for this purpose?",
    Purpose.RENEW: "Do you agree that this door keeps the template of your face under this notice?",
}
AGREE_FOR_CHILD = (
    "Are you the parent or guardian of this child under 14, and do you agree for them that this door stores a template "
    "of their face, for this purpose?"
)
AGREE_AGAIN = "Do you agree that this door adds this sitting to the template of your face, for this purpose?"
AGREE_AGAIN_FOR_CHILD = (
    "Are you the parent or guardian of this child under 14, and do you agree for them that this door adds this sitting "
    "to the template of their face, for this purpose?"
)
AGAIN = (
    "Another sitting: the door looks once more, and your template is then computed from all sittings together, so that "
    "the door refuses you less often. That is worth most on another day, in another light, with glasses or without. It "
    "takes as long as enrolling did, with your PIN twice; you may leave it, and nothing changes. The door never learns "
    "by itself: only this act adds anything."
)
COVERED_AGAIN = (
    "Mouth and nose stay covered while the camera looks, as when you enrolled. Without the word --covered the door "
    "looks for a bare face, and a covered and a bare sitting are never put together."
)
COVERED = (
    "You enrol with mouth and nose covered. The door will know your face when it is covered like this, and not when it "
    "is bare, and it never opens without your PIN. Keep the cover on while the camera looks."
)
PRESS_AND_LOOK = "Now press the face button and look at the camera."
DECLINED = {
    Purpose.ENROL: "You did not agree, so nothing was stored; your PIN or card opens the door as before.",
    Purpose.RENEW: "You did not agree, so nothing was changed; your PIN or card opens the door as before.",
}
DECLINED_AGAIN = (
    "You did not agree, so nothing was changed: the face that is kept stays as it was, and your PIN or card opens the "
    "door as before."
)
STOPPED_ENROLMENT = "Stopped; nothing is stored of an enrolment that was not finished."
STOPPED_AGAIN = (
    "Stopped; nothing is stored of a sitting that was not finished, and the face that is kept stays as it was."
)
SIGNED_BUT_NOT_ENDED = (
    "The door signed what follows, but did not say how the act ended; `doorctl status` says whether it is well."
)
REKEYS = (
    "This gives every face stored here a new key and turns every template by a new secret. Nobody has to enrol again, "
    "and PINs and cards are not touched."
)
BUSY = "The door is serving somebody else; try again in a minute."
NOT_JOINED = (
    "This door has not joined a manager yet, so nothing opens and its parts wait. Whoever looks after the doors makes "
    "a label (`doorward label new`); then run `sudo doorctl join --label FILE` here."
)
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
    Hint.UNCOVER_YOUR_FACE: "Please uncover your face for a moment: no mask and no scarf over mouth and nose.",
    Hint.COVER_YOUR_FACE: "Please cover mouth and nose as you will at the door; the eyes stay free.",
    Hint.LOOKS_LIKE_ANOTHER: "Your face is close to one that is enrolled here; nobody is told whose. The door may take "
    "one of you for the other. You may stop here (Ctrl-C) and nothing is stored: PIN and card work without a face.",
}

_DONE = {
    Purpose.ENROL: "Your face is enrolled. Your PIN or card works as before.",
    Purpose.ERASE: "Your face is erased. Your PIN or card works as before.",
    Purpose.PAUSE: "Your face is paused: it opens nothing until you resume it.",
    Purpose.RESUME: "Your face opens again; if the notice has changed since you agreed, `doorctl renew` as well.",
    Purpose.RENEW: "You have agreed to the notice as it is now, and your face is kept under it.",
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
    Result.FAULT: "The door could not do it, whole or not at all: perhaps its disk is full, or a part of it is away, "
    "which `doorctl status` says; please try again.",
    Result.STALE: "That permission has ended; nothing was changed, please type it again.",
    Result.UNSIGNED: "The door refused the request as unsigned; nothing was changed.",
    Result.WRONG_DOOR: "The request was for another door; nothing was changed.",
    Result.UNEQUAL: "The door took the request for a policy and refused it; nothing was changed.",
    Result.RETIRED: "This door has ended: nothing of anybody is kept here any more.",
    Result.COVERED_OTHERWISE: "The camera saw mouth and nose covered in a bare enrolment, or bare in a covered one; "
    "nothing was stored: try again with nothing over them, or covered all the time with `doorctl enrol --covered`.",
    Result.NO_FACE: "No face is kept here to which this sitting could be added, so nothing was changed: if there is "
    "none, enrol without --again; if it sleeps, `doorctl renew` first; if it is a child's, say --under-14.",
    Result.UNLIKE: "This sitting is not enough like the face that is kept, so it was forgotten, and that face stays as "
    "it was; try again in a better light, or erase that face and enrol anew.",
    Result.ENOUGH_SITTINGS: "The face that is kept has as many sittings as a face may have, and stays as it was; if "
    "the door still refuses you often, erase it and enrol anew.",
    Result.OTHER_TERMS: "The notice has changed since it was shown, so nothing was stored; read it again and, if you "
    "still agree, start again; should the door say this once more, whoever looks after it has to restart it.",
}
# What another sitting says otherwise than an enrolment: a face is kept, and whatever goes wrong, it stays as it was.
_AGAIN = {
    Result.DONE: "This sitting is added to your face, and its consent record takes the place of your earlier one. Your "
    "PIN or card works as before.",
    Result.NO_CREDENTIAL: "A face needs a working PIN or card beside it; set a PIN first, and until then the face that "
    "is kept stays as it was.",
    Result.TOO_FEW_FRAMES: "The camera got too few good pictures; the face that is kept stays as it was, please try "
    "again.",
    Result.FRAMES_DISAGREE: "The pictures did not show one and the same face; the face that is kept stays as it was, "
    "please try again.",
    Result.UNCONFIRMED: "The PIN was not shown again, so nothing was added, and the face that is kept stays as it was; "
    "please try again.",
    Result.COVERED_OTHERWISE: "A covered and a bare sitting are never put together, and this one was not as the face "
    "that is kept was enrolled; that face stays as it was: come as you enrolled then, with --covered if you enrolled "
    "covered and without it if bare, or, to be known the other way from now on, `doorctl erase` and enrol anew.",
    Result.OTHER_TERMS: "The notice has changed since it was shown, so nothing was added, and the face that is kept "
    "stays as it was; read it again and, if you still agree, start again.",
}
_REKEYED = {
    Result.DONE: "Every face that could be read has a new key and is turned by a new secret.",
    Result.NOTHING_TO_DO: "No face is stored here, so there was nothing to give a new key.",
    Result.BUSY: "The door is serving somebody else, or has renewed its keys just now; try again in a minute.",
    Result.FAULT: "The door did not say that it is done: either every face has its new key or every one has its old "
    "one; `doorctl status` says what is away, then try again.",
}
_ENDS = {
    Result.DONE: "The door has ended. No PIN, card or face opens it any more; the mechanical key does.",
    Result.RETIRED: "This door has ended already.",
    Result.NO_GRANT: "Nobody has shown a PIN for this in the last minute: somebody who lives here types 011 #, their "
    "flat number, #, their PIN, # at the keypad. Without that only a door at which no place is taken can be ended.",
    Result.WRONG_DOOR: "That is not the id of this door; nothing was changed.",
    Result.FAULT: "The door could not write down that it ends, so it has not ended: perhaps its disk is full, or lock "
    "is away, which `doorctl status` says.",
}
NO_RECEIPT_YET = (
    "The door has ended and destroys what it kept, but its receipt is not signed yet: `doorctl retire` gives it once "
    "it is. If that takes longer than a few minutes, the journal of vault and keeper says why."
)
END_KEYPAD = "Somebody who lives here now types at the keypad: 011 #, their flat number, #, their PIN, #."
_DOCUMENTS = {
    Result.DONE: "The document is applied; the door is at version {version}.",
    Result.STALE: "The document is not newer than what the door has (version {version}); nothing was changed.",
    Result.UNSIGNED: "The document is damaged, sealed to another key than this door's, or not signed by this door's "
    "manager; nothing was changed, and `doorctl export-identity` shows the door's key for the manager to compare.",
    Result.MALFORMED: "The file is no document this door understands: it takes those that its manager made and sealed "
    "to it, and no others; nothing was changed.",
    Result.UNEQUAL: "This policy would open the door by face at an hour at which PIN and card do not, and the door "
    "refuses that whoever signs it; nothing was changed, and the journal of lock names the first such minute.",
    Result.BUSY: "The door is applying another document; try again in a minute.",
    Result.WRONG_DOOR: "The document is for another door; nothing was changed.",
    Result.RETIRED: "This door has ended, and it is too late for any document, also for one that takes the end back.",
    Result.FAULT: "The door could not store the document and is still at version {version}; try again.",
}
KEY_PLACES = {
    KeyPlace.FILE_HOST_KEY: "a file, under a root key that is sealed with systemd's host key",
    KeyPlace.FILE_TPM2_CREDENTIAL: "a file, under a root key that is sealed by the board's TPM",
    KeyPlace.TPM_NV: "the own memory of the board's TPM",
}
_ALARMS = {
    AlarmBits.FORCED_OPEN: "forced open",
    AlarmBits.HELD_OPEN: "held open",
    AlarmBits.TAMPER: "tamper",
    AlarmBits.BREACH: "breach",
    AlarmBits.BOLT_FAULT: "bolt fault",
}


def act_sentence(purpose: Purpose, result: Result, *, again: bool = False) -> str:
    """How a personal act ended. `again`: it was another sitting."""
    if again and result in _AGAIN:
        return _AGAIN[result]
    if result is Result.DONE:
        return _DONE[purpose]
    if result is Result.NO_GRANT:
        keypad = KEYPAD[purpose][:1].lower() + KEYPAD[purpose][1:]
        return f"Nobody has shown a PIN for this in the last minute; {keypad}"
    return _ACTS[result]


def rekey_sentence(result: Result) -> str:
    """How a rekey ended."""
    return _REKEYED.get(result, "The door refused to renew its keys; nothing was changed.")


def document_sentence(result: Result, version: int) -> str:
    """What became of a document; `version` is the newest one applied."""
    other = "The door refused the document; nothing was changed."
    return _DOCUMENTS.get(result, other).format(version=version)


def end_sentence(result: Result) -> str:
    """What became of the wish to end the door."""
    return _ENDS.get(result, "The door is serving somebody else, or did not understand; nothing was changed.")


def ending_sentence(status: DoorStatus) -> str:
    """Whether the door is to end, for a person; empty if not."""
    if status.ending is Ending.RETIRED:
        return "This door has ended: no PIN, card or face opens it any more; `doorctl retire` gives its receipt."
    if status.ending is Ending.ANNOUNCED:
        hours = -(-status.ends_in_s // 3600)
        return (
            f"This door ends after at most {hours} more hours of running: no PIN, card or face opens it then. Its "
            "manager can take that back until then."
        )
    return ""


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
        "document_key": status.document_key.hex(),
        "ending": status.ending.name.lower(),
        "ends_in_s": status.ends_in_s,
    }


def status_sentence(status: DoorStatus) -> str:
    """The status for a person, one line a thing, the verdict first."""
    away = [name for name, up in rooms(status).items() if not up]
    verdict = "Every room of the door is up." if not away else f"Away: {', '.join(away)}."
    facts = status_facts(status)
    standing = ", ".join(alarms(status)) or "none"
    lines = (
        verdict,
        f"camera   {facts['camera']}",
        f"alarms   {standing}",
        f"policy   version {facts['policy_version']}",
        ending_sentence(status),
    )
    return "\n".join(line for line in lines if line)
