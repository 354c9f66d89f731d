"""What joining leaves in report's folder: made by `doorctl join`, finished by whoever brings the answer.

Rules kept here:
- A file is whole or not there, and on the disk before anybody relies on it: written beside, synced, renamed.
- The order is the order of trust. Key, authority and label come first and mean nothing yet; joined.toml, beside
  door.toml, makes the door a manager's (`joined`); the certificate comes last, judged by key and authority. Cut off
  anywhere, the door has joined or it has not, and the same step may be done again.
- A certificate that is not believed changes no file; the old one works on until the new one is in its place.
- The authority's own certificate is followed by one of the same key and name that lasts longer, if it comes with a
  certificate that the door takes; never by one that ends earlier. It is written first: with either of them the old
  certificate works on, and so does the new one, so a power cut between the two leaves a door that works.
- joined.toml has a copy, for the day on which it is lost or torn (`device.learned`); whoever joins makes it, and
  `mend` makes the two alike again.
- The label with its secret is gone as soon as the certificate is there.
- A certificate that a clock to be believed calls one of the future is not taken: nobody would let the door in with it,
  and every right one ends before it. One that is there already stands in the way of no other.
- Key and label can be read by their owner alone.

Files below report's state folder: `tls/door.key`, `tls/ca.pem`, `tls/door.pem`, `join/label`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from device import certificates, durable, learned, reading
from device.certificates import DoorKey
from device.errors import JoiningRefused, StoreFault
from device.joining import Answer, Label
from device.learned import COPY, JOINED, Kept

KEY, AUTHORITY, CERTIFICATE = "door.key", "ca.pem", "door.pem"
_PRIVATE, _PUBLIC = 0o600, 0o644
_LARGEST = 65536


@dataclass(frozen=True, slots=True)
class Joining:
    """What the door knows of its joining, in report's state folder `state`."""

    state: Path

    @property
    def tls(self) -> Path:
        """Where key and certificates lie."""
        return self.state / "tls"

    @property
    def _label(self) -> Path:
        return self.state / "join" / "label"

    def prepare(self, label: Label) -> None:
        """A new key, the label's authority, the label. Raises StoreFault, or JoiningRefused if there is a certificate.

        What a try before left behind is replaced; the door has not joined by any of it.
        """
        if (self.tls / CERTIFICATE).exists():
            msg = f"there is a certificate in {self.tls} already; put that folder aside if it is of no use any more"
            raise JoiningRefused(msg)
        store(self.tls / KEY, certificates.key_to_pem(certificates.new_key()), _PRIVATE)
        if label.authority:
            store(self.tls / AUTHORITY, certificates.to_pem(label.authority), _PUBLIC)
        else:
            _remove(self.tls / AUTHORITY)  # of a label before: with it, no answer to this one would be believed
        store(self._label, label.text().encode("ascii"), _PRIVATE)

    def works(self, now_unix: float | None) -> bool:
        """Whether the door has a certificate that has not ended, and its key. Raises StoreFault."""
        try:
            found = self.certificate()
            if found is None or certificates.key_of(found) != certificates.public_part(self.key()):
                return False
        except JoiningRefused:
            return False
        except StoreFault:
            if (self.tls / KEY).exists():
                raise
            return False
        return now_unix is None or not certificates.ended(found, now_unix)

    def again(self, label: Label) -> None:
        """As `prepare`, for a door that has joined and has no certificate that `works`: what is there is of no use.

        Raises StoreFault or JoiningRefused.
        """
        _remove(self.tls / CERTIFICATE)
        self.prepare(label)

    def authority(self) -> bytes:
        """The authority (DER) that the label named, empty without one. Raises StoreFault or JoiningRefused."""
        known = _read(self.tls / AUTHORITY)
        return certificates.to_der(certificates.certificate_from_pem(known)) if known is not None else b""

    def label(self) -> Label | None:
        """The label, while the door waits for its certificate. Raises StoreFault or JoiningRefused."""
        text = _read(self._label)
        if text is None:
            return None
        return Label.read(text.decode("ascii", "replace"))

    def key(self) -> DoorKey:
        """The door's private key. Raises StoreFault or JoiningRefused."""
        content = _read(self.tls / KEY)
        if content is None:
            msg = f"there is no key in {self.tls}; a door that has joined has one"
            raise StoreFault(msg)
        return certificates.key_from_pem(content)

    def certificate(self) -> x509.Certificate | None:
        """The door's certificate, None before there is one. Raises StoreFault or JoiningRefused."""
        content = _read(self.tls / CERTIFICATE)
        return None if content is None else certificates.certificate_from_pem(content)

    def judge(self, answer: Answer, door_id: bytes, now_unix: float | None) -> x509.Certificate:
        """The certificate in `answer`, if this door believes it; `now_unix` None: there is no clock to believe.

        Raises JoiningRefused or StoreFault.
        """
        public = certificates.public_part(self.key())
        authority = self.authority()
        if not authority:
            msg = "this door's label named no broker, so no certificate is its own"
            raise JoiningRefused(msg)
        found = answer.believed(door_id=door_id, public=public, authority=authority)
        if now_unix is not None:
            _refuse_other_times(found, now_unix)
        return found

    def install(self, answer: Answer, door_id: bytes, now_unix: float | None) -> x509.Certificate | None:
        """Take in the answer; None if it holds no certificate, as without a broker. As `judge`."""
        if answer.door_id != door_id:
            msg = "the answer is for another door"
            raise JoiningRefused(msg)
        if not answer.certificate and not (self.tls / AUTHORITY).exists():
            self.forget_label()
            return None
        found = self.judge(answer, door_id, now_unix)
        current = self._current(now_unix)
        if current is not None and found.not_valid_after_utc < current.not_valid_after_utc:
            msg = "the door has a certificate already that lasts longer than the one in the answer"
            raise JoiningRefused(msg)
        self._follow(answer.authority)
        if current != found:
            store(self.tls / CERTIFICATE, certificates.to_pem(answer.certificate), _PUBLIC)
        self.forget_label()
        return found

    def cut_short(self, found: x509.Certificate) -> bool:
        """Whether the certificate ends with the authority, and not by itself. Raises StoreFault or JoiningRefused."""
        known = self.authority()
        return bool(known) and found.not_valid_after_utc >= certificates.certificate_from_der(known).not_valid_after_utc

    def _follow(self, offered: bytes) -> None:
        """Keep the authority in an answer that is believed if it lasts longer than the one that is kept."""
        known = self.authority()
        following = certificates.refuse_foreign(offered, known)
        if following.not_valid_after_utc > certificates.certificate_from_der(known).not_valid_after_utc:
            store(self.tls / AUTHORITY, certificates.to_pem(offered), _PUBLIC)

    def forget_label(self) -> None:
        """The label is of no use any more. Raises StoreFault."""
        _remove(self._label)

    def certificate_or_none(self) -> x509.Certificate | None:
        """The certificate, None also for a damaged one: any is better. Raises StoreFault."""
        try:
            return self.certificate()
        except JoiningRefused:
            return None

    def _current(self, now_unix: float | None) -> x509.Certificate | None:
        """The certificate that another one has to outlast."""
        found = self.certificate_or_none()
        return None if found is None or (now_unix is not None and certificates.early(found, now_unix)) else found


