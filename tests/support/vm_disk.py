"""What a machine keeps: copies of the door's state, the keys behind it, and every byte that it wrote to its disk.

Keys and templates are read as root of a running door, which may know them; they come over the agent's wire and are
written to no disk of the guest.
"""

import base64
import io
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from device import manifest
from device.desk.audit.folders import STATEFUL
from device.edges import Room
from device.eye.yuv import BT601, yuyv_to_bgr
from device.manifest import Job
from device.paths import models_dir
from device.sealing.store import Binding, SealedStore
from tests.support.vm_door import OnMachine, unit
from tools.egress.canaries import Canary, Form, pattern
from tools.vm import host
from tools.vm.camera.picture import Scene
from tools.vm.camera.uvc import Format, UvcCamera
from tools.vm.machine import Machine

STATE = "/var/lib/doorward"
WITHIN_S = 900.0
_EPOCH_KEY = """
import sys
from pathlib import Path
from device import config
from device.sealing.providers import Index, key_store
door = config.load(Path("/etc/doorward/door.toml"))
place = Path("/var/lib/doorward/vault/epoch.key")
keys = key_store(door.vault.key_store, place, sys.stdin.buffer.read(), Index.VAULT, door.tpm.tcti)
print((keys.load() or b"").hex())
"""
_PIECE_BYTES = 64
_PLACES, _PIECES = 97, 12  # looked at in each form of a picture (no row has so many parts), and wanted of them
_HEADER_BYTES = 160  # of a JPEG: up to the first of its tables
_LEAST_VALUES = 20  # of a piece of a picture: what has fewer is a plain wall


# ---- the door's state, and what it is sealed with


def copy_of(door: OnMachine) -> bytes:
    """The state of every room, as whoever copies files has it: a tar."""
    return base64.b64decode(door.machine.agent.ask(f"tar -C {STATE} -cf - . | base64 -w 0"))


def put_back(door: OnMachine, copy: bytes) -> None:
    """Stop the rooms that have a state, let `copy` be the state of all of them, and start them again."""
    agent = door.machine.agent
    units = " ".join(f"'doorward-{room}-*.socket' {unit(room)}" for room in STATEFUL)
    agent.ask(f"systemctl stop {units}", limit_s=WITHIN_S)
    agent.ask(f"rm -rf {STATE}/* && tar -C {STATE} -xpf - && sync", data=copy)
    agent.ask("systemctl reset-failed 'doorward-*'; systemctl start --no-block doorward.target")


def root_key(door: OnMachine, room: Room) -> bytes:
    """A room's root key, as systemd opens it on this machine. Raises VmFault where it does not."""
    sealed = f"--name={room}.key --newline=no /etc/credstore.encrypted/{room}.key"
    told = door.machine.agent.ask(f"set -o pipefail; systemd-creds decrypt {sealed} - | od -A n -v -t x1")
    return bytes.fromhex(told.replace("\n", ""))


def epoch_key(door: OnMachine, root: bytes) -> bytes:
    """The epoch key of the faces, for whoever has vault's root key; b"" if this machine holds none."""
    told = door.machine.agent.ask(f"/usr/lib/doorward/bin/python -I -B -c '{_EPOCH_KEY}'", data=root)
    return bytes.fromhex(told)


def faces_in(copy: bytes, key: bytes, door: OnMachine, folder: Path) -> SealedStore:
    """The faces in a copy of the state, opened in `folder` with an epoch key. Raises StoreFault where it is another."""
    with tarfile.open(fileobj=io.BytesIO(copy)) as files:
        files.extractall(folder, filter="data")  # as this user's own, with no more than its rights
    (folder / Room.VAULT).chmod(0o700)
    binding = Binding(bytes.fromhex(door.door_id), "face", manifest.load(models_dir()).for_job(Job.EMBED).sha256)
    return SealedStore.open(folder / Room.VAULT, _Told(key), binding)


class _Told:
    """A key store that knows one key and changes nothing."""

    name = "told"

    def __init__(self, key: bytes) -> None:
        self._key = key

    def load(self) -> bytes | None:
        return self._key

    def replace(self, key: bytes) -> None:
        raise AssertionError("a copy is only read")

    def confirm(self) -> None:
        """Nothing to do."""


# ---- the disk


def written(machine: Machine) -> bytes:
    """Everything that a machine which is switched off ever wrote to its disk: used blocks, free ones, the journal.

    What lay on the image before its first start is not among it: it was made before the door had any secret.
    """
    overlay, raw = machine.folder / "written.qcow2", machine.folder / "written.raw"
    shutil.copy(machine.disk, overlay)
    host.run("machine", ["qemu-img", "rebase", "-u", "-b", "", str(overlay)])
    host.run("machine", ["qemu-img", "convert", "-O", "raw", str(overlay), str(raw)])
    content = b"\xff".join(_stretches(raw))
    overlay.unlink()
    raw.unlink()
    return content


def _stretches(raw: Path) -> Iterator[bytes]:
    """What lies between the holes of a sparse file."""
    with raw.open("rb") as file:
        size, at = os.fstat(file.fileno()).st_size, 0
        while at < size:
            try:
                begin = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # ENXIO: nothing more
                return
            at = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
            yield os.pread(file.fileno(), at - begin, begin)


def found(content: bytes, canaries: Iterable[Canary]) -> set[str]:
    """The names of the canaries that stand in `content` in any of their forms."""
    return {each.name for each in canaries if any(_stands(content, form) for form in each.forms)}


def by_chance(content: bytes, canaries: Iterable[Canary]) -> float:
    """How many hits are to be expected in as much random content."""
    return sum(max(form.chances.values()) for each in canaries for form in each.forms) * len(content)


def picture(name: str, path: Path) -> Canary:
    """A picture before the camera, as the camera sends it in both of its forms and as eye turns it into colours."""
    device = UvcCamera()
    scene = Scene(device.width_px, device.height_px, path)
    jpeg, yuyv = scene.frame(Format.MJPEG), scene.frame(Format.YUYV)
    packed = np.frombuffer(yuyv, np.uint8).reshape(device.height_px, -1)
    whole = {
        "Motion-JPEG": jpeg,
        "YUYV": yuyv,
        "luma": yuyv[::2],
        "BGR": yuyv_to_bgr(packed, device.width_px, BT601).tobytes(),
    }
    pieces = [Form(f"{form}, a piece", piece) for form, content in whole.items() for piece in _pieces(content)]
    return Canary(name, tuple(pieces))


def any_frame() -> Canary:
    """Any frame of the camera in Motion-JPEG: what all of them begin with."""
    device = UvcCamera()
    return Canary(
        "a frame", (Form("header", Scene(device.width_px, device.height_px).frame(Format.MJPEG)[:_HEADER_BYTES]),)
    )


def _pieces(content: bytes) -> Iterator[bytes]:
    step = len(content) // _PLACES  # the first one would be what all pictures begin with
    places = (content[at : at + _PIECE_BYTES] for at in range(step, len(content), step))
    telling = [piece for piece in places if len(set(piece)) >= _LEAST_VALUES]
    assert len(telling) >= _PIECES, "a picture of plain walls"
    yield from telling[:: len(telling) // _PIECES]


def _stands(content: bytes, form: Form) -> bool:
    return bool(pattern(form).search(content)) if form.word else form.content in content
