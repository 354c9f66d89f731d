"""The document key at rest, and the numbers that residents are given."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.pwhash import argon2id

from provisioning import invitation, keys
from provisioning.errors import FleetRefused
from provisioning.keys import Hardness

CHEAP = Hardness(argon2id.OPSLIMIT_MIN, argon2id.MEMLIMIT_MIN)
PASSPHRASE = "correct horse battery"


def test_a_key_comes_back_with_its_passphrase_only() -> None:
    key = keys.new_key()
    sealed = keys.seal(key, PASSPHRASE, CHEAP)
    assert bytes(keys.unseal(sealed, PASSPHRASE)) == bytes(key)
    assert bytes(key) not in sealed
    for wrong in ("", "correct horse", PASSPHRASE + " "):
        with pytest.raises(FleetRefused, match="passphrase is wrong"):
            keys.unseal(sealed, wrong)


def test_the_same_key_is_never_sealed_twice_alike() -> None:
    key = keys.new_key()
    assert keys.seal(key, PASSPHRASE, CHEAP) != keys.seal(key, PASSPHRASE, CHEAP)


@pytest.mark.slow
@pytest.mark.usefixtures("full_price")
def test_what_is_sealed_by_default_costs_libsodiums_moderate() -> None:
    sealed = keys.seal(keys.new_key(), PASSPHRASE)
    assert struct.unpack("<II", sealed[5:13]) == (3, 256 * 1024 * 1024)


@given(st.data())
def test_a_damaged_key_file_is_refused(data: st.DataObject) -> None:
    sealed = bytearray(keys.seal(keys.new_key(), PASSPHRASE, CHEAP))
    # The cost fields are left alone here: a flipped bit there may be a valid, and dear, cost.
    bit = data.draw(st.sampled_from([*range(5 * 8), *range(13 * 8, len(sealed) * 8)]))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(FleetRefused):
        keys.unseal(bytes(sealed), PASSPHRASE)


@given(st.binary(max_size=200))
def test_a_foreign_file_is_no_key(content: bytes) -> None:
    with pytest.raises(FleetRefused):
        keys.unseal(content, PASSPHRASE)


@pytest.mark.parametrize("cost", [(0, 8192), (1, 0), (99, 8192), (1, 2**32 - 1)])
def test_a_key_file_cannot_ask_for_any_price(cost: tuple[int, int]) -> None:
    sealed = bytearray(keys.seal(keys.new_key(), PASSPHRASE, CHEAP))
    sealed[5:13] = struct.pack("<II", *cost)
    with pytest.raises(FleetRefused, match="damaged or of another version"):
        keys.unseal(bytes(sealed), PASSPHRASE)


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(FleetRefused, match="8 characters"):
        keys.seal(keys.new_key(), "seven77", CHEAP)


@pytest.mark.usefixtures("full_price")
def test_an_invitation_is_twelve_digits_and_its_verifier_is_theirs() -> None:
    given_out = invitation.new_invitation()
    assert len(given_out.digits) == 12
    assert given_out.digits.isdigit()
    assert given_out.grouped.split(" ") == [given_out.digits[:4], given_out.digits[4:8], given_out.digits[8:]]
    assert invitation.verifier(given_out.digits, given_out.salt) == given_out.verifier


def test_an_invitation_does_not_show_itself_in_a_log() -> None:
    given_out = invitation.new_invitation()
    assert given_out.digits not in repr(given_out)


def test_no_two_invitations_are_alike() -> None:
    one, other = invitation.new_invitation(), invitation.new_invitation()
    assert (one.digits, one.salt, one.verifier) != (other.digits, other.salt, other.verifier)


@pytest.mark.usefixtures("full_price")
def test_the_verifier_of_a_known_invitation_never_changes() -> None:
    """A test vector that keeper must agree with: Argon2id, ops 2, 64 MiB, 32 bytes over the ASCII digits."""
    assert (
        invitation.verifier("123456789012", bytes(range(16))).hex()
        == "7e98b1807421e2101022298c5c0b8e18a69629ab56fe3e653be99b3c3e9108ac"
    )
