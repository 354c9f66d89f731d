"""The keys of a new door: made once, sealed, opened before they count, never overwritten and never replaced."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device import config
from device.config.tables import Config
from device.desk.upkeep import first_keys
from device.errors import KeyFault
from device.paths import Paths
from tools.simulator import layout

NAMES = ("keeper.key", "lock.key", "vault.key")
PATIENT = "TPM2_PT_MAX_AUTH_FAIL: 0x2710\nTPM2_PT_LOCKOUT_INTERVAL: 0x3C\nTPM2_PT_LOCKOUT_RECOVERY: 0x3E8\n"
DOOR = '[door]\nid = "00112233445566aa"\n'


@dataclass
class Sealer:
    """Stands for systemd-creds: the seal names the credential, and only that name opens it."""

    opens: bool = True
    words: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, words: tuple[str, ...], content: bytes) -> bytes:
        self.words.append(words)
        name = next(word for word in words if word.startswith("--name=")).encode()
        if words[0] == "encrypt":
            return b"sealed:" + name + b":" + bytes(byte ^ 0x5A for byte in content)
        head = b"sealed:" + name + b":"
        if not content.startswith(head):
            msg = "systemd-creds refused to decrypt a key"
            raise KeyFault(msg)
        plain = bytes(byte ^ 0x5A for byte in content.removeprefix(head))
        return plain if self.opens else plain[::-1]


def _config(more: str = "") -> Config:
    return config.parse(DOOR + more)


def test_a_new_door_gets_a_key_for_each_room_that_needs_one(tmp_path: Path) -> None:
    paths, creds = Paths(tmp_path), Sealer()
    assert first_keys.make_missing(_config(), paths, creds) == NAMES
    assert set(NAMES) == {f"{room}.key" for room in layout.KEYED_ROOMS}
    contents = {(first_keys.folder(paths) / name).read_bytes() for name in NAMES}
    assert len(contents) == len(NAMES), "each key is its own"
    for name in NAMES:
        path = first_keys.folder(paths) / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        plain = creds(("decrypt", f"--name={name}"), path.read_bytes())
        assert len(plain) == first_keys.KEY_BYTES
        assert plain not in path.read_bytes()
    assert sorted(path.name for path in first_keys.folder(paths).iterdir()) == sorted(NAMES)


def test_a_key_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    first_keys.folder(paths).mkdir(parents=True)
    mine = first_keys.folder(paths) / "lock.key"
    mine.write_bytes(b"brought along by the installer")
    assert first_keys.make_missing(_config(), paths, Sealer()) == ("keeper.key", "vault.key")
    assert mine.read_bytes() == b"brought along by the installer"
    assert first_keys.make_missing(_config(), paths, Sealer()) == ()


def test_a_key_that_appears_meanwhile_is_not_overwritten_either(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    place = first_keys.folder(paths) / "keeper.key"

    class Late(Sealer):
        def __call__(self, words: tuple[str, ...], content: bytes) -> bytes:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(b"somebody was faster")
            return super().__call__(words, content)

    with pytest.raises(KeyFault, match=r"keeper\.key"):
        first_keys.make_missing(_config(), paths, Late())
    assert place.read_bytes() == b"somebody was faster"


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_was_lost_is_not_replaced_in_silence(tmp_path: Path, name: str) -> None:
    paths = Paths(tmp_path)
    first_keys.make_missing(_config(), paths, Sealer())
    (first_keys.folder(paths) / name).unlink()
    with pytest.raises(KeyFault, match="put it back"):
        first_keys.make_missing(_config(), paths, Sealer())
    assert not (first_keys.folder(paths) / name).exists()
    # The same test with the memory of it gone: a new key, which is why the memory is kept.
    first_keys.made(paths).unlink()
    assert first_keys.make_missing(_config(), paths, Sealer()) == (name,)


def test_a_key_that_does_not_open_again_is_not_kept(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    with pytest.raises(KeyFault, match="does not open again"):
        first_keys.make_missing(_config(), paths, Sealer(opens=False))
    assert not (first_keys.folder(paths) / "keeper.key").exists()
    assert first_keys.make_missing(_config(), paths, Sealer()) == NAMES


def test_what_a_power_cut_left_is_no_key(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    first_keys.folder(paths).mkdir(parents=True)
    (first_keys.folder(paths) / "vault.key.new").write_bytes(b"half")
    assert first_keys.make_missing(_config(), paths, Sealer()) == NAMES
    assert (first_keys.folder(paths) / "vault.key").read_bytes() != b"half"
    assert not (first_keys.folder(paths) / "vault.key.new").exists()


@pytest.mark.parametrize(
    ("more", "sealed_with"),
    [
        ("", {"keeper.key": "host", "lock.key": "host", "vault.key": "host"}),
        (
            '[vault]\nroot_key_sealed_with = "tpm2"\n',
            {"keeper.key": "host", "lock.key": "host", "vault.key": "host+tpm2"},
        ),
        (
            '[keeper]\nroot_key_sealed_with = "tpm2"\n',
            {"keeper.key": "host+tpm2", "lock.key": "host+tpm2", "vault.key": "host"},
        ),
    ],
)
def test_a_key_is_sealed_as_door_toml_says_and_bound_to_no_pcr(
    tmp_path: Path, more: str, sealed_with: dict[str, str]
) -> None:
    creds = Sealer()
    asked: list[tuple[str, ...]] = []

    def tpm(words: tuple[str, ...]) -> str:
        asked.append(words)
        return PATIENT

    first_keys.make_missing(_config(more), Paths(tmp_path), creds, tpm)
    assert bool(asked) == ("tpm2" in more), "a TPM that seals nothing is nobody's affair here"
    sealed = [words for words in creds.words if words[0] == "encrypt"]
    assert {words[1].removeprefix("--name="): words[2].removeprefix("--with-key=") for words in sealed} == sealed_with
    assert all("--tpm2-pcrs=23" in words for words in sealed)


def test_no_key_stands_in_an_argument(tmp_path: Path) -> None:
    paths, creds = Paths(tmp_path), Sealer()
    first_keys.make_missing(_config(), paths, creds)
    plain = [creds(("decrypt", f"--name={name}"), (first_keys.folder(paths) / name).read_bytes()) for name in NAMES]
    said = " ".join(" ".join(words) for words in creds.words)
    assert not any(key.hex() in said or key.decode("latin-1") in said for key in plain)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    first_keys.folder(paths).parent.mkdir(parents=True)
    first_keys.folder(paths).write_bytes(b"a file where the folder should be")
    with pytest.raises(KeyFault, match=r"^the key keeper\.key cannot be kept in .+: .+$"):
        first_keys.make_missing(_config(), paths, Sealer())


def test_a_program_that_is_missing_or_refuses_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(first_keys, "PROGRAM", str(tmp_path / "not-there"))
    with pytest.raises(KeyFault, match=r"^systemd-creds cannot be run: .+$"):
        first_keys.systemd_creds(("encrypt",), b"")
    monkeypatch.setattr(first_keys, "PROGRAM", "/bin/false")
    with pytest.raises(KeyFault, match=r"^systemd-creds refused to encrypt a key: it did not say why$"):
        first_keys.systemd_creds(("encrypt",), b"")


def test_the_command_says_what_it_made_and_then_that_nothing_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOORWARD_ROOT", str(tmp_path))
    assert first_keys.run(Sealer()) == 1
    assert "there is no configuration" in capsys.readouterr().err
    toml = Paths(tmp_path).config
    toml.parent.mkdir(parents=True)
    toml.write_text("", encoding="utf-8")  # a door that has not joined yet has keys all the same
    assert first_keys.run(Sealer()) == 0
    assert capsys.readouterr().out == "Made keeper.key, lock.key, vault.key.\n"
    assert first_keys.run(Sealer()) == 0
    assert capsys.readouterr().out == "Every key is there; nothing was changed.\n"
