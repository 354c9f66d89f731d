"""The request: only the label's holder makes one, and whoever carries it changes nothing."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import certificates, joining
from device.errors import JoiningRefused
from device.joining import Request
from tests.unit.joining.papers import CLAIM_KEY, DOCUMENT_KEY, DOOR, OTHER_DOOR, Authority, flipped, request

KEY = certificates.new_key()
MADE = request(KEY)
DATA = MADE.pack(CLAIM_KEY)


def test_a_request_comes_back_as_it_was() -> None:
    found = Request.read(DATA, CLAIM_KEY)
    assert found == MADE
    assert found.public == certificates.public_part(KEY)
    assert joining.door_of(DATA) == DOOR


def test_every_byte_of_a_request_counts() -> None:
    for at in range(len(DATA)):
        with pytest.raises(JoiningRefused):
            Request.read(flipped(DATA, at), CLAIM_KEY)


def test_a_request_made_with_another_label_is_refused() -> None:
    with pytest.raises(JoiningRefused, match="another label"):
        Request.read(MADE.pack(joining.claim_key(b"\x01" * 16)), CLAIM_KEY)


def test_the_mac_is_what_holds_another_key_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault seeded: who swaps the document key on the way would have the door's documents sealed to their own."""
    at = DATA.index(DOCUMENT_KEY)
    swapped = DATA[:at] + b"\x09" + bytes(31) + DATA[at + 32 :]
    with pytest.raises(JoiningRefused):
        Request.read(swapped, CLAIM_KEY)
    monkeypatch.setattr(hmac, "compare_digest", lambda _one, _other: True)
    assert Request.read(swapped, CLAIM_KEY).document_key != DOCUMENT_KEY


@pytest.mark.parametrize("cut", [0, 3, 4, 5, 12, 13, 40, 46, 47, 100, -33, -1])
def test_a_piece_of_a_request_is_refused(cut: int) -> None:
    with pytest.raises(JoiningRefused):
        Request.read(DATA[:cut], CLAIM_KEY)
    with pytest.raises(JoiningRefused):
        Request.read(DATA + DATA[:cut] + b"\0", CLAIM_KEY)


@given(st.binary(max_size=200).map(lambda rest: b"DWJR\x01" + DOOR + rest) | st.binary(max_size=100))
def test_whatever_is_read_as_a_request_is_refused_or_ours(content: bytes) -> None:
    with pytest.raises(JoiningRefused):
        Request.read(content + joining._mac(content, CLAIM_KEY), CLAIM_KEY)


def test_a_request_whose_certificate_request_names_another_door_is_refused() -> None:
    foreign = Request(DOOR, DOCUMENT_KEY, certificates.ask(KEY, OTHER_DOOR))
    with pytest.raises(JoiningRefused, match="another door"):
        foreign.pack(CLAIM_KEY)


def test_a_request_with_a_key_that_nothing_can_be_sealed_to_is_refused() -> None:
    with pytest.raises(JoiningRefused, match="sealed"):
        Request(DOOR, bytes(32), MADE.csr).pack(CLAIM_KEY)


def test_a_request_somebody_else_signed_is_refused() -> None:
    """A signing request shows that its maker has the key: one with a broken signature says nothing."""
    spoiled = MADE.csr[:-1] + bytes([MADE.csr[-1] ^ 1])
    with pytest.raises(JoiningRefused):
        Request(DOOR, DOCUMENT_KEY, spoiled).pack(CLAIM_KEY)


def test_the_fingerprint_follows_from_both_keys_and_the_door() -> None:
    other = Authority.make().key
    shown = {
        MADE.fingerprint,
        request(other).fingerprint,
        request(KEY, OTHER_DOOR).fingerprint,
        Request(DOOR, b"\x09" + bytes(31), MADE.csr).fingerprint,
    }
    assert len(shown) == 4
    assert all(len(digits.split()) == 5 and {len(group) for group in digits.split()} == {4} for digits in shown)


def test_the_fingerprint_is_the_same_for_every_request_of_one_key() -> None:
    """ECDSA signs differently each time; what two people compare must not change when the file is written again."""
    again = request(KEY)
    assert again.csr != MADE.csr
    assert again.fingerprint == MADE.fingerprint


def test_the_fingerprint_by_another_hand() -> None:
    said = DOOR + DOCUMENT_KEY + hashlib.sha256(certificates.public_part(KEY)).digest()
    digits = hashlib.blake2b(said, digest_size=32, person=b"doorward joining").hexdigest()[:20]
    assert MADE.fingerprint.replace(" ", "") == digits


def test_the_label_secret_is_not_in_a_request() -> None:
    assert CLAIM_KEY not in DATA
    assert bytes(range(100, 116)) not in DATA
