"""The two checks at the end of an OSDP frame, against figures that are not ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.lock.osdp_frames import check_of


def test_the_crc_is_the_published_one() -> None:
    """CRC-16/SPI-FUJITSU in the catalogue of parametrised CRCs: polynomial 0x1021 from 0x1D0F, check value 0xE5CC."""
    assert check_of(b"123456789", crc=True) == bytes.fromhex("cce5")


@pytest.mark.parametrize(("body", "check"), [(b"", "00"), (b"\x01", "ff"), (b"\x53\x02", "ab"), (b"\xff\x01", "00")])
def test_the_checksum_makes_the_sum_zero(body: bytes, check: str) -> None:
    assert check_of(body, crc=False) == bytes.fromhex(check)


@given(st.binary(max_size=1440))
def test_a_frame_with_its_checksum_adds_up_to_nothing(body: bytes) -> None:
    assert sum(body + check_of(body, crc=False)) % 256 == 0
