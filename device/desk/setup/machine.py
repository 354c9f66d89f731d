"""What this machine has that a door could use: keypads, serial adapters, GPIO chips, card readers, a TPM, a watchdog.

Rules kept here:
- It is looked at by name, and nothing is opened, claimed or changed.
- A keypad is named by the socket it hangs on, and its make stands beside it: together they tell it from every other
  keypad but one of the same make in the same socket.
- Of the door that it may be already it says which attacks were tried on it.
- What cannot be seen is not there; set-up goes on without it.

Sources: the links that udev makes below /dev; Documentation/input of the kernel, for what sysfs says of a device.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from device import tried
from device.desk.setup.neighbours import LOCK, Ask, NeighbourFault
from device.desk.upkeep import tpm_patience
from device.paths import Paths

_SOON_S = 10.0
_MAKE = ("bustype", "vendor", "product", "version")


@dataclass(frozen=True, slots=True)
class Keypad:
    """An input device with keys: its lasting name, what it calls itself, and its make as [lock] keypad_id wants it."""

    path: str
    called: str = ""
    make: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """A GPIO chip by its label, with the names of its lines in order; empty where one has none."""

    label: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """What was found. `simulated`: the folder of the simulated board, empty on a real machine.

    `tried`: which attacks were tried on this door; None if none, or if nobody can read what came of it.
    """

    model: str = ""
    keypads: tuple[Keypad, ...] = ()
    serials: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    chips: tuple[Chip, ...] = ()
    readers: tuple[str, ...] = ()
    tpm: bool = False
    tpm_tools: bool = False
    watchdog: bool = False
    simulated: str = ""
    tried: tried.Tryout | None = None


def look(paths: Paths, ask: Ask, root: Path = Path("/")) -> Machine:
    """This machine. `root`: where dev/, sys/ and proc/ are."""
    return Machine(
        model=_text(root / "proc/device-tree/model"),
        keypads=_keypads(root),
        serials=_serials(root),
        cameras=_cameras(root),
        chips=_chips(ask),
        readers=_readers(ask),
        tpm=(root / "dev/tpmrm0").exists(),
        tpm_tools=(root / tpm_patience.PROGRAM.lstrip("/")).exists(),
        watchdog=(root / "dev/watchdog0").exists(),
        simulated=str(paths.board) if (paths.board / "cable.sock").exists() else "",
        tried=tried.known(paths.config),
    )


def _keypads(root: Path) -> tuple[Keypad, ...]:
    found: dict[Path, Keypad] = {}
    for folder in ("by-path", "by-id"):
        for link in _listed(root / "dev/input" / folder):
            if not link.name.endswith(("-event-kbd", "-event")) or link.name.endswith("-event-mouse"):
                continue
            device = root / "sys/class/input" / link.resolve().name / "device"
            make = ":".join(_text(device / "id" / part) for part in _MAKE)
            named = Keypad(f"/dev/input/{folder}/{link.name}", _text(device / "name"), make if len(make) > 3 else "")  # noqa: PLR2004 - more than three colons
            found.setdefault(link.resolve(), named)
    return tuple(sorted(found.values(), key=lambda keypad: keypad.path))


def _serials(root: Path) -> tuple[str, ...]:
    found: dict[Path, str] = {}
    for folder in ("by-path", "by-id"):
        for link in _listed(root / "dev/serial" / folder):
            found.setdefault(link.resolve(), f"/dev/serial/{folder}/{link.name}")
    return tuple(sorted(found.values()))


def _cameras(root: Path) -> tuple[str, ...]:
    """USB cameras by their first node; the others of a camera carry no pictures, and a board's own are libcamera's."""
    found: dict[Path, str] = {}
    for folder in ("by-path", "by-id"):
        for link in _listed(root / "dev/v4l" / folder):
            if "usb" in link.name and link.name.endswith("-video-index0"):
                found.setdefault(link.resolve(), f"/dev/v4l/{folder}/{link.name}")
    return tuple(sorted(found.values()))


def _chips(ask: Ask) -> tuple[Chip, ...]:
    return tuple(
        Chip(str(each[0]), tuple(map(str, each[1])))
        for each in _asked(ask, "chips")
        if isinstance(each, list) and len(each) == 2 and isinstance(each[1], list)  # noqa: PLR2004 - label and lines
    )


def _readers(ask: Ask) -> tuple[str, ...]:
    return tuple(sorted(map(str, _asked(ask, "readers"))))


def _asked(ask: Ask, word: str) -> list[object]:
    told: Mapping[str, object] = {}
    with suppress(NeighbourFault):
        told = ask(LOCK, word, patience_s=_SOON_S)
    found = told.get(word)
    return found if isinstance(found, list) else []


def _listed(folder: Path) -> Iterable[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return ()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return ""
