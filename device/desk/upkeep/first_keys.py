"""`python -m device.desk.upkeep.first_keys`: the keys of a new door, sealed for systemd. For doorward-keys.service.

Rules kept here:
- A key that is there is never overwritten, and one that was there and is gone is never replaced: a new key would open
  nothing of what the old one sealed. Whoever lost it decides; the sentence says how.
- A key leaves this process sealed or not at all: it goes to systemd-creds through a pipe and is written by nobody else.
- What was sealed is opened once before it counts: a TPM that seals and does not open costs nobody anything.
- How each is sealed stands in door.toml (docs/keys.md) and is never found out. lock's follows keeper's: neither PINs
  nor the bolt shall hang on a TPM that the installer did not choose for them.
- A TPM is told first that a power cut is no attack (`tpm_patience`), or it seals nothing.
- No PCR that anything measures into is bound: a new firmware must not lock residents out. The TPM itself is what a
  stolen card lacks.

Source: systemd-creds(1), systemd.exec(5) on LoadCredentialEncrypted=.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from device import config as door_config
from device import durable
from device.config.tables import Config
from device.desk.upkeep import tpm_patience
from device.desk.upkeep.tpm_patience import Tool
from device.edges import Room
from device.errors import Fault, KeyFault, Refusal
from device.paths import Paths, door_paths

KEY_BYTES = 32
PROGRAM = "/usr/bin/systemd-creds"
SEAL_S = 20.0  # a TPM takes about a second; the unit gives all keys together a minute
_FILE_MODE, _FOLDER_MODE = 0o600, 0o700
# systemd 252 seals to no PCR at all, and then refuses to open that ("TPM2 PCR bank invalid or not supported"; seen on
# Debian 12). 23 is for applications (TCG PC Client Platform Firmware Profile): nothing writes to it here.
_UNUSED_PCR = 23
_SEALED_WITH = {"host": "host", "tpm2": "host+tpm2"}  # the TPM's on top of the host's: neither alone opens it

Creds = Callable[[tuple[str, ...], bytes], bytes]
"""Runs systemd-creds with these words and this standard input; its standard output. Raises KeyFault."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One key: the credential's name, and `--with-key=` as systemd-creds calls it."""

    name: str
    with_key: str


def wanted(config: Config) -> tuple[Wanted, ...]:
    """The keys of a door. That of an OSDP reader is not among them: it is in the reader, and the installer's."""
    keepers = _SEALED_WITH[config.keeper.root_key_sealed_with]
    return (
        Wanted(f"{Room.KEEPER}.key", keepers),
        Wanted(f"{Room.LOCK}.key", keepers),
        Wanted(f"{Room.VAULT}.key", _SEALED_WITH[config.vault.root_key_sealed_with]),
    )


def folder(paths: Paths) -> Path:
    """Where systemd looks for sealed credentials by their name."""
    return paths.root / "etc" / "credstore.encrypted"


def made(paths: Paths) -> Path:
    """The list of the keys that this door ever had: names, one a line."""
    return paths.root / "var" / "lib" / "doorward" / "keys-made"


def make_missing(config: Config, paths: Paths, creds: Creds, tpm: Tool = tpm_patience.tpm2) -> tuple[str, ...]:
    """Make the keys that are missing; their names. Raises KeyFault for the first that cannot or must not be made."""
    place, ever = folder(paths), _names(made(paths))
    if any("tpm2" in key.with_key and not os.path.lexists(place / key.name) for key in wanted(config)):
        tpm_patience.be_patient(tpm)
    new = []
    for key in wanted(config):
        if not os.path.lexists(place / key.name):
            if key.name in ever:
                msg = (
                    f"the key {key.name} was made before and is gone from {place}: put it back from a backup of this "
                    f"door. Without it, what it sealed stays shut; to begin anew, take its name out of {made(paths)}"
                )
                raise KeyFault(msg)
            _keep(place / key.name, _sealed(key, creds))
            new.append(key.name)
        if key.name not in ever:
            ever = (*ever, key.name)
            _replace(made(paths), "".join(f"{name}\n" for name in ever).encode())
    return tuple(new)


def systemd_creds(words: tuple[str, ...], content: bytes) -> bytes:
    """`Creds` by the real program."""
    try:
        ended = subprocess.run([PROGRAM, *words], input=content, capture_output=True, timeout=SEAL_S, check=False)
    except subprocess.TimeoutExpired as cause:
        msg = f"systemd-creds did not answer within {SEAL_S:.0f} seconds"
        raise KeyFault(msg) from cause
    except OSError as cause:
        msg = f"systemd-creds cannot be run: {cause.strerror}"
        raise KeyFault(msg) from cause
    if ended.returncode != 0:
        said = ended.stderr.decode("utf-8", "replace").strip().splitlines()
        msg = f"systemd-creds refused to {words[0]} a key: {said[-1] if said else 'it did not say why'}"
        raise KeyFault(msg)
    return ended.stdout


def run(creds: Creds = systemd_creds, tpm: Tool = tpm_patience.tpm2) -> int:
    """Make what is missing at this door; the exit code."""
    paths = door_paths()
    try:
        new = make_missing(door_config.load(paths.config, without_id=True), paths, creds, tpm)
    except (Refusal, Fault) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"Made {', '.join(new)}.\n" if new else "Every key is there; nothing was changed.\n")
    return 0


def _sealed(key: Wanted, creds: Creds) -> bytes:
    secret = secrets.token_bytes(KEY_BYTES)
    named = f"--name={key.name}"
    blob = creds(("encrypt", named, f"--with-key={key.with_key}", f"--tpm2-pcrs={_UNUSED_PCR}", "-", "-"), secret)
    if creds(("decrypt", named, "--newline=no", "-", "-"), blob) != secret:
        msg = f"the key {key.name} was sealed, and does not open again; nothing was kept of it"
        raise KeyFault(msg)
    return blob


def _names(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_text(encoding="utf-8").split())
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as cause:
        msg = f"{path} cannot be read, so it is not known which keys this door has had"
        raise KeyFault(msg) from cause


def _keep(path: Path, content: bytes) -> None:
    """Durable, whole or not at all, and never in the place of another."""
    new = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        durable.write_beside(new, content, _FILE_MODE)
        os.link(new, path)
        durable.sync_folder(path.parent)
    except OSError as cause:
        msg = f"the key {path.name} cannot be kept in {path.parent}: {cause.strerror}"
        raise KeyFault(msg) from cause
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def _replace(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        durable.replace(path, content, _FILE_MODE)
    except OSError as cause:
        msg = f"{path} cannot be written: {cause.strerror}"
        raise KeyFault(msg) from cause


if __name__ == "__main__":
    sys.exit(run())
