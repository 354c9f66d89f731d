"""The vault process: its key, its sealed faces, its budget and its model's impostor tail; then the loop.

Rules kept here:
- Without its key, with a store that does not open, without the notice, or without a measured impostor tail, vault ends
  with one sentence; PIN and card go on in other processes, and nothing on the disk was changed.
- A record that does not open is told in one line and sleeps; so is one that was enrolled under other terms.
"""

from __future__ import annotations

import sys

from device import config, consent, manifest
from device.edges import Room
from device.manifest import Job
from device.paths import models_dir
from device.sealing.providers import Index, key_store
from device.sealing.store import Binding, SealedStore
from device.service import Service, credential, log, main
from device.vault import tail
from device.vault.budget import Budget, Thresholds
from device.vault.expiry import Expiry
from device.vault.faces import Faces
from device.vault.loop import Vault
from device.vault.recognition import Recogniser
from device.vault.signing import Signer, signing_key

KEY_NAME = "vault.key"  # the credential of vault's unit: 32 random bytes


def build(service: Service) -> Vault:
    """Vault's work for the door `service` belongs to. Raises ConfigRefused, ModelRefused, KeyFault, StoreFault."""
    door = config.load(service.paths.config)
    embedder = manifest.load(models_dir()).for_job(Job.EMBED)
    budget = Budget(door.vault.false_opens_per_year, door.vault.strangers_per_day)
    thresholds = Thresholds(budget, tail.load(models_dir(), embedder.sha256), door.eye.frames)
    folder, door_id = service.paths.state(Room.VAULT), bytes.fromhex(door.door.id)
    root_key = credential(KEY_NAME)
    keys = key_store(door.vault.key_store, folder / "epoch.key", root_key, Index.VAULT, door.tpm.tcti)
    terms = consent.terms_of(door, embedder.sha256)
    store = SealedStore.open(folder, keys, Binding(door_id, "face", embedder.sha256))
    faces = Faces(store, terms.hash, Expiry(int(door.vault.expiry_grace_s * 1e9)))
    for refusal in faces.refused:
        log(f"vault: {refusal}")
    if faces.outdated:
        log("vault: the terms have changed since faces were enrolled; those sleep until their residents agree anew")
    signer = Signer(door_id, signing_key(root_key), terms, door.vault.key_place)
    face_alone = door.lock.tier == "face"
    recogniser = Recogniser(embedder.model_id, thresholds, face_alone)
    return Vault(service, faces, recogniser, signer, door.eye.enrol_frames, face_alone)


if __name__ == "__main__":
    sys.exit(main(Room.VAULT, build))
