"""The steps of joining at the door: read a label, take it in, ask, take in the answer.

Rules kept here:
- A door that has joined takes no label of another door, manager or broker. Another manager is a matter of retiring, not
  of a file. Another label for itself it takes when the certificate it has is of no use: ended, damaged, without its
  key, or never come because the label before was over. What works is never put at stake.
- Everything is judged before the first file is written: a damaged or expired label, and one that says otherwise than
  door.toml, change nothing.
- joined.toml is written last but for its copy. Until then the door has not joined, and the same label may be tried
  again. The copy may be missing: the next `doorctl join` makes it.
- No message holds the label or a part of it.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from device import certificates, config, installing, learned, reading
from device.desk.joining.owner import as_owner
from device.edges import Room
from device.errors import ConfigRefused, JoiningRefused, NotJoined, StoreFault
from device.installing import Joining
from device.joining import HOUR_S, LARGEST_LABEL_TEXT, Answer, Label, Request, claim_key
from device.learned import Kept
from device.paths import Paths
from device.policy.clock import Clock

_ASK = "`doorctl join --out FILE` writes the question for one, which `doorward door renew` answers"
LARGEST_ANSWER = 8192  # twice the longest


@dataclass(frozen=True, slots=True)
class AtTheDoor:
    """The joining of the door below `paths`; `now_unix` as its clock says."""

    paths: Paths
    now_unix: float

    @classmethod
    def here(cls, paths: Paths) -> AtTheDoor:
        """By the clock of this machine."""
        return cls(paths, time.time())

    @property
    def files(self) -> Joining:
        """What report keeps of it."""
        return Joining(self.paths.state(Room.REPORT))

    @property
    def joined(self) -> bool:
        """Whether a label was taken in."""
        return learned.joined(self.paths.config)

    @property
    def believed_unix(self) -> int | None:
        """The time, None if the clock says what cannot be."""
        return Clock().read(int(self.now_unix))[1]

    def take(self, label: Label) -> None:
        """Make this the door of `label`. Raises JoiningRefused, ConfigRefused or StoreFault."""
        again = self.joined
        if again:
            self._refuse_needless(label)
        now = self.believed_unix
        if now is not None and label.expired(now):
            ended = datetime.fromtimestamp(label.expires_hour * HOUR_S, UTC)
            clock = datetime.fromtimestamp(now, UTC)
            msg = f"the label ended on {ended:%Y-%m-%d at %H:%M} UTC, and this door's clock says {clock:%Y-%m-%d %H:%M}"
            raise JoiningRefused(msg)
        settings = installing.settings(label)
        config.parse(self._door_toml(), settings)  # what could not be read afterwards is refused now
        state = self.paths.state(Room.REPORT)
        with as_owner(state):
            if again:
                Joining(state).again(label)
            else:
                Joining(state).prepare(label)
        if not again:  # what it says stands there already, and nothing of it may get lost now
            installing.store(installing.joined(self.paths.config), settings.encode("ascii"))

    def mend(self) -> str:
        """Make joined.toml and its copy alike; what a person should know of it, empty if nothing."""
        try:
            found = installing.mend(self.paths.config)
        except StoreFault as fault:
            return f"{fault}; so what this door learned when it joined stands in one file only"
        except ConfigRefused:
            return ""  # whoever reads the settings for more than this says so
        return "joined.toml was lost or damaged, and was put back from its copy." if found is Kept.COPY_COUNTS else ""

    def _refuse_needless(self, label: Label) -> None:
        """Raise JoiningRefused unless `label` is this door's own, and the door needs one."""
        known = config.load(self.paths.config)
        if label.door_id.hex() != known.door.id:
            msg = (
                f"this door has joined already, as {known.door.id}, and the label is for the door {label.door_id.hex()}"
            )
            raise JoiningRefused(msg)
        if (label.manager_key.hex(), label.broker) != (known.door.manager_key, known.report.broker):
            msg = (
                "this door has joined already, and the label names another manager's key or another broker than the "
                "door's configuration; if the new ones are right, write them into joined.toml first"
            )
            raise JoiningRefused(msg)
        with as_owner(self.paths.state(Room.REPORT)):
            waiting, works = self._waiting(), self.files.works(self.believed_unix)
        if waiting == label:
            msg = "this door has joined already, with this very label; `doorctl join` alone shows what to compare"
            raise JoiningRefused(msg)
        if works or (waiting is None and not label.authority):
            msg = "this door has joined already, and takes another label only when its certificate is of no use"
            raise JoiningRefused(msg)

    def _waiting(self) -> Label | None:
        try:
            return self.files.label()
        except JoiningRefused:
            return None  # damaged: another one is what helps

    def request(self, document_key: bytes) -> bytes:
        """What the door asks its manager; `document_key` is lock's. Raises JoiningRefused or StoreFault.

        With a label it is the request to join. Without one it is the question for the next certificate (PKCS #10, DER),
        for the door whose own has ended, so that the broker does not let it in to ask.
        """
        with as_owner(self.paths.state(Room.REPORT)):
            label, key, authority = self.files.label(), self.files.key(), self.files.authority()
        if label is not None:
            asked = Request(label.door_id, document_key, certificates.ask(key, label.door_id))
            return asked.pack(claim_key(label.secret))
        if not authority:
            msg = "this door has no label any more, and without a broker it needs no certificate either"
            raise JoiningRefused(msg)
        return certificates.ask(key, bytes.fromhex(config.load(self.paths.config).door.id))

    def public(self) -> bytes:
        """The public half of the door's key for the broker. Raises JoiningRefused or StoreFault."""
        with as_owner(self.paths.state(Room.REPORT)):
            return certificates.public_part(self.files.key())

    def waits(self) -> bool:
        """Whether the answer is still to come."""
        with as_owner(self.paths.state(Room.REPORT)):
            return self.files.label() is not None

    def certificate(self) -> x509.Certificate | None:
        """The door's certificate, None if it has none. Raises JoiningRefused or StoreFault."""
        with as_owner(self.paths.state(Room.REPORT)):
            return self.files.certificate()

    def ended(self, certificate: x509.Certificate) -> bool:
        """Whether it is over, by a clock to be believed."""
        now = self.believed_unix
        return now is not None and certificates.ended(certificate, now)

    def install(self, data: bytes) -> x509.Certificate | None:
        """Take in an answer; None if it holds no certificate. Raises JoiningRefused, ConfigRefused or StoreFault."""
        door_id = bytes.fromhex(config.load(self.paths.config).door.id)
        answer = Answer.read(data)
        with as_owner(self.paths.state(Room.REPORT)):
            return self.files.install(answer, door_id, self.believed_unix)

    def _door_toml(self) -> str:
        try:
            return reading.text(self.paths.config, learned.LARGEST_TEXT)
        except FileNotFoundError as cause:
            msg = f"there is no configuration at {self.paths.config}; `doorctl setup` makes one"
            raise ConfigRefused(msg) from cause
        except (OSError, UnicodeDecodeError) as cause:
            msg = f"the configuration at {self.paths.config} cannot be read: {cause}"
            raise ConfigRefused(msg) from cause


