"""Which doubled PINs are too easy: those whose every other digit is a run, and no others."""

from __future__ import annotations

import pytest

from device.errors import CredentialRefused
from device.keeper import choice
from tests.unit.keeper.bench import INVITATION


@pytest.mark.parametrize("pin", ["112233", "665544", "11223344", "889900"])
def test_a_doubled_run_is_too_easy(pin: str) -> None:
    with pytest.raises(CredentialRefused):
        choice.refuse_weak(pin, INVITATION)


@pytest.mark.parametrize("pin", ["114499", "993366", "1122339", "22558899"])
def test_digits_that_are_doubled_and_no_run_may_be_chosen(pin: str) -> None:
    choice.refuse_weak(pin, INVITATION)
