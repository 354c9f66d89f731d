"""How a door becomes a manager's: the label it is given, the request it makes, the answer it gets. Formats only.

Rules kept here:
- Each has exactly one byte form: what `pack` would not write, reading refuses. Nothing follows, nothing is left out.
- Only the label holds a secret, and no error and no `repr` shows it. Request and answer may be read by anybody: the
  request proves that its maker has the label, the answer proves itself by the authority that stands on the label.
- A broker stands on a label together with the authority that vouches for it, or neither does.
- Who carries a request can keep it back, but not change it. That it is of the door one stands at, and not of somebody
  who copied the label, two people see by the fingerprint.
- No clock and no file here: when, where and whether are the callers' questions.

Numbers are little-endian. Hashes are BLAKE2b (RFC 7693) and SHA-256; docs/formats.md, "Label" and "Joining", has every
byte.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Self

from cryptography import x509
from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox

from device import certificates
from device.document import DOOR_ID_BYTES, KEY_BYTES
from device.errors import JoiningRefused

VERSION = 1
SECRET_BYTES = 16
CHECK_BYTES = 4
MAC_BYTES = 32
HOUR_S = 3600
LARGEST_CERTIFICATE = 1024
"""Bytes of a certificate or of a request for one: a label with one must fit a QR code that a telephone still reads."""
LARGEST_LABEL_TEXT = 4096
"""Characters, blanks included: more than the longest label takes."""

_PREFIX = "DW1:"
_REQUEST, _ANSWER = b"DWJR", b"DWJA"
_HOST = re.compile(r"[A-Za-z0-9_.:-]{1,255}")
_FINGERPRINT_PERSON = b"doorward joining"
_FINGERPRINT_BYTES = 10  # 80 bits, as `document.fingerprint`
_MOST_PORT = 65535
_MOST_HOURS = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Label:
    """What a manager hands to whoever mounts a door. `secret` is a secret until the label is used, revoked or over.

    `door_id` (8 bytes), `manager_key` (Ed25519, 32), `expires_hour` (hours since 1970), `authority`: the certificate
    (DER) of the fleet's authority, empty without a broker; then `host` is empty and the ports are 0. `claim_port` 0:
    there is a broker, but the door joins by file.
    """

    door_id: bytes
    secret: bytes = field(repr=False)
    manager_key: bytes
    expires_hour: int
    authority: bytes = field(default=b"", repr=False)
    host: str = ""
    port: int = 0
    claim_port: int = 0

    def __post_init__(self) -> None:
        _refuse_label(self)

    @property
    def broker(self) -> str:
        """The setting `[report] broker` that follows; empty without one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtts://{host}:{self.port}" if self.host else ""

    def expired(self, now_unix: float) -> bool:
        """Whether the label is over."""
        return now_unix >= self.expires_hour * HOUR_S

    def text(self) -> str:
        """The label as printed: capitals and digits, all of which a QR code's alphanumeric mode takes."""
        packed = _label_bytes(self)
        return _PREFIX + base64.b32encode(packed + _check(packed)).decode("ascii").rstrip("=")

    @classmethod
    def read(cls, text: str) -> Self:
        """The label in `text`; blanks, line ends and small letters do no harm. Raises JoiningRefused."""
        packed = _unchecked(text)
        rest = _Reader(packed, "the label")
        version = rest.number(1)
        if version != VERSION:
            msg = f"the label has version {version}; this door reads version {VERSION}"
            raise JoiningRefused(msg)
        door_id, secret, key = rest.take(DOOR_ID_BYTES), rest.take(SECRET_BYTES), rest.take(KEY_BYTES)
        expires, authority, host = rest.number(4), rest.blob(2), rest.blob(1)
        port, claim_port = rest.number(2), rest.number(2)
        rest.end()
        return cls(door_id, secret, key, expires, authority, host.decode("ascii", "replace"), port, claim_port)