def has_id(door: AtTheDoor) -> bool:
    """False if this door has to join before its rooms start; one that is wrong in another way has its own sentence."""
    try:
        config.load(door.paths.config)
    except NotJoined:
        return False
    except ConfigRefused:
        return True
    return True


def lacks(door: AtTheDoor) -> str:
    """What a person should know of the certificate of a door with a broker; empty if it is good, or cannot be seen."""
    try:
        if not config.load(door.paths.config).report.broker.startswith("mqtts:") or door.waits():
            return ""
        found = door.certificate()
    except StoreFault:
        return ""  # who asks is not root
    except JoiningRefused:
        return f"The door's label or certificate for the broker is damaged, and nothing is told to the manager; {_ASK}."
    except ConfigRefused:
        return ""  # whoever reads the settings for more than this says so
    if found is None:
        return f"The door has no certificate for the broker, and nothing is told to the manager; {_ASK}."
    if door.ended(found):
        ended = f"{found.not_valid_after_utc:%Y-%m-%d}"
        return f"The door's certificate ended on {ended}, and nothing is told to the manager; {_ASK}."
    return ""


def unlike(door: AtTheDoor) -> str:
    """What a person should know of joined.toml and its copy; empty if they are alike, or there is none."""
    try:
        kept = learned.read(door.paths.config).kept
    except ConfigRefused:
        return ""
    if kept is Kept.COPY_COUNTS:
        return "joined.toml is lost or damaged, and the door lives by its copy; `sudo doorctl join` puts it back."
    if kept is Kept.COPY_LACKS:
        return "joined.toml has no copy that says the same; `sudo doorctl join` makes one."
    return ""


def read_label(path: Path) -> Label:
    """The label in the file `path`. Raises JoiningRefused."""
    return Label.read(_read(path, LARGEST_LABEL_TEXT).decode("utf-8", "replace"))


def read_answer(path: Path) -> bytes:
    """What lies in the file `path`. Raises JoiningRefused."""
    return _read(path, LARGEST_ANSWER)


def write_request(path: Path, content: bytes) -> None:
    """A new file at `path`. Raises StoreFault; nothing is replaced."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except FileExistsError as cause:
        msg = f"{path} exists already and is not replaced"
        raise StoreFault(msg) from cause
    except OSError as cause:
        msg = f"{path} cannot be written: {cause.strerror}"
        raise StoreFault(msg) from cause
    try:
        with open(file, "wb") as opened:  # noqa: PTH123 - a descriptor that was opened with care
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as cause:
        path.unlink(missing_ok=True)
        msg = f"{path} cannot be written: {cause.strerror}"
        raise StoreFault(msg) from cause


def _read(path: Path, most: int) -> bytes:
    return reading.within(path, most, JoiningRefused, f"{path} is too long for what it should hold")
