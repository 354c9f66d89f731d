"""A manager's clock that cannot be right: nothing is signed by it, and the store is not called damaged for it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from provisioning import moments
from provisioning.errors import FleetRefused
from tests.unit.provisioning.doors import DOOR_KEY, doorward

PASSPHRASE = "correct horse battery"
IMPOSSIBLE = (-1.0, 5.0, 1_451_606_400.0, 4_102_444_801.0, 100_000_000_001.0, 253_402_300_800.0, 1e18)


@pytest.mark.parametrize("now", IMPOSSIBLE)
def test_a_clock_that_cannot_be_right_is_one_sentence(now: float) -> None:
    with pytest.raises(FleetRefused, match=r"^this computer's clock says .*, which cannot be: set the clock; nothing"):
        moments.refuse_wrong_clock(now)


@pytest.mark.parametrize("now", [1_704_067_200, 2**31, 2**31 + 1, 4_102_444_800])
def test_any_other_is_taken_also_beyond_2038(now: int) -> None:
    moments.refuse_wrong_clock(now)


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fleet with an authority and a door, made while the clock was right."""
    monkeypatch.setenv("DOORWARD_PASSPHRASE", PASSPHRASE)
    where = str(tmp_path / "fleet")
    assert doorward("fleet", "init", "--fleet", where).exit_code == 0
    assert doorward("door", "add", "Front door", "--fleet", where).exit_code == 0
    key = DOOR_KEY.public.hex()
    assert doorward("door", "identify", "Front door", "--key", key, "--fleet", where).exit_code == 0
    return where


@pytest.mark.parametrize("now", [5.0, 100_000_000_001.0, 253_402_300_800.0])
def test_with_it_no_authority_is_made_and_no_place_offered(
    fleet: str, monkeypatch: pytest.MonkeyPatch, now: float
) -> None:
    out = str(Path(fleet).with_name("slot.doc"))
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda: now)
        for command in (("ca", "init"), ("slot", "offer", "--door", "Front door", "--slot", "12", "--out", out)):
            said = doorward(*command, "--fleet", fleet)
            assert said.exit_code == 1
            assert said.stderr.startswith("This computer's clock says ")
            assert "which cannot be: set the clock; nothing was made" in said.stderr
            assert "damaged" not in said.stderr
    assert not Path(out).exists()
    assert doorward("ca", "init", "--fleet", fleet).exit_code == 0, "and nothing of it is left in the way"
    offered = doorward("slot", "offer", "--door", "Front door", "--slot", "12", "--out", out, "--fleet", fleet)
    assert offered.exit_code == 0
