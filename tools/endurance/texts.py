"""Parsers of what installers and the program's own files say, with honest inputs for each.

Rules kept here:
- No secret stands behind these, but a door that does not start keeps people out: they refuse in one sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from device import config, manifest
from device.errors import CameraFault, ConfigRefused, ModelRefused
from device.eye.scene import METER, SceneFile, read_meter
from device.report import broker
from device.vault import tail
from tools.endurance.fuzz import Target
from tools.endurance.scratch import Scratch


def texts(folder: Path) -> tuple[Target, ...]:
    """All of them; `folder` is theirs to write in."""
    return (
        Target("door.toml", _TOML, _text(config.parse), (ConfigRefused,)),
        Target("manifest.toml", _MANIFEST, _text(manifest.parse), (ModelRefused,)),
        Target("impostor-tail.toml", _TAIL, _taken(tail.parse), (ModelRefused,)),
        Target("scene", _SCENES, _scene(folder), (CameraFault,)),
        Target("meter", (bytes(16), b"\1\0\0\0" + bytes(12)), _meter(folder), (CameraFault,)),
        Target("broker", _BROKERS, _text(broker.parse), (ConfigRefused,)),
    )


def _taken(parse: Callable[[bytes], object]) -> Callable[[bytes], bool]:
    def feed(data: bytes) -> bool:
        parse(data)
        return True

    return feed


def _text(parse: Callable[[str], object]) -> Callable[[bytes], bool]:
    return _taken(lambda data: parse(data.decode("utf-8", "replace")))


def _scene(folder: Path) -> Callable[[bytes], bool]:
    file = Scratch(folder / "scene.json")

    def feed(data: bytes) -> bool:
        file.put(data)
        SceneFile(file.path).current()
        return True

    return feed


def _meter(folder: Path) -> Callable[[bytes], bool]:
    file = Scratch(folder / METER)

    def feed(data: bytes) -> bool:
        file.put(data)
        read_meter(file.path)
        return True

    return feed


_TOML = (
    b'[door]\nid = "00112233445566aa"\nmanager_key = ""\n[lock]\nboard = "sim"\ntier = "face"\nunlock_ms = 4000\n',
    b'[door]\nid = "00112233445566aa"\n[camera]\nbackend = "none"\nfps = 15.0\n[report]\ncadence_s = 900\n',
)
_TENSOR = b'name = "a"\nshape = [1, 2]\ndtype = "int8"\nscale = 0.5\nzero_point = -1\n'
_MANIFEST = (
    b'schema = 1\n[net]\nfile = "a.tflite"\nsha256 = "' + b"0f" * 32 + b'"\nbytes = 10\njob = "embed"\n'
    b'quantization = "int8"\nlicence = "MIT"\ncard = "a.md"\n'
    b"[net.input]\n" + _TENSOR + b'values = "pixels"\n[[net.outputs]]\n' + _TENSOR + b'meaning = "embedding"\n',
)
_TAIL = (
    b'schema = 1\nmodel_sha256 = "' + b"0f" * 32 + b'"\nfirst = 0.5\nstep = 0.01\n'
    b"[cells.one]\nupper = [0.1, 0.01]\nabove = [9, 0]\npairs = 100\n"
    b"[[averaging]]\nenrolled = 1\nframes = 1\nshift = 0.0\nfnmr = [0.1, 0.2]\n",
)
_SCENES = (b'{"source": "a.png", "fps": 15, "scale": 1.0}', b'{"source": null}')
_BROKERS = (b"mqtt://127.0.0.1:1883", b"mqtt://[::1]:1883", b"mqtt://localhost", b"mqtt://broker.example:1883", b"")
