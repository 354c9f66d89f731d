"""Everything that can go wrong, under two roots.

Rules kept here:
- A `Refusal` is the door saying no to something it was given: a file, a message, a setting, a digit. It carries one
  sentence for a person and changes nothing.
- A `Fault` is a part that does not do its job: a camera that times out, a disk that is full. It may be repaired or
  restarted; it never opens anything.
- Every error is also the stdlib type a reader would expect, so that callers may catch either.
- No message holds a slot, a digit somebody typed, a score, a key or a picture.
"""


class Refusal(Exception):
    """The door refuses an input; the message is one sentence for the person who gave it."""


class Fault(Exception):
    """A part of the door does not work; the message says which part and what was tried."""


class ConfigRefused(Refusal, ValueError):
    """door.toml holds an unknown key, a value out of bounds, or is no TOML."""


class NotJoined(ConfigRefused):
    """The door has no id yet: nobody has brought it the label of its manager."""


class MessageRefused(Refusal, ValueError):
    """Bytes from another process are no message of ours: wrong size, type, version or value."""


class NotPermitted(Refusal, PermissionError):
    """A well-formed message came from the wrong sender or at the wrong moment."""


class ModelRefused(Refusal, ValueError):
    """A model file is not the one the manifest names, or has an output nobody declared."""


class PictureRefused(Refusal, ValueError):
    """A file that should hold a picture does not, or holds one of an unusable size."""


class RecordRefused(Refusal, ValueError):
    """A sealed record is torn, foreign, swapped or made for another model."""


class EnrolmentRefused(Refusal, ValueError):
    """An enrolment cannot be finished: frames disagree, grant used, no credential to fall back on."""


class CredentialRefused(Refusal, ValueError):
    """A PIN, code or invitation cannot be set: too short, too common, used up."""


class DocumentRefused(Refusal, ValueError):
    """A signed document is unsigned, foreign, older than one already applied, or malformed."""


class JoiningRefused(Refusal, ValueError):
    """A label, or a request, an answer or a certificate after it, is damaged, too old or not for this door."""


class AttestationRefused(Refusal, ValueError):
    """A consent record or a receipt is forged, damaged, of another door, or none."""


class CameraFault(Fault, OSError):
    """The camera gave no fresh frame in time, or is not there."""


class BoltFault(Fault, OSError):
    """The line to the strike cannot be claimed or driven."""


class KeyFault(Fault, OSError):
    """A key is missing, has the wrong length or cannot be read."""


class StoreFault(Fault, OSError):
    """A file of the state directory cannot be read, written or synced."""


class BrokerFault(Fault, OSError):
    """The broker cannot be reached or refuses the door."""
