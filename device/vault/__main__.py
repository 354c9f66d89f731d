"""The vault process: its key, its sealed faces, its budget and its model's impostor tail; then the loop.

Rules kept here:
- Without its key, with a store that does not open, without the notice, or without a measured impostor tail, vault ends
  with one sentence; PIN and card go on in other processes, and nothing on the disk was changed.
- At a door that has ended only the mark is looked at: what is left is destroyed, and no model is needed for that.
- A record that does not open is told in one line and sleeps; so is one that was enrolled under other terms.
"""

from __future__ import annotations

import sys

from device import config, consent, manifest
from device.attestation import sign
from device.edges import Room
from device.handover import credential
from device.journal import log
from device.meaning import meaning
from device.paths import models_dir
from device.process import main
from device.sealing.providers import Index, key_store
from device.sealing.retired import Destroying, End
from device.sealing.store import Binding, SealedStore
from device.service import Service
from device.vault import tail
from device.vault.budget import Budget, Thresholds
from device.vault.expiry import Expiry
from device.vault.faces import Faces
from device.vault.loop import Vault
from device.vault.recognition import Recogniser
from device.vault.retired import Facts, RetiredVault
from device.vault.signing import Signer, signing_key

KEY_NAME = "vault.key"  # the credential of vault's unit: 32 random bytes


def build(service: Service) -> Vault | RetiredVault:
    """Vault's work for the door `service` belongs to; at one that has ended, what is left after it.

    Raises ConfigRefused, ModelRefused, KeyFault, StoreFault.
    """
    door = config.load(service.paths.config)
    if waits := config.face_alone_waits(service.paths.config):
        log(f"vault: {waits}")
    folder, door_id = service.paths.state(Room.VAULT), bytes.fromhex(door.door.id)
    root_key = credential(KEY_NAME)
    keys = key_store(door.vault.key_store, folder / "epoch.key", root_key, Index.VAULT, door.tpm.tcti)
    end = End(folder)
    if end.begun:
        facts = Facts(door_id, door.vault.key_place, door.keeper.key_place)
        destroying = Destroying(end, keys, "vault")
        return RetiredVault(service, destroying, facts, lambda paper: sign(paper, signing_key(root_key)))
    meant = meaning(manifest.load(models_dir()))
    budget = Budget(door.vault.false_opens_per_year, door.vault.strangers_per_day)
    bare = tail.load(models_dir(), meant.bare)
    covered = tail.load(models_dir(), meant.covered, tail.COVERED_FILE)
    thresholds = Thresholds(budget, bare, door.eye.frames, covered)
    terms = consent.terms_of(door, meant.bare)
    store = SealedStore.open(folder, keys, Binding(door_id, "face", meant.bare))
    faces = Faces(store, terms.hash, Expiry(int(door.vault.expiry_grace_s * 1e9)), meant.covered)
    for refusal in faces.refused:
        log(f"vault: {refusal}")
    if faces.outdated:
        log("vault: the terms have changed since faces were enrolled; those sleep until their residents agree anew")
    signer = Signer(door_id, signing_key(root_key), terms, door.vault.key_place)
    face_alone = door.lock.tier == "face"
    recogniser = Recogniser(meant.model_id(), thresholds, face_alone, door.lock.lights, meant.model_id(covered=True))

    def retire() -> None:
        end.begin()
        log("vault: the door ends; this process gives up what it holds, and the next one destroys it")
        service.fail()

    return Vault(service, faces, recogniser, signer, door.eye.enrol_frames, face_alone, retire=retire)


if __name__ == "__main__":
    sys.exit(main(Room.VAULT, build))
