"""The index of a TPM without a TPM: its Name, its value, its contents."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import KeyFault
from device.sealing import tpm_index
from device.sealing.tpm_index import Index

ROOT_KEY, KEY = b"r" * 32, b"k" * 32

# What `tpm2 nvreadpublic` of tpm2-tools 5.4 printed for an index that was made by
# `tpm2 nvdefine -C o -s 80 -a "authread|authwrite|no_da|writeall" -p … 0x01800d01` on swtpm 0.7.1.
UNWRITTEN = "000b5d6e97776ad66aed2ff25063c0e516e5bdece63273fadb9c386e4b1246ca767e"
WRITTEN = "000bae3adc23ad0b4726a9e209935864245d7524b7b5035fcafbfbb8afe5e5a96934"


def test_the_name_is_the_one_a_tpm_computes() -> None:
    assert tpm_index.name(Index.VAULT, written=False) == UNWRITTEN
    assert tpm_index.name(Index.VAULT, written=True) == WRITTEN


def test_each_room_has_a_handle_in_the_range_of_the_owner() -> None:
    assert len(set(Index)) == 2
    assert all(0x01800000 <= index <= 0x01BFFFFF for index in Index)


@given(root=st.binary(min_size=32, max_size=32))
def test_a_value_is_32_characters_that_tpm2_tools_read_as_they_stand(root: bytes) -> None:
    text = tpm_index.auth_value(root, Index.VAULT).decode("ascii")
    assert len(text) == 32
    assert set(text) <= set(string.ascii_letters + string.digits + "-_")


def test_each_root_key_and_each_room_has_a_value_of_its_own() -> None:
    values = {tpm_index.auth_value(root, index) for root in (ROOT_KEY, b"w" * 32) for index in Index}
    assert len(values) == 4


@given(key=st.binary(min_size=32, max_size=32))
def test_what_was_sealed_opens_and_never_shows_the_key(key: bytes) -> None:
    contents = tpm_index.seal(ROOT_KEY, Index.VAULT, key)
    assert len(contents) == tpm_index.CONTENTS_BYTES == 80
    assert key not in contents
    assert tpm_index.unseal(ROOT_KEY, Index.VAULT, contents) == key


@given(at=st.integers(0, tpm_index.CONTENTS_BYTES * 8 - 1))
def test_no_bit_can_be_flipped(at: int) -> None:
    contents = bytearray(tpm_index.seal(ROOT_KEY, Index.VAULT, KEY))
    contents[at // 8] ^= 1 << at % 8
    with pytest.raises(KeyFault, match="does not open"):
        tpm_index.unseal(ROOT_KEY, Index.VAULT, bytes(contents))


@given(size=st.integers(0, 2 * tpm_index.CONTENTS_BYTES))
def test_contents_of_any_other_length_do_not_open(size: int) -> None:
    contents = tpm_index.seal(ROOT_KEY, Index.VAULT, KEY)
    other = (contents * 2)[:size]
    if size != len(contents):
        with pytest.raises(KeyFault, match="does not open"):
            tpm_index.unseal(ROOT_KEY, Index.VAULT, other)


def test_contents_of_another_room_or_root_key_do_not_open() -> None:
    contents = tpm_index.seal(ROOT_KEY, Index.VAULT, KEY)
    for root, index in ((ROOT_KEY, Index.KEEPER), (b"w" * 32, Index.VAULT)):
        with pytest.raises(KeyFault, match="does not open"):
            tpm_index.unseal(root, index, contents)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_root_key_or_epoch_key_of_any_other_length_is_refused(size: int) -> None:
    with pytest.raises(KeyFault, match="the root key must be exactly 32 bytes"):
        tpm_index.auth_value(bytes(size), Index.VAULT)
    with pytest.raises(KeyFault, match="an epoch key has exactly 32 bytes"):
        tpm_index.seal(ROOT_KEY, Index.VAULT, bytes(size))
