"""What an ended door leaves on its board, and how it goes: the board may then begin anew, as another door.

Rules kept here:
- Only at a door that has ended, and only for whoever holds its receipt: every room says by its files that nothing is
  left, and the receipt is of this door. A door that lives is ended first (`doorctl retire`).
- The keys that systemd hands to the rooms go first. Without them no older copy of what the rooms kept opens, and no
  document that was ever sealed to this door does: nothing of the old door answers to anybody in between.
- Then what the door learned when it joined, the copy before the file itself: joined.toml alone would come back from it.
- The rooms' folders come last, and lock's mark at the very end. Cut off anywhere, it is a door that has ended, and the
  same command goes on.
- In each room's folder this acts with that room's rights, so that no link laid there leads root anywhere.
- door.toml is the installer's, and stays.

Files: the marks that `device.sealing.retired` and `device.lock.retiring` leave, and vault's receipt.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from device import durable, learned
from device.attestation import EndOfDoor, Paper
from device.desk.joining.owner import as_owner
from device.desk.upkeep import first_keys
from device.durable import sync_folder
from device.edges import Room
from device.errors import Refusal, StoreFault
from device.paths import Paths

MARK, DONE = "retired", "erased"
_ROOMS = (Room.REPORT, Room.DESK, Room.EYE, Room.KEEPER, Room.VAULT, Room.LOCK)  # in this order


class NotCleared(Refusal, RuntimeError):
    """This door's board is not cleared; one sentence says why."""


def refuse_unless_ended(paths: Paths, door: str, paper: Paper) -> None:
    """Raise NotCleared unless the door `door` (16 digits) has ended and `paper` is its receipt.

    `door` is empty where this command was here before and took the name away.
    """
    if not isinstance(paper, EndOfDoor) or (door and paper.door.hex() != door):
        msg = "this paper is not the receipt for the end of this door, so nothing was removed"
        raise NotCleared(msg)
    for room, sign in ((Room.LOCK, MARK), (Room.KEEPER, DONE), (Room.VAULT, DONE)):
        names = _names(paths.state(room))
        been_here = not names and room is not Room.LOCK  # whose mark is the last of all to go
        if sign not in names and not been_here:
            msg = f"this door has not ended, or {room} still has something left; `doorctl retire` ends it"
            raise NotCleared(msg)


def clear(paths: Paths) -> None:
    """Remove what is left of a door that has ended. Raises StoreFault; it may then be called again."""
    credentials = first_keys.folder(paths)
    for room in (Room.KEEPER, Room.LOCK, Room.VAULT):
        _remove(credentials / f"{room}.key")
    _remove(first_keys.made(paths))
    for name in (learned.COPY, learned.JOINED):
        _remove(paths.config.with_name(name))
    for room in _ROOMS:
        folder = paths.state(room)
        if folder.is_dir():
            with as_owner(folder):
                _empty(folder)


def _empty(folder: Path) -> None:
    """Remove everything in `folder`; last what says that it may go, so that this may be called again."""
    for name in sorted(_names(folder), key=lambda name: (name == DONE, name == MARK, name)):
        path = folder / name
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
            sync_folder(folder)
        except OSError as cause:
            raise _stays(path, cause) from cause


def _remove(path: Path) -> None:
    try:
        durable.remove(path)
    except OSError as cause:
        raise _stays(path, cause) from cause


def _names(folder: Path) -> set[str]:
    try:
        return {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        return set()
    except OSError as cause:
        msg = f"{folder} cannot be looked into: {cause.strerror}"
        raise StoreFault(msg) from cause


def _stays(path: Path, cause: OSError) -> StoreFault:
    return StoreFault(f"{path} cannot be removed, so this door is not cleared yet: {cause.strerror}")
