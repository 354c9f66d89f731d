"""The sealed reason: one size, for one reader, and never a reason to stay silent."""

import base64

import pytest
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from device.errors import MessageRefused
from device.report import envelope
from device.report.alarm import REASON_CHARS, sealed
from device.report.envelope import Envelope
from device.wire import NO_ALARM_KEY, OccurrenceKind

INSTALLER, OTHER = PrivateKey(bytes(range(32))), PrivateKey(bytes(range(1, 33)))
KEY = bytes(INSTALLER.public_key)
LOW_ORDER = b"\1" + bytes(31)  # RFC 7748, section 6.1: its shared secret is zero


@pytest.mark.parametrize("kind", OccurrenceKind)
def test_the_holder_of_the_key_reads_the_kind_and_nothing_else(kind: OccurrenceKind) -> None:
    opened = SealedBox(INSTALLER).decrypt(base64.b64decode(sealed(kind, KEY)))
    assert opened == bytes((kind,)) + bytes(15)


def test_nobody_else_opens_it() -> None:
    box = base64.b64decode(sealed(OccurrenceKind.DURESS, KEY))
    with pytest.raises(CryptoError):
        SealedBox(OTHER).decrypt(box)


@pytest.mark.parametrize("key", [KEY, NO_ALARM_KEY, LOW_ORDER], ids=["a key", "none", "one that seals nothing"])
def test_every_reason_has_one_size_with_and_without_a_key(key: bytes) -> None:
    assert {len(sealed(kind, key)) for kind in OccurrenceKind} == {REASON_CHARS} == {88}


def test_the_same_alarm_twice_is_not_recognised_by_its_reason() -> None:
    assert len({sealed(OccurrenceKind.TAMPER, key) for key in (KEY, NO_ALARM_KEY) for _ in range(20)}) == 40


@pytest.mark.parametrize("kind", [OccurrenceKind.TAMPER, OccurrenceKind.FORCED_OPEN, OccurrenceKind.DURESS])
def test_a_reason_whose_size_follows_from_its_kind_never_leaves(kind: OccurrenceKind) -> None:
    """The seeded fault: the name of the kind is sealed, not a block of one size."""
    named = base64.b64encode(SealedBox(INSTALLER.public_key).encrypt(kind.name.encode())).decode()
    with pytest.raises(MessageRefused, match="letters of base64"):
        envelope.encode(Envelope("f" * 16, "f" * 8, 1, "0.1.0", 0, None, named))