@dataclass(frozen=True, slots=True)
class Request:
    """What a door with a label asks: seal to `document_key` (X25519, 32 bytes), and sign `csr` (PKCS #10, DER)."""

    door_id: bytes
    document_key: bytes
    csr: bytes

    def pack(self, key: bytes) -> bytes:
        """The bytes, under a MAC with `key` (`claim_key`). Raises JoiningRefused for what does not fit."""
        _refuse_request(self)
        content = _REQUEST + _number(VERSION, 1) + self.door_id + self.document_key + _blob(self.csr, 2)
        return content + _mac(content, key)

    @classmethod
    def read(cls, data: bytes, key: bytes) -> Self:
        """The request in `data`, made by somebody who has the label to `key`. Raises JoiningRefused."""
        rest, door_id = _head(data, _REQUEST, "the request")
        content, mac = data[:-MAC_BYTES], data[-MAC_BYTES:]
        if not hmac.compare_digest(_mac(content, key), mac):
            msg = "the request is damaged, or was made with another label than this door's"
            raise JoiningRefused(msg)
        document_key, csr = rest.take(KEY_BYTES), rest.blob(2)
        rest.take(MAC_BYTES)
        rest.end()
        request = cls(door_id, document_key, csr)
        _refuse_request(request)
        return request

    @property
    def public(self) -> bytes:
        """The key that the certificate will have, as SubjectPublicKeyInfo (DER). Raises JoiningRefused."""
        return certificates.key_asked_for(self.csr, self.door_id)

    @property
    def fingerprint(self) -> str:
        """What the person at the door and the person at the manager's compare: five groups of four digits."""
        return fingerprint(self.door_id, self.document_key, self.public)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a door gets: its `certificate` (DER) and the `authority` that signed it; both empty without a broker."""

    door_id: bytes
    certificate: bytes = b""
    authority: bytes = b""

    def pack(self) -> bytes:
        """The bytes. Raises JoiningRefused for what does not fit."""
        _refuse_answer(self)
        return _ANSWER + _number(VERSION, 1) + self.door_id + _blob(self.certificate, 2) + _blob(self.authority, 2)

    @classmethod
    def read(cls, data: bytes) -> Self:
        """The answer in `data`, not believed yet. Raises JoiningRefused."""
        rest, door_id = _head(data, _ANSWER, "the answer")
        certificate, authority = rest.blob(2), rest.blob(2)
        rest.end()
        answer = cls(door_id, certificate, authority)
        _refuse_answer(answer)
        return answer

    def believed(self, *, door_id: bytes, public: bytes, authority: bytes) -> x509.Certificate:
        """The certificate, if it is this door's: see `certificates.refuse_unfit`. Raises JoiningRefused.

        `authority` is the one the door knows. In the answer it may stand in another certificate, of the same key and
        name (`certificates.refuse_foreign`); the door's certificate is judged by the one that is known.
        """
        if self.door_id != door_id:
            msg = "the answer is for another door"
            raise JoiningRefused(msg)
        certificates.refuse_foreign(self.authority, authority)
        return certificates.refuse_unfit(self.certificate, door_id=door_id, public=public, authority=authority)


def claim_key(secret: bytes) -> bytes:
    """By what a manager recognises a request: SHA-256 of the label's secret, which need not be kept for it."""
    return hashlib.sha256(secret).digest()


def door_of(data: bytes) -> bytes:
    """Which door (8 bytes) a request or an answer says it is of; nothing is verified. Raises JoiningRefused."""
    magic = _ANSWER if data.startswith(_ANSWER) else _REQUEST
    return _head(data, magic, "the file")[1]


def fingerprint(door_id: bytes, document_key: bytes, public: bytes) -> str:
    """Five groups of four hexadecimal digits over a door's two keys; `public` is SubjectPublicKeyInfo (DER).

    The first 10 bytes of BLAKE2b-256 of door id, document key and SHA-256 of `public`, personalisation
    `doorward joining`.
    """
    said = door_id + document_key + hashlib.sha256(public).digest()
    hashed = bytes(bindings.crypto_generichash_blake2b_salt_personal(said, 32, person=_FINGERPRINT_PERSON))
    digits = hashed[:_FINGERPRINT_BYTES].hex()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


# ---- what is refused


def _refuse_label(label: Label) -> None:
    _refuse_length(label.door_id, DOOR_ID_BYTES, "the label's door id")
    _refuse_length(label.secret, SECRET_BYTES, "the label's secret")
    if len(label.manager_key) != KEY_BYTES or not bindings.crypto_core_ed25519_is_valid_point(label.manager_key):
        msg = "the manager's key on the label is none: nothing it signs could be verified"
        raise JoiningRefused(msg)
    if not 0 <= label.expires_hour <= _MOST_HOURS:
        msg = "a label's end is counted in hours since 1970"
        raise JoiningRefused(msg)
    if not label.host:
        if label.authority or label.port or label.claim_port:
            msg = "the label names an authority or a port, but no broker"
            raise JoiningRefused(msg)
        return
    if not _HOST.fullmatch(label.host):
        msg = "the broker on the label must be a name or an address of 1 to 255 characters"
        raise JoiningRefused(msg)
    if not 0 < label.port <= _MOST_PORT or not 0 <= label.claim_port <= _MOST_PORT:
        msg = f"the ports on the label are numbers up to {_MOST_PORT}, and that of the broker is not 0"
        raise JoiningRefused(msg)
    if not 0 < len(label.authority) <= LARGEST_CERTIFICATE:
        msg = f"with a broker a label holds the authority's certificate, of at most {LARGEST_CERTIFICATE} bytes"
        raise JoiningRefused(msg)
    certificates.certificate_from_der(label.authority)


