"""A TPM in trouble, a TPM in other hands, and what can be seen of the secrets on the way to it."""

import subprocess
import time
from pathlib import Path

import pytest

from device.errors import KeyFault
from device.sealing import tpm_index, tpm_tool
from device.sealing.store import Binding, SealedStore
from device.sealing.tpm import Index, Tpm, TpmNvKeyStore
from tests.support.key_places import ROOT_KEY
from tests.support.swtpm import INSTALL, NV_WRITE, SoftwareTpm, Wire, have_swtpm
from tools.simulator.init import WATCHDOG_S

KEY, NEXT = b"k" * 32, b"n" * 32
AUTH = tpm_index.auth_value(ROOT_KEY, Index.VAULT)
BINDING = Binding(b"one door", "face", b"m" * 32)
OURS = ("-s", str(tpm_index.CONTENTS_BYTES), "-a", "|".join(tpm_index.ATTRIBUTES))


def keys(tcti: str, index: Index = Index.VAULT, *, program: str = tpm_tool.PROGRAM, s: float = 3.0) -> TpmNvKeyStore:
    return TpmNvKeyStore(Tpm(tcti, program, s), index, ROOT_KEY)


def fault(of: TpmNvKeyStore) -> str:
    """The one sentence with which `of` gives no key."""
    with pytest.raises(KeyFault) as caught:
        of.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---- trouble


def test_without_tpm2_tools_the_sentence_names_the_package() -> None:
    assert "apt-get install tpm2-tools" in fault(keys("device:/dev/tpmrm0", program="/nowhere/tpm2"))


def test_a_tpm_that_is_not_there_is_named() -> None:
    if not have_swtpm():
        pytest.skip(INSTALL)
    assert fault(keys("device:/dev/tpm9")) == "the TPM at device:/dev/tpm9 cannot be reached"
    assert fault(keys("swtpm:path=/nowhere")) == "the TPM at swtpm:path=/nowhere cannot be reached"


def test_a_tpm_that_goes_away_is_a_fault_and_its_key_is_there_when_it_comes_back(tpm: SoftwareTpm) -> None:
    store = keys(tpm.tcti)
    store.replace(KEY)
    tpm.kill()
    assert "cannot be reached" in fault(store)
    with pytest.raises(KeyFault, match="cannot be reached"):
        store.replace(NEXT)
    tpm.start()
    assert store.load() == KEY


@pytest.mark.parametrize("call", ["load", "replace"])
def test_a_tpm_that_stalls_is_a_fault_in_bounded_time(tpm: SoftwareTpm, call: str) -> None:
    keys(tpm.tcti).replace(KEY)
    with Wire(tpm, before=lambda _: False) as wire:
        store = keys(wire.tcti, s=0.3)
        began = time.monotonic()
        with pytest.raises(KeyFault, match=r"did not .* within 0\.3 s"):
            store.load() if call == "load" else store.replace(NEXT)
        assert time.monotonic() - began < 10.0  # the TPM never answers, and two programs start on a busy machine
    assert keys(tpm.tcti).load() == KEY


def test_a_failed_change_and_the_look_that_follows_fit_between_two_signs_of_life() -> None:
    assert 2 * (tpm_tool.COMMAND_S + tpm_tool._REAP_S) < WATCHDOG_S


def test_while_a_command_cannot_be_ended_nothing_else_is_asked(tpm: SoftwareTpm) -> None:
    asked = Tpm(tpm.tcti)
    store = TpmNvKeyStore(asked, Index.VAULT, ROOT_KEY)
    store.replace(KEY)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as hanging:
        asked._left_behind = hanging
        with Wire(tpm) as wire:
            asked.tcti = wire.tcti
            assert "has still not answered" in fault(store)
            assert wire.seen == []
            assert hanging.stdin
            hanging.stdin.close()
            hanging.wait(10)
            assert store.load() == KEY


def test_a_tpm_that_others_locked_out_still_gives_the_key(tpm: SoftwareTpm) -> None:
    keys(tpm.tcti).replace(KEY)
    theirs = ("-s", "8", "-a", "authread|authwrite", "-p", "x", "0x1800e00")
    assert tpm.tool("nvdefine", "-Q", "-C", "o", *theirs).returncode == 0
    assert tpm.tool("dictionarylockout", "-s", "-n", "1", "-t", "1000", "-l", "1000").returncode == 0
    for _ in range(2):
        tpm.tool("nvread", "-P", "wrong", "0x1800e00")
    assert b"0x921" in tpm.tool("nvread", "-P", "x", "0x1800e00").stderr, "not locked out: this would show nothing"
    assert keys(tpm.tcti).load() == KEY
    keys(tpm.tcti).replace(NEXT)
    assert keys(tpm.tcti).load() == NEXT


