"""What is sealed: one size, for one reader, never taken for something else, and never a reason to stay silent."""

import base64

import pytest
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from device.errors import MessageRefused
from device.report import envelope
from device.report.envelope import Envelope
from device.report.health import Health
from device.report.seal import LETTERS, flags, reason, sealed
from device.wire import NO_ALARM_KEY, SEALED_FLAGS, TEST_ALARM, OccurrenceKind

INSTALLER, OTHER = PrivateKey(bytes(range(32))), PrivateKey(bytes(range(1, 33)))
KEY = bytes(INSTALLER.public_key)
LOW_ORDER = b"\1" + bytes(31)  # RFC 7748, section 6.1: its shared secret is zero
REPORTED = [Health(camera=camera, lockout=lockout) for camera in (False, True) for lockout in (False, True)]
EVERYTHING = [*map(reason, [*OccurrenceKind, TEST_ALARM]), *map(flags, REPORTED)]


def opened(letters: str, key: PrivateKey = INSTALLER) -> bytes:
    return SealedBox(key).decrypt(base64.b64decode(letters))


@pytest.mark.parametrize("kind", [*OccurrenceKind, TEST_ALARM])
def test_the_holder_of_the_key_reads_the_kind_and_nothing_else(kind: int) -> None:
    assert opened(sealed(reason(kind), KEY)) == bytes((kind,)) + bytes(15)


@pytest.mark.parametrize("health", REPORTED)
def test_the_holder_of_the_key_reads_two_flags_of_a_report_and_nothing_else(health: Health) -> None:
    assert opened(sealed(flags(health), KEY)) == bytes((SEALED_FLAGS, health.camera, health.lockout)) + bytes(13)


def test_no_two_things_that_are_sealed_are_the_same_and_flags_are_no_kind_of_an_alarm() -> None:
    assert len(set(EVERYTHING)) == len(EVERYTHING)
    assert SEALED_FLAGS not in {*OccurrenceKind, TEST_ALARM}


def test_nobody_else_opens_it() -> None:
    for content in EVERYTHING:
        with pytest.raises(CryptoError):
            opened(sealed(content, KEY), OTHER)


@pytest.mark.parametrize("key", [KEY, NO_ALARM_KEY, LOW_ORDER], ids=["a key", "none", "one that seals nothing"])
def test_everything_sealed_has_one_size_with_and_without_a_key(key: bytes) -> None:
    assert {len(sealed(content, key)) for content in EVERYTHING} == {LETTERS} == {88}


@pytest.mark.parametrize("content", [reason(OccurrenceKind.TAMPER), flags(Health())], ids=["a reason", "flags"])
def test_the_same_said_twice_is_not_recognised_by_its_letters(content: bytes) -> None:
    assert len({sealed(content, key) for key in (KEY, NO_ALARM_KEY) for _ in range(20)}) == 40


@pytest.mark.parametrize("kind", [OccurrenceKind.TAMPER, OccurrenceKind.FORCED_OPEN, OccurrenceKind.DURESS])
def test_a_reason_whose_size_follows_from_its_kind_never_leaves(kind: OccurrenceKind) -> None:
    """The seeded fault: the name of the kind is sealed, not a block of one size."""
    named = sealed(kind.name.encode(), KEY)
    with pytest.raises(MessageRefused, match="letters of base64"):
        envelope.encode(Envelope("f" * 16, "f" * 8, 1, "0.1.0", 0, None, named))


@pytest.mark.parametrize("health", REPORTED[1:])
def test_flags_whose_size_follows_from_what_they_say_never_leave(health: Health) -> None:
    """The seeded fault once more, in a report."""
    named = sealed(f"{health.camera} {health.lockout}".encode(), KEY)
    with pytest.raises(MessageRefused, match="letters of base64"):
        envelope.encode(Envelope("f" * 16, "f" * 8, 1, "0.1.0", 0, health, named))
