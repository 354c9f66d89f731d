"""door.toml names the place of each key; what it promises is one table."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from device import config
from device.errors import ConfigRefused, KeyFault
from device.sealing.keys import FileKeyStore
from device.sealing.providers import Index, key_store
from device.sealing.tpm import TpmNvKeyStore
from device.strength import LANGUAGES, Answer, KeyPlace, describe, place_of

DOOR = '[door]\nid = "0123456789abcdef"\n'
ROOT_KEY = b"r" * 32


def test_without_a_word_in_door_toml_both_keys_live_in_files() -> None:
    door = config.parse(DOOR)
    assert (door.vault.key_store, door.keeper.key_store) == ("file", "file")


def test_each_room_names_its_own_place() -> None:
    door = config.parse(DOOR + '[vault]\nkey_store = "tpm-nv"\n')
    assert (door.vault.key_store, door.keeper.key_store, door.tpm.tcti) == ("tpm-nv", "file", "device:/dev/tpmrm0")


@pytest.mark.parametrize("word", ["auto", "tpm", "TPM-NV", ""])
def test_no_other_word_is_taken_least_of_all_auto(word: str) -> None:
    with pytest.raises(ConfigRefused, match='must be one of "file", "tpm-nv"'):
        config.parse(f'{DOOR}[keeper]\nkey_store = "{word}"\n')


@pytest.mark.parametrize(
    "tcti", ["cmd:sh -c id", "libevil.so", "device:/dev/sda", "device:/dev/tpmrm0,x", "swtpm:path=a", "/tmp/x.so"]
)
def test_only_a_tpm_device_or_a_software_tpm_can_be_named(tcti: str) -> None:
    with pytest.raises(ConfigRefused, match="tcti must be such as"):
        config.parse(f'{DOOR}[tpm]\ntcti = "{tcti}"\n')


def test_the_named_place_is_the_one_used(tmp_path: Path) -> None:
    path = tmp_path / "epoch.key"
    assert isinstance(key_store("file", path, ROOT_KEY, Index.VAULT, "device:/dev/tpmrm0"), FileKeyStore)
    assert isinstance(key_store("tpm-nv", path, ROOT_KEY, Index.VAULT, "device:/dev/tpmrm0"), TpmNvKeyStore)
    with pytest.raises(KeyFault, match="no key store called auto"):
        key_store("auto", path, ROOT_KEY, Index.VAULT, "device:/dev/tpmrm0")


def test_every_place_has_a_row_and_only_the_tpm_makes_a_deletion_final() -> None:
    assert {place for place in KeyPlace if describe(place).deletion_is_final} == {KeyPlace.TPM_NV}
    assert all(describe(place).place is place for place in KeyPlace)
    assert all(describe(place).live_files is Answer.SHUT for place in KeyPlace)


def test_door_toml_names_the_row_and_without_a_word_it_is_the_weakest() -> None:
    door = config.parse(DOOR)
    assert door.vault.key_place is KeyPlace.FILE_HOST_KEY
    assert {
        (store, sealed): place_of(store, sealed) for store in ("file", "tpm-nv") for sealed in ("host", "tpm2")
    } == {
        ("file", "host"): KeyPlace.FILE_HOST_KEY,
        ("file", "tpm2"): KeyPlace.FILE_TPM2_CREDENTIAL,
        ("tpm-nv", "host"): KeyPlace.TPM_NV,
        ("tpm-nv", "tpm2"): KeyPlace.TPM_NV,
    }


def test_the_numbers_in_receipts_never_change() -> None:
    assert {place.name: int(place) for place in KeyPlace} == {
        "FILE_HOST_KEY": 1,
        "FILE_TPM2_CREDENTIAL": 2,
        "TPM_NV": 3,
    }


def test_every_answer_is_a_sentence() -> None:
    for place, language in itertools.product(KeyPlace, LANGUAGES):
        sentences = describe(place).sentences(language)
        assert len(set(sentences)) == 4
        assert all(sentence.endswith((".", "。")) for sentence in sentences)
