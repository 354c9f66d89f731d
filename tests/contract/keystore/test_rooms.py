"""Vault with its key in a TPM, as a real process; keeper beside it does not notice what becomes of that TPM."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.edges import Room
from device.service import EXIT_FAULT
from tests.support.room_process import room_process, short_root, write_config
from tests.support.swtpm import SoftwareTpm, Wire


@pytest.fixture
def root() -> Iterator[Path]:
    with short_root() as folder:
        for room, key in ((Room.VAULT, b"v" * 32), (Room.KEEPER, b"p" * 32)):
            credentials = folder / "credentials" / room
            credentials.mkdir(parents=True)
            (credentials / f"{room}.key").write_bytes(key)
        yield folder


def configured(root: Path, tcti: str) -> Path:
    write_config(root, f'[vault]\nkey_store = "tpm-nv"\n[tpm]\ntcti = "{tcti}"\n')
    return root


def test_vault_starts_again_with_its_key_in_a_tpm_and_no_key_in_its_folder(root: Path, tpm: SoftwareTpm) -> None:
    for _ in range(2):
        with room_process(Room.VAULT, configured(root, tpm.tcti)) as vault:
            assert vault.stop() == 0
            files = {path.name for path in vault.paths.state(Room.VAULT).iterdir()}
        assert not [name for name in files if "key" in name]
        tpm.kill()
        tpm.start()


@pytest.mark.parametrize("trouble", ["gone", "stalled", "cleared"])
def test_without_its_tpm_vault_ends_in_a_sentence_and_keeper_goes_on(
    root: Path, tpm: SoftwareTpm, trouble: str
) -> None:
    with room_process(Room.VAULT, configured(root, tpm.tcti)) as vault:
        vault.stop()
    records = vault.paths.state(Room.VAULT)
    (records / f"{'0' * 32}.rec").write_bytes(b"a record of somebody")
    with Wire(tpm, before=lambda _: False) as wire:
        if trouble == "gone":
            tpm.kill()
        if trouble == "cleared":
            assert tpm.tool("clear", "-c", "p").returncode == 0
        configured(root, wire.tcti if trouble == "stalled" else tpm.tcti)
        with room_process(Room.VAULT, root, wait=False) as vault, room_process(Room.KEEPER, root) as keeper:
            assert vault.wait() == EXIT_FAULT
            said = {"gone": "cannot be reached", "stalled": "within 3 s", "cleared": "nothing was changed"}[trouble]
            assert said in vault.stderr.splitlines()[-1]
            assert "Traceback" not in vault.stderr
            assert keeper.stop() == 0


def test_keeper_can_keep_its_key_in_an_index_of_its_own(root: Path, tpm: SoftwareTpm) -> None:
    both = f'[vault]\nkey_store = "tpm-nv"\n[keeper]\nkey_store = "tpm-nv"\n[tpm]\ntcti = "{tpm.tcti}"\n'
    write_config(root, both)
    for _ in range(2):
        with room_process(Room.VAULT, root) as vault:
            assert vault.stop() == 0
        with room_process(Room.KEEPER, root) as keeper:
            assert keeper.stop() == 0
    listed = tpm.tool("getcap", "handles-nv-index").stdout
    assert listed.lower().split() == [b"-", b"0x1800d01", b"-", b"0x1800d02"]
