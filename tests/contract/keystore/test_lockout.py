"""Keys that systemd seals with a TPM open after any number of power cuts, and why they did not by themselves.

With Debian's real systemd-creds and a software TPM whose power is cut. The seal is the TPM's alone here, without the
machine's own key on top: that one lies on this machine's disk and has nothing to do with power.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from device import config
from device.desk.upkeep import first_keys, tpm_patience
from device.errors import KeyFault
from device.paths import Paths
from tests.support.swtpm import SoftwareTpm

BY_TPM = config.parse(
    '[vault]\nroot_key_sealed_with = "tpm2"\n[keeper]\nroot_key_sealed_with = "tpm2"\n', without_id=True
)
NAMES = [key.name for key in first_keys.wanted(BY_TPM)]
CUTS = 4  # one more than the software TPM bears as it comes
LOCKED = "lockout"

needs_systemd = pytest.mark.skipif(
    not Path(first_keys.PROGRAM).exists(), reason="needs systemd-creds: apt-get install systemd"
)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path)


def creds(tpm: SoftwareTpm) -> first_keys.Creds:
    """systemd-creds with this TPM in place of the machine's."""

    def run(words: tuple[str, ...], content: bytes) -> bytes:
        by_tpm = tuple(word.replace("host+tpm2", "tpm2") for word in words)
        try:
            return first_keys.systemd_creds((by_tpm[0], f"--tpm2-device={tpm.tcti}", *by_tpm[1:]), content)
        finally:
            # On a machine the kernel does it (/dev/tpmrm0) when a program ends; here nobody stands between.
            tpm.tool("flushcontext", "--loaded-session")
            tpm.tool("flushcontext", "--transient-object")

    return run


def tool(tpm: SoftwareTpm) -> tpm_patience.Tool:
    """tpm2-tools with this TPM."""

    def run(words: tuple[str, ...]) -> str | None:
        ended = tpm.tool(*words)
        return ended.stdout.decode() if ended.returncode == 0 else None

    return run


def says_it_is_patient(_words: tuple[str, ...]) -> str | None:
    """Seeded fault: nobody tells the TPM anything."""
    return "TPM2_PT_MAX_AUTH_FAIL: 0x2710\nTPM2_PT_LOCKOUT_INTERVAL: 0x3C\nTPM2_PT_LOCKOUT_RECOVERY: 0x3E8\n"


def start(tpm: SoftwareTpm, paths: Paths) -> None:
    """What systemd does when the rooms start: it opens the key of each. Raises KeyFault."""
    for name in NAMES:
        blob = (first_keys.folder(paths) / name).read_bytes()
        assert len(creds(tpm)(("decrypt", f"--name={name}", "--newline=no", "-", "-"), blob)) == first_keys.KEY_BYTES


def starts_after_power_cuts(tpm: SoftwareTpm, paths: Paths) -> None:
    """A door that starts, and whose power is cut while it runs, `CUTS` times; then it starts once more."""
    for _ in range(CUTS):
        start(tpm, paths)
        tpm.kill()
        tpm.start()
    start(tpm, paths)


@needs_systemd
def test_keys_sealed_by_a_tpm_open_after_more_power_cuts_than_it_bears_by_itself(
    tpm: SoftwareTpm, paths: Paths
) -> None:
    assert first_keys.make_missing(BY_TPM, paths, creds(tpm), tool(tpm)) == tuple(NAMES)
    starts_after_power_cuts(tpm, paths)


@needs_systemd
def test_without_it_being_told_the_tpm_keeps_the_door_shut(tpm: SoftwareTpm, paths: Paths) -> None:
    first_keys.make_missing(BY_TPM, paths, creds(tpm), says_it_is_patient)
    with pytest.raises(KeyFault, match=LOCKED):
        starts_after_power_cuts(tpm, paths)
    # Somebody tells it afterwards, as root: the door opens without waiting for the TPM's time to be over.
    tpm_patience.be_patient(tool(tpm))
    starts_after_power_cuts(tpm, paths)


