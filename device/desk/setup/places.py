"""The questions about where keys live, in the words of docs/keys.md. Pure.

Rules kept here:
- What a place keeps shut is said by `device.strength`, the one table for the notice, the receipt and the audit.
- A place that this machine does not have, or cannot reach, is refused, not written down in hope.
- The PINs stay in a file by default: with the TPM's own memory a TPM that fails keeps every PIN from opening.
"""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from device.config.tables import CameraTable
from device.desk.setup.draft import Draft
from device.desk.setup.machine import Machine
from device.desk.setup.questions import Choice, Question
from device.errors import ConfigRefused
from device.strength import KeyPlace, describe

_PLACES = {
    "file": ("file", "host", KeyPlace.FILE_HOST_KEY, "a file, sealed with a key on the same disk"),
    "file-tpm": ("file", "tpm2", KeyPlace.FILE_TPM2_CREDENTIAL, "a file, sealed by this board's TPM"),
    "tpm": ("tpm-nv", "tpm2", KeyPlace.TPM_NV, "this board's TPM itself"),
}
_WHY = (
    "Erasing destroys a key. Whether an old copy of the disk brings it back depends on where the key above it lives; "
    "docs/keys.md tells it at length. Choose before anybody moves in: a key is not moved from one place to another."
)


def camera_backends() -> tuple[str, ...]:
    """The cameras that `device.config.tables` knows."""
    hint: Any = get_type_hints(CameraTable, include_extras=True)["backend"]
    words: tuple[str, ...] = get_args(hint)[1].words
    return words


def faces(draft: Draft, machine: Machine) -> Question:
    """Where the key above the faces lives."""
    table = draft.config.vault
    stands = _stands(table.key_store, table.root_key_sealed_with)
    return _question("vault.key_store", "Where does the key to the stored faces live?", stands, machine)


def take_faces(draft: Draft, machine: Machine, name: str) -> Draft:
    """The draft with that place for the faces. Raises ConfigRefused."""
    return _take(draft, machine, "vault", name)


def pins(draft: Draft, machine: Machine) -> Question | None:
    """Where the key above the PINs lives; not asked where there is no TPM and no choice."""
    table = draft.config.keeper
    if not machine.tpm and table.key_store == "file":
        return None
    words = (
        "Where does the key to the PINs live? If a TPM has to do with it and fails or is cleared, no PIN opens\n"
        "(docs/keys.md)."
    )
    return _question("keeper.key_store", words, _stands(table.key_store, table.root_key_sealed_with), machine)


def take_pins(draft: Draft, machine: Machine, name: str) -> Draft:
    """The draft with that place for the PINs. Raises ConfigRefused."""
    return _take(draft, machine, "keeper", name)


def refuse_missing(draft: Draft, machine: Machine) -> None:
    """Raise ConfigRefused where a TPM is named and none is there."""
    for table in ("vault", "keeper"):
        place = getattr(draft.config, table)
        if not machine.tpm and "tpm" in place.key_store + place.root_key_sealed_with:
            msg = f"[{table}] names a TPM, and this machine has none (/dev/tpmrm0)"
            raise ConfigRefused(msg)
        if not machine.tpm_tools and "tpm" in place.key_store + place.root_key_sealed_with:
            msg = f"[{table}] names a TPM, and what speaks to it is not installed: apt-get install tpm2-tools"
            raise ConfigRefused(msg)


def _question(key: str, words: str, stands: str, machine: Machine) -> Question:
    shown = [words]
    for number, (_, _, place, called) in enumerate(_PLACES.values(), start=1):
        shown.append(f"{number}, {called}:")
        shown += [f"     {sentence}" for sentence in describe(place).sentences()]
    if not machine.tpm:
        shown.append("This machine has no TPM, so only 1 can be had.")
    choices = tuple(Choice(name, called) for name, (_, _, _, called) in _PLACES.items())
    return Question(key, "\n".join(shown), _WHY, stands, choices)


def _stands(key_store: str, sealed_with: str) -> str:
    return "tpm" if key_store == "tpm-nv" else "file-tpm" if sealed_with == "tpm2" else "file"


def _take(draft: Draft, machine: Machine, table: str, name: str) -> Draft:
    key_store, sealed_with, _, _ = _PLACES[name]
    if not machine.tpm and name != "file":
        msg = "this machine has no TPM (/dev/tpmrm0); the key can live in a file only"
        raise ConfigRefused(msg)
    if not machine.tpm_tools and name != "file":
        msg = "what speaks to a TPM is not installed: apt-get install tpm2-tools, then set-up again"
        raise ConfigRefused(msg)
    return draft.put(table, key_store=key_store, root_key_sealed_with=sealed_with)