def test_records_stay_readable_while_the_tpm_is_away_and_can_be_changed_when_it_is_back(tpm: SoftwareTpm) -> None:
    store = SealedStore.open(tpm.folder / "records", keys(tpm.tcti), BINDING)
    store.put(1, b"one")
    tpm.kill()
    with pytest.raises(KeyFault, match="cannot be reached"):
        store.put(2, b"two")
    with pytest.raises(KeyFault, match="cannot be reached"):
        store.remove(1)
    assert store.records() == {1: b"one"}
    tpm.start()
    assert store.remove(1)
    store.put(2, b"two")
    assert SealedStore.open(tpm.folder / "records", keys(tpm.tcti), BINDING).records() == {2: b"two"}


POWER_CUTS = 12


def test_power_cuts_lock_nobody_out(tpm: SoftwareTpm) -> None:
    keys(tpm.tcti).replace(KEY)
    for _ in range(POWER_CUTS):
        tpm.kill()
        tpm.start()
        assert keys(tpm.tcti).load() == KEY


def test_without_no_da_power_cuts_would_lock_the_door_out(tpm: SoftwareTpm) -> None:
    theirs = ("-s", "8", "-a", "authread|authwrite", "-p", "x", "0x1800e00")
    assert tpm.tool("nvdefine", "-Q", "-C", "o", *theirs).returncode == 0
    complaints = []
    for _ in range(POWER_CUTS):
        complaints.append(tpm.tool("nvread", "-P", "x", "0x1800e00").stderr)
        tpm.kill()
        tpm.start()
    assert b"0x14A" in complaints[0], "the right value is not accepted at first"
    assert b"0x921" in complaints[-1]


def test_an_index_without_a_first_write_is_no_key_yet(tpm: SoftwareTpm) -> None:
    Tpm(tpm.tcti).define(Index.VAULT, tpm_index.CONTENTS_BYTES, tpm_index.ATTRIBUTES, AUTH)
    store = keys(tpm.tcti)
    assert store.load() is None
    store.replace(KEY)
    assert store.load() == KEY


def test_an_owner_with_a_password_is_told_what_to_do_and_may_have_one_later(tpm: SoftwareTpm) -> None:
    assert tpm.tool("changeauth", "-c", "owner", "secret").returncode == 0
    with pytest.raises(KeyFault, match="tpm2 changeauth -c owner"):
        keys(tpm.tcti).replace(KEY)
    assert tpm.tool("changeauth", "-c", "owner", "-p", "secret").returncode == 0
    keys(tpm.tcti).replace(KEY)
    assert tpm.tool("changeauth", "-c", "owner", "secret").returncode == 0
    keys(tpm.tcti).replace(NEXT)
    assert keys(tpm.tcti).load() == NEXT
    assert tpm.tool("nvundefine", "-C", "o", hex(Index.VAULT)).returncode != 0


# ---- other hands


def test_neither_the_owner_nor_another_program_reads_or_writes_the_index(tpm: SoftwareTpm) -> None:
    keys(tpm.tcti).replace(KEY)
    for way in (("-C", "o"), ("-C", "p"), (), ("-P", "guess"), ("-P", f"hex:{ROOT_KEY.hex()}")):
        assert tpm.tool("nvread", *way, hex(Index.VAULT)).returncode != 0, way
        assert tpm.tool("nvwrite", *way, "-i", "/dev/zero", hex(Index.VAULT)).returncode != 0, way
    assert keys(tpm.tcti).load() == KEY


def test_vault_and_keeper_with_one_root_key_share_neither_index_nor_value(tpm: SoftwareTpm) -> None:
    vault, keeper = keys(tpm.tcti, Index.VAULT), keys(tpm.tcti, Index.KEEPER)
    vault.replace(KEY)
    assert keeper.load() is None
    keeper.replace(NEXT)
    assert (vault.load(), keeper.load()) == (KEY, NEXT)
    contents = Tpm(tpm.tcti).read(Index.VAULT, tpm_index.CONTENTS_BYTES, AUTH)
    Tpm(tpm.tcti).write(Index.KEEPER, contents, tpm_index.auth_value(ROOT_KEY, Index.KEEPER))
    assert "does not open" in fault(keeper)


@pytest.mark.parametrize(
    "make",
    [
        ("-s", str(tpm_index.CONTENTS_BYTES), "-a", "|".join((*tpm_index.ATTRIBUTES, "ownerread"))),
        ("-s", str(tpm_index.CONTENTS_BYTES), "-a", "|".join(tpm_index.ATTRIBUTES[:-1])),
        ("-s", str(tpm_index.CONTENTS_BYTES + 1), "-a", "|".join(tpm_index.ATTRIBUTES)),
    ],
)
def test_an_index_of_another_make_is_not_used_even_with_our_value(tpm: SoftwareTpm, make: tuple[str, ...]) -> None:
    assert tpm.tool("nvdefine", "-Q", "-C", "o", *make, "-p", AUTH.decode(), hex(Index.VAULT)).returncode == 0
    assert "was not made by this door" in fault(keys(tpm.tcti))
    with pytest.raises(KeyFault, match="was not made by this door"):
        keys(tpm.tcti).replace(KEY)