def joined(config: Path) -> Path:
    """The file that makes a door a manager's, beside the door.toml at `config`."""
    return config.with_name(JOINED)


def mend(config: Path) -> Kept:
    """Make joined.toml and its copy alike, by the one that counts; what was found.

    Raises ConfigRefused if nothing of them can be read, or StoreFault.
    """
    found = learned.read(config)
    if found.kept is Kept.COPY_COUNTS:
        store(joined(config), found.text.encode("utf-8"))
    elif found.kept is Kept.COPY_LACKS and learned.whole(found.text):
        store(config.with_name(COPY), found.text.encode("utf-8"))
    return found.kept


def settings(label: Label) -> str:
    """What joined.toml says after `label`."""
    door, key = label.door_id.hex(), label.manager_key.hex()
    text = f'# Written by `doorctl join`.\n[door]\nid = "{door}"\nmanager_key = "{key}"\n'
    return text + (f'\n[report]\nbroker = "{label.broker}"\n' if label.broker else "")


def store(path: Path, content: bytes, mode: int = _PUBLIC) -> None:
    """Let `path` hold `content`, durably. Raises StoreFault; the old file then stands, and nothing lies beside it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        durable.replace(path, content, mode)
    except OSError as cause:
        msg = f"{path} cannot be written: {cause.strerror}"
        raise StoreFault(msg) from cause


def _refuse_other_times(found: x509.Certificate, now_unix: float) -> None:
    clock = f"{datetime.fromtimestamp(now_unix, UTC):%Y-%m-%d}"
    if certificates.ended(found, now_unix):
        msg = f"the certificate in the answer ended on {found.not_valid_after_utc:%Y-%m-%d}"
    elif certificates.early(found, now_unix):
        msg = f"the certificate in the answer begins on {found.not_valid_before_utc:%Y-%m-%d}"
    else:
        return
    msg += f", and this door's clock says {clock}: one of the two clocks, here or at the manager's, is wrong"
    raise JoiningRefused(msg)


def _remove(path: Path) -> None:
    try:
        durable.remove(path)
    except OSError as cause:
        msg = f"{path} cannot be removed: {cause.strerror}"
        raise StoreFault(msg) from cause


def _read(path: Path) -> bytes | None:
    try:
        content = reading.content(path, _LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as cause:
        msg = f"{path} cannot be read: {cause.strerror}"
        raise StoreFault(msg) from cause
    if len(content) > _LARGEST:
        msg = f"{path} is far too long for what it should hold"
        raise StoreFault(msg)
    return content
