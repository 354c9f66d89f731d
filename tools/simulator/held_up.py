"""Pictures as somebody holds them up before the simulated camera: rendered once, and kept in the door's folder.

Rules kept here:
- What is kept is found by what it was made from: the picture's bytes, what it is held up as, the camera's size, the
  distance, and the code that renders. A change of any of them is rendered anew.
- A file appears whole or not at all.
- Everything here is rendered (`tools.attack_lab`): it stands for a person or an attack in tests and demonstrations, and
  proves nothing about a real one.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import astuple, dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import Final

from device.errors import PictureRefused
from device.eye.scene import LIT_SUFFIX

SHELF: Final = "held-up"
TURNING_SUFFIX: Final = ".turning"  # that of device.eye.turning, which is not loaded for every command


@unique
class As(StrEnum):
    """What somebody holds up, as `doorsim show --as` names it."""

    LIVE = "live"
    PRINT = "print"
    SCREEN = "screen"
    VIDEO = "video"
    CUTOUT = "cutout"
    TURNING = "turning"
    TURNED_PRINT = "turned-print"


_TURN: Final = (As.TURNING, As.TURNED_PRINT)


@dataclass(frozen=True, slots=True)
class Held:
    """As what, before a camera of `width_px` x `height_px`, and how near: `scale` as in `doorsim show`."""

    kind: As
    width_px: int
    height_px: int
    scale: float


def answers_to_light(source: Path) -> bool:
    """Whether `source` is rendered already: a basis (`device.eye.basis`), a folder that holds one, or who can turn."""
    known = source.suffix in {LIT_SUFFIX, TURNING_SUFFIX}
    return known or (source.is_dir() and any(source.glob(f"*{LIT_SUFFIX}")))


def rendered(source: Path, held: Held, board: Path) -> Path:
    """The picture or the folder of pictures `source` as bases below the door's folder `board`.

    Raises PictureRefused for what is no picture, or several of which one is to turn, what the renderer raises for one
    without a face, and OSError.
    """
    if not source.is_dir():
        return _kept(source, held, board / SHELF)
    if held.kind in _TURN:
        msg = f"{source.name} is a folder: only one picture can be held up as {held.kind}"
        raise PictureRefused(msg)
    from device.eye.pictures import picture_files  # and numpy with it: not for every command

    pictures = picture_files(source)
    bases = [_kept(picture, held, board / SHELF) for picture in pictures]
    folder = board / SHELF / _digest("\n".join(each.stem for each in bases).encode())
    folder.mkdir(exist_ok=True)
    for number, basis in enumerate(bases):
        link = folder / f"{number:04d}{LIT_SUFFIX}"
        if not link.exists():
            link.symlink_to(basis)
    return folder


def _kept(picture: Path, held: Held, shelf: Path) -> Path:
    made_from = [_code(), picture.read_bytes(), repr(astuple(held)).encode()]
    if held.kind in _TURN:
        return _turning(picture, held, shelf / f"{_digest(*made_from)}{TURNING_SUFFIX}")
    path = shelf / f"{_digest(*made_from)}{LIT_SUFFIX}"
    if not path.exists():
        from tools.attack_lab.hold_up import HeldUp, hold_up

        basis = hold_up(picture, HeldUp[held.kind.name], held.width_px, held.height_px, held.scale)
        shelf.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.stem}.{os.getpid()}.new{LIT_SUFFIX}")
        basis.save(temporary)
        temporary.replace(path)
    return path


def _turning(picture: Path, held: Held, folder: Path) -> Path:
    if not folder.exists():
        from tools.attack_lab.turning import Turns, save, turning

        bases = turning(picture, Turns[held.kind.name], held.width_px, held.height_px, held.scale)
        temporary = folder.with_name(f"{folder.stem}.{os.getpid()}.new")
        temporary.mkdir(parents=True)
        save(bases, temporary)
        temporary.replace(folder)
    return folder


def _code() -> bytes:
    """The bytes of everything that renders."""
    folder = Path(__file__).resolve().parents[1] / "attack_lab"
    return b"\0".join(path.read_bytes() for path in sorted(folder.glob("*.py")))


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:32]