def _refuse_request(request: Request) -> None:
    _refuse_length(request.door_id, DOOR_ID_BYTES, "the door id in the request")
    _refuse_length(request.document_key, KEY_BYTES, "the document key in the request")
    try:
        SealedBox(PublicKey(request.document_key)).encrypt(b"")
    except CryptoError as cause:  # a point of low order: RFC 7748, section 6.1
        msg = "the document key in the request is none: nothing can be sealed to it"
        raise JoiningRefused(msg) from cause
    if not 0 < len(request.csr) <= LARGEST_CERTIFICATE:
        msg = f"the request for a certificate in it has 1 to {LARGEST_CERTIFICATE} bytes"
        raise JoiningRefused(msg)
    certificates.key_asked_for(request.csr, request.door_id)


def _refuse_answer(answer: Answer) -> None:
    _refuse_length(answer.door_id, DOOR_ID_BYTES, "the door id in the answer")
    if bool(answer.certificate) != bool(answer.authority):
        msg = "the answer holds a certificate and its authority, or neither"
        raise JoiningRefused(msg)
    if max(len(answer.certificate), len(answer.authority)) > LARGEST_CERTIFICATE:
        msg = f"a certificate in the answer has at most {LARGEST_CERTIFICATE} bytes"
        raise JoiningRefused(msg)


def _refuse_length(value: bytes, size: int, what: str) -> None:
    if len(value) != size:
        msg = f"{what} has {len(value)} bytes instead of {size}"
        raise JoiningRefused(msg)


# ---- bytes


def _label_bytes(label: Label) -> bytes:
    fixed = _number(VERSION, 1) + label.door_id + label.secret + label.manager_key + _number(label.expires_hour, 4)
    host = _blob(label.host.encode("ascii"), 1)
    return fixed + _blob(label.authority, 2) + host + _number(label.port, 2) + _number(label.claim_port, 2)


def _unchecked(text: str) -> bytes:
    """The bytes of a label's text, less its check. Raises JoiningRefused."""
    if len(text) > LARGEST_LABEL_TEXT:
        msg = "this is no label of a door: it is too long"
        raise JoiningRefused(msg)
    letters = "".join(text.split()).upper()
    if not letters.startswith(_PREFIX):
        msg = f"this is no label of a door: a label begins with {_PREFIX}"
        raise JoiningRefused(msg)
    body = letters.removeprefix(_PREFIX)
    try:
        data = base64.b32decode(body + "=" * (-len(body) % 8))
    except ValueError:  # its cause would hold nothing of the text, and still nobody needs it
        data = b""
    packed, check = data[:-CHECK_BYTES], data[-CHECK_BYTES:]
    # Base 32 has more than one text for the same bytes; ours has one.
    whole = base64.b32encode(data).decode("ascii").rstrip("=") == body
    if not whole or not packed or _check(packed) != check:
        msg = "the label was not read completely, or is damaged; scan or type it again"
        raise JoiningRefused(msg)
    return packed


def _check(packed: bytes) -> bytes:
    return hashlib.blake2b(packed, digest_size=CHECK_BYTES).digest()


def _mac(content: bytes, key: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=MAC_BYTES, key=key).digest()


def _head(data: bytes, magic: bytes, what: str) -> tuple[_Reader, bytes]:
    rest = _Reader(data, what)
    if rest.take(len(magic)) != magic:
        msg = f"{what} is none: a request is made by `doorctl join`, an answer by `doorward door approve`"
        raise JoiningRefused(msg)
    version = rest.number(1)
    if version != VERSION:
        msg = f"{what} has version {version}; this side reads version {VERSION}"
        raise JoiningRefused(msg)
    return rest, rest.take(DOOR_ID_BYTES)


def _number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little")


def _blob(content: bytes, length_bytes: int) -> bytes:
    return _number(len(content), length_bytes) + content


class _Reader:
    """Takes a byte string apart from the left; what is missing or left over is refused."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._at = 0
        self._what = what

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            msg = f"{self._what} ends too early"
            raise JoiningRefused(msg)
        self._at += size
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def blob(self, length_bytes: int) -> bytes:
        return self.take(self.number(length_bytes))

    def end(self) -> None:
        if self._at != len(self._data):
            msg = f"{self._what} goes on after its end"
            raise JoiningRefused(msg)
