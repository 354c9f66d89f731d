"""The vault process: its key, its sealed faces, its budget and its model's impostor tail; then the loop.

Rules kept here:
- Without its key, with a store that does not open, or without a measured impostor tail, vault ends with one sentence;
  PIN and card go on in other processes, and nothing on the disk was changed.
- A record that does not open is told in one line and sleeps.
"""

from __future__ import annotations

import sys

from device import config, manifest
from device.edges import Room
from device.manifest import Job
from device.paths import models_dir
from device.sealing.providers import Index, key_store
from device.sealing.store import Binding, SealedStore
from device.service import Service, credential, log, main
from device.vault import tail
from device.vault.budget import Budget, Thresholds
from device.vault.faces import Faces
from device.vault.loop import Vault
from device.vault.recognition import Recogniser

KEY_NAME = "vault.key"  # the credential of vault's unit: 32 random bytes


def build(service: Service) -> Vault:
    """Vault's work for the door `service` belongs to. Raises ConfigRefused, ModelRefused, KeyFault, StoreFault."""
    door = config.load(service.paths.config)
    embedder = manifest.load(models_dir()).for_job(Job.EMBED)
    budget = Budget(door.vault.false_opens_per_year, door.vault.strangers_per_day)
    thresholds = Thresholds(budget, tail.load(models_dir(), embedder.sha256), door.eye.frames)
    folder = service.paths.state(Room.VAULT)
    root_key = credential(KEY_NAME)
    keys = key_store(door.vault.key_store, folder / "epoch.key", root_key, Index.VAULT, door.tpm.tcti)
    store = SealedStore.open(folder, keys, Binding(bytes.fromhex(door.door.id), "face", embedder.sha256))
    faces = Faces(store)
    for refusal in faces.refused:
        log(f"vault: {refusal}")
    return Vault(service, faces, Recogniser(embedder.model_id, thresholds), door.eye.enrol_frames)


if __name__ == "__main__":
    sys.exit(main(Room.VAULT, build))
