"""The lists of values that messages hold. One byte each; a value that is not listed is refused.

Rules kept here:
- A number is never given a second meaning: what falls away leaves a gap.
- docs/formats.md lists them all.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag, unique


@unique
class LookMode(IntEnum):
    """What eye is asked to do with the window."""

    RECOGNISE = 1
    ENROL = 2
    ENROL_COVERED = 3  # of somebody who has said that mouth and nose are covered; anybody else is prompted

    @property
    def enrols(self) -> bool:
        """Whether somebody enrols."""
        return self is not LookMode.RECOGNISE


@unique
class CameraCondition(IntEnum):
    """What eye says about the camera."""

    IDLE = 1
    STREAMING = 2
    FAULT = 3


@unique
class Hint(IntEnum):
    """What the person in front of the camera could do; never how close they came to being recognised."""

    NOBODY = 1
    COME_CLOSER = 2
    STEP_BACK = 3
    TOO_DARK = 4
    TOO_BRIGHT = 5
    HOLD_STILL = 6
    LOOK_AT_CAMERA = 7
    ONE_PERSON_ONLY = 8
    TURN_A_LITTLE = 9
    CONFIRM_WITH_PIN = 10
    UNCOVER_YOUR_FACE = 11
    LOOKS_LIKE_ANOTHER = 12  # vault's alone, in an enrolment: too close to somebody who is enrolled; never who
    COVER_YOUR_FACE = 13  # only to whoever has said that they enrol covered


@unique
class Attack(IntEnum):
    """Eye's verdict on a presentation attack. NOT_TESTED says that no liveness module looked."""

    NOT_TESTED = 0
    BONA_FIDE = 1
    PRESENTATION = 2
    INCONCLUSIVE = 3
    MOVED = 4  # a solid face turned where it was asked to: it names a flat, and opens nothing by itself


@unique
class Facing(IntEnum):
    """Where a face is turned to, as the person says it: their own left and right."""

    LEFT = 0
    MIDDLE = 1
    RIGHT = 2


@unique
class Outcome(IntEnum):
    """What a credential check can say."""

    REFUSED = 0
    ACCEPTED = 1
    WITH_PIN = 2  # vault only: known, but this face opens nothing without the PIN
    DURESS = 3  # keeper only: accepted in every respect, and whoever typed it calls for help
    USED = 4  # keeper only: refused, and right before: an invitation that has set a PIN, a PIN that an offer cancelled


@unique
class Purpose(IntEnum):
    """What a grant may be used for; each is one personal act, but for PAGE."""

    ENROL = 1
    ERASE = 2
    PAUSE = 3
    RESUME = 4
    RENEW = 5
    PAGE = 6  # a sitting at the resident's page: any of the others, for as long as it lasts


@unique
class HeldFace(IntEnum):
    """What is held of somebody's face, as they may know it."""

    NONE = 0
    AWAKE = 1
    PAUSED = 2
    OTHER_TERMS = 3  # it sleeps until they agree to the terms in force
    ASLEEP = 4  # it sleeps: no PIN or card of theirs works, or their place has ended
    UNREADABLE = 5  # something lies there that opens nothing and can be erased


@unique
class Proof(IntEnum):
    """What somebody shows in order to set a secret."""

    INVITATION = 1
    PIN = 2


@unique
class CardChange(IntEnum):
    """What somebody does about their cards; keeper's alone, so no grant is made for it."""

    ADD = 1  # the next card that is shown
    CANCEL_ALL = 2


@unique
class Secret(IntEnum):
    """What is set. An invitation sets the PIN and nothing else."""

    PIN = 1
    DURESS = 2  # a second PIN, which opens alike and calls for help
    GUESTS = 3  # from which the resident's guest codes are made (docs/codes.md)


@unique
class Result(IntEnum):
    """How a personal act or a document ended."""

    DONE = 0
    REFUSED = 1
    NO_GRANT = 2
    NO_CREDENTIAL = 3
    NOTHING_TO_DO = 4
    SLOT_TAKEN = 5
    TOO_FEW_FRAMES = 6
    FRAMES_DISAGREE = 7
    FAULT = 8
    STALE = 9
    UNSIGNED = 10
    WRONG_DOOR = 11
    BUSY = 12
    MALFORMED = 13
    CONFIRM = 14  # an enrolment window is over and gave a face; it is kept once the same slot's PIN is shown again
    UNCONFIRMED = 15
    OTHER_TERMS = 16  # the consent is not to the terms in force
    UNEQUAL = 17  # a policy in which some hour opens by face but not by PIN and card
    RETIRED = 18  # the door has ended: nothing is applied to it any more, and nothing takes that back
    COVERED_OTHERWISE = (
        19  # mouth and nose were covered where a bare face was declared, or bare where a covered one was
    )
    NO_FACE = 20  # no face of this slot is kept to which such a sitting could be added
    UNLIKE = 21  # the new sitting is not alike enough to the face that is kept; that one stays as it was
    ENOUGH_SITTINGS = 22  # the face that is kept has as many sittings as one may have; it stays as it was


@unique
class OccurrenceKind(IntEnum):
    """What report may hear: the health of the door. An unlock is not among them (ADR 0004)."""

    STARTED = 1
    CAMERA_FAULT = 2
    CAMERA_WELL = 3
    VAULT_GONE = 4
    VAULT_BACK = 5
    KEEPER_GONE = 6
    KEEPER_BACK = 7
    FORCED_OPEN = 8
    HELD_OPEN = 9
    TAMPER = 10
    BREACH = 11
    BOLT_FAULT = 12
    ALARM_CLEARED = 13
    DURESS = 14  # never among the alarms that stand at the door: whoever forces somebody would see it there
    LOCKOUT = 15  # so many wrong attempts that keeper makes everybody wait, or one flat; never which
    RETIRED = 16  # the door has ended for good; told once to each report process


@unique
class Ending(IntEnum):
    """Whether the door is to be given up for good."""

    NONE = 0
    ANNOUNCED = 1  # a signed document says so; it works as before until its time has run
    RETIRED = 2  # no PIN, card or face opens it ever again


@unique
class Profile(IntEnum):
    """What the door tells by itself, as its manager has signed it (ADR 0017)."""

    BUILDING = 1  # its health, and nothing that follows from coming and going
    HOME = 2  # and whether it is locked and shut, live: for one's own home


class AlarmBits(IntFlag):
    """What stands, in DoorStatus."""

    FORCED_OPEN = 1
    HELD_OPEN = 2
    TAMPER = 4
    BREACH = 8
    BOLT_FAULT = 16
