"""The vault process: its key, its sealed faces, its model's threshold; then the loop.

Rules kept here:
- Without its key, with a store that does not open, or without a measured threshold, vault ends with one sentence; PIN
  and card go on in other processes, and nothing on the disk was changed.
- A record that does not open is told in one line and sleeps.
"""

from __future__ import annotations

import sys

from device import config, manifest
from device.edges import Room
from device.manifest import Job
from device.paths import models_dir
from device.sealing.keys import FileKeyStore
from device.sealing.store import Binding, SealedStore
from device.service import Service, credential, log, main
from device.vault.budget import measured_threshold
from device.vault.faces import Faces
from device.vault.loop import Vault
from device.vault.recognition import Recogniser

KEY_NAME = "vault.key"  # the credential of vault's unit: 32 random bytes


def build(service: Service) -> Vault:
    """Vault's work for the door `service` belongs to. Raises ConfigRefused, ModelRefused, KeyFault, StoreFault."""
    door = config.load(service.paths.config)
    embedder = manifest.load(models_dir()).for_job(Job.EMBED)
    threshold = measured_threshold(embedder)
    folder = service.paths.state(Room.VAULT)
    keys = FileKeyStore(folder / "epoch.key", credential(KEY_NAME))
    store = SealedStore.open(folder, keys, Binding(bytes.fromhex(door.door.id), "face", embedder.sha256))
    faces = Faces(store)
    for refusal in faces.refused:
        log(f"vault: {refusal}")
    return Vault(service, faces, Recogniser(embedder.model_id, threshold), door.eye.enrol_frames)


if __name__ == "__main__":
    sys.exit(main(Room.VAULT, build))