@needs_systemd
def test_a_tpm_that_is_locked_already_is_told_first_and_then_seals(
    tpm: SoftwareTpm, paths: Paths, tmp_path: Path
) -> None:
    another = Paths(tmp_path / "another")
    first_keys.make_missing(BY_TPM, another, creds(tpm), says_it_is_patient)
    with pytest.raises(KeyFault, match=LOCKED):
        starts_after_power_cuts(tpm, another)
    assert first_keys.make_missing(BY_TPM, paths, creds(tpm), tool(tpm)) == tuple(NAMES)
    start(tpm, paths)


def test_a_tpm_whose_lockout_has_a_password_seals_no_key_and_the_sentence_says_what_to_do(
    tpm: SoftwareTpm, paths: Paths
) -> None:
    assert tpm.tool("changeauth", "-c", "l", "the owner's").returncode == 0
    with pytest.raises(
        KeyFault, match=r"after 3 power cuts .* has a password.*tpm2_dictionarylockout -s -n 10000 -t 60"
    ):
        first_keys.make_missing(BY_TPM, paths, creds(tpm), tool(tpm))
    assert not first_keys.folder(paths).exists()


def test_a_tpm_that_its_owner_made_patient_is_left_as_it_is(tpm: SoftwareTpm) -> None:
    own = ("dictionarylockout", "-s", "-n", "20000", "-t", "10", "-l", "77")
    assert tpm.tool(*own).returncode == 0
    assert tpm.tool("changeauth", "-c", "l", "the owner's").returncode == 0
    tpm_patience.be_patient(tool(tpm))
    told = tpm.tool("getcap", "properties-variable").stdout.decode()
    assert [f"{number:#X}".replace("X", "x") in told for number in (20000, 10, 77)] == [True] * 3


def test_how_long_a_wrong_lockout_password_is_barred_stays_as_it_was(tpm: SoftwareTpm) -> None:
    assert tpm.tool("dictionarylockout", "-s", "-n", "5", "-t", "10", "-l", "77").returncode == 0
    tpm_patience.be_patient(tool(tpm))
    told = tpm.tool("getcap", "properties-variable").stdout.decode()
    for line in ("MAX_AUTH_FAIL: 0x2710", "LOCKOUT_INTERVAL: 0x3C", "LOCKOUT_RECOVERY: 0x4D"):
        assert f"TPM2_PT_{line}" in told


def test_the_tool_asks_the_tpm_that_systemd_takes_and_a_missing_one_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tpm_patience, "PROGRAM", str(tmp_path / "not-there"))
    with pytest.raises(KeyFault, match=r"^the TPM cannot be told .+: apt-get install tpm2-tools$"):
        tpm_patience.tpm2(("getcap", "properties-variable"))
    echo = tmp_path / "echo"
    echo.write_text('#!/bin/sh\necho "$@"\n')
    echo.chmod(0o755)
    monkeypatch.setattr(tpm_patience, "PROGRAM", str(echo))
    assert tpm_patience.tpm2(("getcap",)) == "getcap -T device:/dev/tpmrm0\n"
    monkeypatch.setattr(tpm_patience, "PROGRAM", "/bin/false")
    assert tpm_patience.tpm2(("getcap",)) is None
    with pytest.raises(KeyFault, match="does not say how many power cuts it bears"):
        tpm_patience.be_patient(tpm_patience.tpm2)


def test_a_tpm_that_nods_and_forgets_is_not_believed(paths: Paths) -> None:
    def forgetful(words: tuple[str, ...]) -> str | None:
        return "" if words[0] == "dictionarylockout" else (says_it_is_patient(words) or "").replace("2710", "20")

    with pytest.raises(KeyFault, match="after 32 power cuts"):
        first_keys.make_missing(BY_TPM, paths, lambda _words, content: content, forgetful)
    assert not first_keys.folder(paths).exists()
