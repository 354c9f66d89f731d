"""The steps of joining at the door: read a label, take it in, ask, take in the answer.

Rules kept here:
- A door that has joined takes no second label. Another manager is a matter of retiring, not of a file.
- Everything is judged before the first file is written: a damaged or expired label, and one that says otherwise than
  door.toml, change nothing.
- joined.toml is written last. Until then the door has not joined, and the same label may be tried again.
- No message holds the label or a part of it.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from device import certificates, config, installing
from device.desk.joining.owner import as_owner
from device.edges import Room
from device.errors import ConfigRefused, JoiningRefused, StoreFault
from device.installing import Joining
from device.joining import HOUR_S, LARGEST_LABEL_TEXT, Answer, Label, Request, claim_key
from device.paths import Paths
from device.policy.clock import Clock

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
        return installing.joined(self.paths.config).exists()

    @property
    def believed_unix(self) -> int | None:
        """The time, None if the clock says what cannot be."""
        return Clock().read(int(self.now_unix))[1]

    def take(self, label: Label) -> None:
        """Make this the door of `label`. Raises JoiningRefused, ConfigRefused or StoreFault."""
        if self.joined:
            msg = "this door has joined already; a door takes one label"
            raise JoiningRefused(msg)
        now = self.believed_unix
        if now is not None and label.expired(now):
            ended = datetime.fromtimestamp(label.expires_hour * HOUR_S, UTC)
            clock = datetime.fromtimestamp(now, UTC)
            msg = f"the label ended on {ended:%Y-%m-%d at %H:%M} UTC, and this door's clock says {clock:%Y-%m-%d %H:%M}"
            raise JoiningRefused(msg)
        learned = installing.settings(label)
        config.parse(self._door_toml(), learned)  # what could not be read afterwards is refused now
        state = self.paths.state(Room.REPORT)
        with as_owner(state):
            Joining(state).prepare(label)
        installing.store(installing.joined(self.paths.config), learned.encode("ascii"))

    def request(self, document_key: bytes) -> bytes:
        """What the door asks its manager; `document_key` is lock's. Raises JoiningRefused or StoreFault."""
        with as_owner(self.paths.state(Room.REPORT)):
            label, key = self.files.label(), self.files.key()
        if label is None:
            msg = "this door has no label (any more), so there is nothing to ask with"
            raise JoiningRefused(msg)
        asked = Request(label.door_id, document_key, certificates.ask(key, label.door_id))
        return asked.pack(claim_key(label.secret))

    def public(self) -> bytes:
        """The public half of the door's key for the broker. Raises JoiningRefused or StoreFault."""
        with as_owner(self.paths.state(Room.REPORT)):
            return certificates.public_part(self.files.key())

    def waits(self) -> bool:
        """Whether the answer is still to come."""
        with as_owner(self.paths.state(Room.REPORT)):
            return self.files.label() is not None

    def install(self, data: bytes) -> x509.Certificate | None:
        """Take in an answer; None if it holds no certificate. Raises JoiningRefused, ConfigRefused or StoreFault."""
        door_id = bytes.fromhex(config.load(self.paths.config).door.id)
        answer = Answer.read(data)
        with as_owner(self.paths.state(Room.REPORT)):
            return self.files.install(answer, door_id, self.believed_unix)

    def _door_toml(self) -> str:
        try:
            return self.paths.config.read_text(encoding="utf-8")
        except FileNotFoundError as cause:
            msg = f"there is no configuration at {self.paths.config}"
            raise ConfigRefused(msg) from cause
        except (OSError, UnicodeDecodeError) as cause:
            msg = f"the configuration at {self.paths.config} cannot be read: {cause}"
            raise ConfigRefused(msg) from cause


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
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as cause:
        msg = f"{path} cannot be read: {cause.strerror}"
        raise JoiningRefused(msg) from cause
    if len(content) > most:
        msg = f"{path} is too long for what it should hold"
        raise JoiningRefused(msg)
    return content