def test_an_index_that_somebody_made_in_our_place_gets_no_key(tpm: SoftwareTpm) -> None:
    assert tpm.tool("nvdefine", "-Q", "-C", "o", *OURS, "-p", "theirs", hex(Index.VAULT)).returncode == 0
    with pytest.raises(KeyFault, match="another root key"):
        keys(tpm.tcti).replace(KEY)


@pytest.mark.parametrize("at", [0, 5, 8, 40, 79])
def test_a_damaged_value_does_not_open(tpm: SoftwareTpm, at: int) -> None:
    keys(tpm.tcti).replace(KEY)
    contents = bytearray(Tpm(tpm.tcti).read(Index.VAULT, tpm_index.CONTENTS_BYTES, AUTH))
    contents[at] ^= 1
    Tpm(tpm.tcti).write(Index.VAULT, bytes(contents), AUTH)
    assert "does not open" in fault(keys(tpm.tcti))


# ---- what can be seen on the way


def spellings(secret: bytes) -> list[bytes]:
    return [secret, secret.hex().encode(), secret.hex().upper().encode()]


def test_once_the_index_is_made_no_secret_crosses_the_wire(tpm: SoftwareTpm) -> None:
    with Wire(tpm) as wire:
        keys(wire.tcti).replace(KEY)
        made = len(wire.seen)
        assert AUTH in b"".join(wire.seen[:made]), "the wire does not see what crosses it"
        store = SealedStore.open(tpm.folder / "records", keys(wire.tcti, Index.KEEPER), BINDING)
        made = len(wire.seen)
        store.put(1, b"one")
        epoch_key = keys(wire.tcti, Index.KEEPER).load()
        assert epoch_key
        crossed = b"".join(wire.seen[made:])
        auth = tpm_index.auth_value(ROOT_KEY, Index.KEEPER)
        assert not [each for secret in (epoch_key, auth, ROOT_KEY) for each in spellings(secret) if each in crossed]


WITNESS = """#!/bin/sh
/usr/bin/tr '\\0' ' ' </proc/$$/cmdline >>{log}
/usr/bin/tr '\\0' ' ' </proc/$$/environ >>{log}
exec {program} "$@"
"""


class Careless(Tpm):
    """The seeded fault: the value goes where everybody can read it."""

    def read(self, index: int, size: int, auth: bytes) -> bytes:
        return self._run("read its index", "nvread", "-s", str(size), "-P", auth.decode(), f"{index:#x}")


def watched(tpm: SoftwareTpm, kind: type[Tpm] = Tpm) -> tuple[TpmNvKeyStore, Path]:
    log, program = tpm.folder / "arguments", tpm.folder / "witness"
    program.write_text(WITNESS.format(log=log, program=tpm_tool.PROGRAM))
    program.chmod(0o700)
    return TpmNvKeyStore(kind(tpm.tcti, str(program)), Index.VAULT, ROOT_KEY), log


def test_no_secret_stands_in_arguments_or_environment(tpm: SoftwareTpm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/of/the/room")
    store, log = watched(tpm)
    store.replace(KEY)
    assert store.load() == KEY
    seen = log.read_bytes()
    assert [word in seen for word in (b"nvdefine", b"nvwrite", b"nvread")] == [True] * 3
    contents = Tpm(tpm.tcti).read(Index.VAULT, tpm_index.CONTENTS_BYTES, AUTH)
    secrets = (KEY, ROOT_KEY, AUTH, contents)
    assert not [each for secret in secrets for each in spellings(secret) if each in seen]
    assert b"/of/the/room" not in seen


def test_the_witness_sees_a_secret_among_the_arguments(tpm: SoftwareTpm) -> None:
    keys(tpm.tcti).replace(KEY)
    store, log = watched(tpm, Careless)
    assert store.load() == KEY
    assert AUTH in log.read_bytes()


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_no_descriptor_and_no_program_is_left_behind(tpm: SoftwareTpm) -> None:
    store = keys(tpm.tcti, s=0.2)
    store.replace(KEY)
    before = descriptors()
    with Wire(tpm, before=lambda _: False) as wire:
        fault(keys(wire.tcti, s=0.2))
    store.load()
    assert descriptors() == before


# ---- wear


def test_a_change_costs_one_write_and_a_start_none(tpm: SoftwareTpm) -> None:
    folder = tpm.folder / "records"
    with Wire(tpm) as wire:
        store = SealedStore.open(folder, keys(wire.tcti), BINDING)
        assert wire.codes.count(NV_WRITE) == 1
        store.put(1, b"one")
        store.put(2, b"two")
        store.remove(1)
        assert wire.codes.count(NV_WRITE) == 4
        assert SealedStore.open(folder, keys(wire.tcti), BINDING).records() == {2: b"two"}
        assert wire.codes.count(NV_WRITE) == 4
