"""The door's own key: whose boxes it opens, where it comes from, and that it is shown nowhere."""

from __future__ import annotations

import hashlib

import pytest
from nacl.public import PrivateKey, PublicKey, SealedBox

from device.document import DocumentUnsigned
from device.errors import KeyFault
from device.lock.identity import DocumentKey

ROOT = bytes(range(32))
OWN = DocumentKey.of(ROOT)


def derived(person: bytes) -> bytes:
    return hashlib.blake2b(b"", digest_size=32, key=ROOT, person=person).digest()


def test_the_keys_follow_from_the_root_key_as_the_page_says() -> None:
    assert OWN.public == bytes(PrivateKey(derived(b"doorward sealed")).public_key)
    assert bytes(OWN.kept) == derived(b"doorward hours")
    assert DocumentKey.of(ROOT).public == OWN.public, "and are the same after every start"
    assert DocumentKey.of(bytes(32)).public != OWN.public


def test_what_is_sealed_to_the_public_key_is_opened_by_nobody_else() -> None:
    box = SealedBox(PublicKey(OWN.public)).encrypt(b"for this door")
    assert OWN.open(box) == b"for this door"
    with pytest.raises(DocumentUnsigned, match="another key"):
        DocumentKey.of(bytes(32)).open(box)


def test_a_box_with_any_bit_changed_is_refused() -> None:
    box = SealedBox(PublicKey(OWN.public)).encrypt(b"?")
    for bit in range(len(box) * 8):
        changed = bytearray(box)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DocumentUnsigned):
            OWN.open(bytes(changed))


@pytest.mark.parametrize("box", [b"", bytes(47), bytes(48), bytes(49), bytes(32) + b"?" * 40])
def test_what_is_no_box_is_refused(box: bytes) -> None:
    with pytest.raises(DocumentUnsigned):
        OWN.open(box)


@pytest.mark.parametrize("root", [b"", bytes(31), bytes(33)])
def test_a_root_key_of_another_length_is_a_fault(root: bytes) -> None:
    with pytest.raises(KeyFault, match=r"lock\.key"):
        DocumentKey.of(root)


def test_no_key_is_shown_where_it_is_printed() -> None:
    shown = repr(OWN)
    assert not any(secret.hex() in shown or repr(secret) in shown for secret in (bytes(OWN._private), bytes(OWN.kept)))
