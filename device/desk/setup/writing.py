"""What set-up leaves on the disk: door.toml, the sign, and what the machine and its units need for this door.

Rules kept here:
- Each file is whole or as it was before. door.toml comes last: until it stands there, nothing was set up, and if it
  cannot be written the others are put back.
- lock's unit may open kinds of devices; which node of a kind it may open decides the group that udev gives to it. A
  keypad that is unplugged and comes back gets another number, so a rule by number would lose it.

Sources: systemd.resource-control(5), DeviceAllow=; udev(7), SYMLINK as a match; /proc/devices for the kinds' names.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from device import installing, reading, tried
from device.config.tables import Config
from device.desk.setup import sign
from device.desk.setup.draft import render
from device.desk.upkeep import pinned, whole_machine
from device.errors import StoreFault
from device.learned import LARGEST_TEXT
from device.paths import Paths

_FOLDER_MODE = 0o755  # every room reads its settings
_KINDS = re.compile(r"(ttyUSB|ttyACM|ttyAMA|ttyTHS|ttyS)[0-9]+")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file to be written; `content` None: it is not to be there."""

    path: Path
    content: bytes | None


def drop_in_at(paths: Paths) -> Path:
    """What extends lock's unit."""
    return paths.root / "etc/systemd/system/doorward-lock.service.d/50-setup.conf"


def rules_at(paths: Paths) -> Path:
    """What tells udev whose keypad and serial line it is."""
    return paths.root / "etc/udev/rules.d/61-doorward-setup.rules"


def sign_at(paths: Paths) -> Path:
    """The sheet for the door."""
    return paths.config.with_name("sign.html")


def sheets(config: Config, paths: Paths) -> tuple[Sheet, ...]:
    """Everything that is written for `config`, in order."""
    return (
        Sheet(rules_at(paths), _rules(config)),
        Sheet(drop_in_at(paths), _drop_in(config)),
        *_pinned(config, paths),
        Sheet(sign_at(paths), sign.page(config, tried.known(paths.config)).encode("utf-8")),
        Sheet(paths.config, render(config).encode("utf-8")),
    )


def of_the_machine(config: Config, paths: Paths, *, watchdog: bool) -> tuple[Sheet, ...]:
    """What is written, before the others, for the machine as a whole: at a simulated door nothing."""
    real = config.lock.board != "sim"
    asked = whole_machine.files(paths.root, watchdog=watchdog) if real else whole_machine.none(paths.root)
    found = ((paths.root / path, text) for path, text in asked.items())
    return tuple(
        Sheet(path, None if text is None else text.encode("ascii"))
        for path, text in found
        if text is not None or path.exists()
    )


def _pinned(config: Config, paths: Paths) -> tuple[Sheet, ...]:
    """Files that few doors have: named only where there is one, or is one to be taken away."""
    found = ((paths.root / path, text) for path, text in pinned.files(config).items())
    return tuple(Sheet(path, text.encode() if text else None) for path, text in found if text or path.exists())


def write(planned: tuple[Sheet, ...]) -> None:
    """Write all of them or none. Raises StoreFault."""
    before = tuple(Sheet(sheet.path, _now(sheet.path)) for sheet in planned)
    made: list[Path] = []
    try:
        for sheet in planned:
            if sheet.content is not None:
                _folder(sheet.path.parent, made)
            _put(sheet)
    except BaseException:
        for sheet in before:
            with suppress(StoreFault):
                if _now(sheet.path) != sheet.content:
                    _put(sheet)
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        raise


def _put(sheet: Sheet) -> None:
    if sheet.content is not None:
        installing.store(sheet.path, sheet.content)
        return
    try:
        sheet.path.unlink(missing_ok=True)
    except OSError as cause:
        msg = f"{sheet.path} cannot be removed: {cause.strerror}"
        raise StoreFault(msg) from cause


def _folder(folder: Path, made: list[Path]) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        try:
            each.mkdir(mode=_FOLDER_MODE)
        except OSError as cause:
            msg = f"{each} cannot be made: {cause.strerror}"
            raise StoreFault(msg) from cause
        made.append(each)
        each.chmod(_FOLDER_MODE)  # whatever the umask of whoever calls


def _now(path: Path) -> bytes | None:
    try:
        return reading.whole(path, LARGEST_TEXT)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as cause:
        msg = f"{path} cannot be read: {cause.strerror}"
        raise StoreFault(msg) from cause


def _drop_in(config: Config) -> bytes | None:
    if config.lock.board == "sim":
        return None
    lines = ["# Written by `doorctl setup` from door.toml.", "[Service]", "DeviceAllow=char-gpiochip rw"]
    if config.lock.keypad:
        lines.append("DeviceAllow=char-input r")
    if config.lock.osdp:
        kind = _KINDS.fullmatch(Path(config.lock.osdp).resolve().name)
        lines.append(f"DeviceAllow={f'char-{kind[1]}' if kind else config.lock.osdp} rw")
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _rules(config: Config) -> bytes | None:
    links = [("input", config.lock.keypad), ("tty", config.lock.osdp)]
    lines = [
        f'SUBSYSTEM=="{kind}", SYMLINK=="{path.removeprefix("/dev/")}", GROUP:="doorward-lock", MODE:="0660"\n'
        for kind, path in links
        if path and config.lock.board != "sim"
    ]
    if not lines:
        return None
    return "".join(["# Written by `doorctl setup` from door.toml: devices that lock alone opens.\n", *lines]).encode()
