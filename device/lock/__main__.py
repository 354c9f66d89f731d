"""Start lock: `python -m device.lock`, under its unit or doorsim."""

from __future__ import annotations

import sys

from device import config as door_config
from device.edges import Room
from device.handover import credential
from device.journal import log
from device.lock.assembly import board_of
from device.lock.hours import NOT_ALONE
from device.lock.identity import KEY_NAME, DocumentKey
from device.lock.loop import LockWork
from device.lock.narrowing import rules_of
from device.lock.policy import Policy, VersionFile
from device.paths import door_paths
from device.policy.methods import EVERYTHING
from device.process import main
from device.service import Service
from device.urgency import come_first


def build(service: Service) -> LockWork:
    """Lock's work from door.toml; what follows the start comes first."""
    paths = door_paths()
    config = door_config.load(paths.config)
    if waits := door_config.face_alone_waits(paths.config):
        log(f"lock: {waits}")
    policy = Policy(
        bytes.fromhex(config.door.id),
        bytes.fromhex(config.door.manager_key),
        DocumentKey.of(credential(KEY_NAME)),
        VersionFile(paths.state(Room.LOCK) / "policy-version"),
        EVERYTHING if config.lock.board == "sim" else NOT_ALONE,
    )
    work = LockWork(service, board_of(config, paths), policy, rules_of(config))
    service.linger(work.serves)
    come_first(Room.LOCK)
    return work


if __name__ == "__main__":
    sys.exit(main(Room.LOCK, build))
