"""The rooms' state folders: whose they are, who may enter them, and that vault's holds nothing it should not.

Rules kept here:
- Only names, owners and modes are looked at, never contents.
- A folder that this user may not read is a failed check and not a silent one.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from device.desk.audit.finding import Finding, failed, ok, skipped
from device.edges import Room
from device.link import permitted_uids
from device.paths import Paths

STATEFUL = (Room.VAULT, Room.KEEPER, Room.LOCK, Room.REPORT)
PRIVATE = frozenset({Room.VAULT, Room.KEEPER})  # sealed records: nobody else may even list them
_RECORD = re.compile(r"[0-9a-f]{32}\.rec")
_RINGS = frozenset({"ring.a", "ring.b"})
_KEY_FILES = frozenset({"epoch.key", "epoch.key.new"})  # the second one for a moment, or after a power cut
_WRITE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_ANY_BY_OTHERS = stat.S_IRWXG | stat.S_IRWXO
TRY_SUDO = "this user may not read it; try again with sudo"


def owners(paths: Paths, room: Room) -> frozenset[int]:
    """The user ids that may own the state folder of `room`."""
    if paths.root == Path("/"):
        return permitted_uids(room)
    try:
        # A door below a folder of its own is a simulated one: who owns the folder runs all its rooms.
        return frozenset({paths.root.stat().st_uid})
    except OSError:
        return frozenset()


def owner_and_mode(room: Room, folder: Path, uids: frozenset[int]) -> Finding:
    """Whether `folder` belongs to `room` alone."""
    name = f"{room} folder"
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return skipped(name, f"there is none yet: {room} has stored nothing")
    except OSError as cause:
        return failed(name, f"{folder} cannot be looked at: {cause.strerror}")
    mode = stat.S_IMODE(found.st_mode)
    forbidden = _ANY_BY_OTHERS if room in PRIVATE else _WRITE_BY_OTHERS
    if not stat.S_ISDIR(found.st_mode):
        return failed(name, f"{folder} is no folder")
    if found.st_uid not in uids:
        expected = ", ".join(map(str, sorted(uids))) or "nobody: that user does not exist"
        return failed(name, f"{folder} belongs to user {found.st_uid}, not to {expected}")
    if mode & forbidden:
        return failed(name, f"{folder} is open to others (mode {mode:04o})")
    return ok(name, f"its own user's alone (user {found.st_uid}, mode {mode:04o})")


def only_known_files(folder: Path, key_store: str) -> Finding:
    """Whether vault's `folder` holds rings, records and, with the key store "file", its sealed key; nothing else."""
    name = "vault files"
    known = _RINGS | (_KEY_FILES if key_store == "file" else frozenset())
    try:
        with os.scandir(folder) as listing:
            found = [(each.name, each.is_file(follow_symlinks=False)) for each in listing]
    except FileNotFoundError:
        return skipped(name, "there is no folder yet: vault has stored nothing")
    except PermissionError:
        return failed(name, TRY_SUDO)
    except OSError as cause:
        return failed(name, f"{folder} cannot be listed: {cause.strerror}")
    strangers = sorted(each for each, plain in found if not plain or not (each in known or _RECORD.fullmatch(each)))
    if strangers:
        return failed(name, f"neither ring nor record: {', '.join(map(ascii, strangers))}")
    # Not how many: an audit is made to be shown, and a number tells how many people use a face.
    return ok(name, "sealed records, what opens them, and nothing else")
